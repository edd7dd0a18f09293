"""Images of other heights than the network was made for: whether it can take them, and what it costs then."""

import logging
from collections.abc import Sequence

import torch
from torch import nn

from legr.data.sizes import HEIGHTS, scaled_shape
from legr.errors import SettingsError, TraceError
from legr.structure.cost import original_cost
from legr.structure.counters import count
from legr.structure.model_io import deep_copy
from legr.structure.tracing.trace import trace
from legr.structure.types import Cost, Structure
from legr.study.heights import CostsAtHeight, add_heights, structures_by_height
from legr.study.store import Study

logger = logging.getLogger(__name__)


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


def note_costs(study: Study, model: nn.Module, heights: Sequence[int]) -> None:
    """Note what the study's networks cost with images of some heights, so that pages know it of every kept set.

    Heights at which the network does other things than with its own images are left out.

    Args:
        model: the original.
    """
    known, shape = structures_by_height(study), study.info.input_shape
    found = []
    for height in dict.fromkeys(heights):
        if height in known:
            continue
        macs = macs_of_operations(model, study.structure, scaled_shape(shape, height))
        if macs is None:
            logger.warning("what networks cost with images of height %d can only be counted one by one", height)
        else:
            found.append(CostsAtHeight(height, macs))
    if found:
        add_heights(study, found)


def macs_of_operations(model: nn.Module, structure: Structure, shape: tuple[int, int, int]) -> tuple[int, ...] | None:
    """MACs of each of a structure's operations with images of another shape; None where the network does others then.

    It is traced again. The same units, operations and axes are the same function of the kept set, and what all
    operations of the original cost is what a count of it gives.
    """
    example = torch.zeros(1, *shape)
    try:
        other = trace(model, example)
    except TraceError:
        return None
    if _facts(other) != _facts(structure) or original_cost(other).macs != count(model, example).macs:
        return None
    return tuple(op.macs for op in other.ops)


def _facts(structure: Structure) -> tuple[object, ...]:
    """All that decides which operations a kept set makes smaller, and how."""
    axes = [(axis.parameter, axis.dim, axis.labels.tobytes()) for axis in structure.axes]
    ops = [(op.parameter, op.out_dim, op.in_dim) for op in structure.ops]
    branches = [(branch.units.tobytes(), branch.ops) for branch in structure.branches]
    return axes, ops, branches
