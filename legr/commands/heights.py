"""Images of other heights than the network was made for: whether it can take them, and what it costs then."""

from collections.abc import Sequence

import torch
from torch import nn

from legr.data.sizes import HEIGHTS, scaled_shape
from legr.errors import SettingsError
from legr.structure.counters import count
from legr.structure.model_io import deep_copy
from legr.structure.types import Cost, Structure


def require_heights(model: nn.Module, shape: tuple[int, int, int], heights: Sequence[int]) -> None:
    """Refuse heights of images that a network cannot take.

    Args:
        shape: of the images that it was made for: channels, height, width.

    Raises:
        SettingsError: it fails on one, or one is out of range.
    """
    for height in heights:
        HEIGHTS.require("size", height)
        try:
            with torch.inference_mode():
                deep_copy(model).eval()(torch.zeros(1, *scaled_shape(shape, height)))
        except Exception as error:  # whatever a forward may raise
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise SettingsError(
                f"size must be a height of images that the network can take, got {height} ({reason}); choose another"
            ) from error


def macs_of(network: nn.Module, structure: Structure, size: Cost, shape: tuple[int, ...]) -> int:
    """MACs of a pruned network for one image: known for the shape that was traced, counted for any other.

    Args:
        size: what it costs with the traced shape.
    """
    if (1, *shape) == structure.input_shapes[0]:
        return size.macs
    return count(network, torch.zeros(1, *shape, device=next(network.parameters()).device)).macs
