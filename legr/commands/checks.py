"""Refuse a model or a normalization that does not go with the images, before hours are spent on it."""

import torch
from torch import Tensor, nn

from legr.data.encoded import ImageShape
from legr.data.normalization import Normalization
from legr.errors import SettingsError


def require_class_outputs(network: nn.Module, example: Tensor, n_classes: int) -> None:
    """Run a network, which may be the user's own, on one image.

    Raises:
        SettingsError: it does not take the image, or its output is not one number for each class.
    """
    try:
        with torch.inference_mode():
            output = network.eval()(example)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        shape = "x".join(map(str, example.shape))
        why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise SettingsError(f"the model does not take an input of {shape} ({why}); choose another --input") from error
    if not isinstance(output, Tensor) or output.shape != (1, n_classes):
        actual = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
        raise SettingsError(
            f"the model must return a tensor of shape (1, {n_classes}) for one image of {n_classes} classes, "
            f"got {actual}; let its factory take num_classes"
        )


def require_normalization(normalize: str | Normalization | None, shape: ImageShape) -> None:
    """Refuse an unknown normalization, or one for images of other channels.

    Raises:
        SettingsError: see above.
    """
    if isinstance(normalize, str) and normalize not in ("imagenet", "dataset"):
        raise SettingsError(f"normalize must be imagenet or dataset, got {normalize!r}")
    if normalize == "imagenet" and shape[0] != 3:
        raise SettingsError(f"ImageNet's normalisation is of 3 channels, and the input has {shape[0]}; use dataset")
