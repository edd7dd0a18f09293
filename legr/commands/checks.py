"""Refuse a model or a normalization that does not go with the images, before hours are spent on it."""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from legr.data.encoded import ImageShape
from legr.data.normalization import Normalization
from legr.errors import SettingsError, WeightsError
from legr.structure.trees import tensors_in


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


def require_finite_answers(network: nn.Module, *shapes: Sequence[int]) -> None:
    """Run a network on noise in [0, 1], in float32 and in evaluation mode, as it is scored.

    Args:
        shapes: of its inputs, the batch in front.

    Raises:
        WeightsError: it answers with infinite or undefined numbers, so nothing about it can be proved or measured.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        answers = network.eval()(*(torch.rand(tuple(shape), generator=generator) for shape in shapes))
    tensors = [answer for answer in tensors_in(answers) if answer.is_floating_point()]
    if all(bool(answer.isfinite().all()) for answer in tensors):
        return
    values = {name: float(value.detach().abs().max()) for name, value in network.named_parameters() if value.numel()}
    largest = max(values, key=lambda name: values[name], default="")
    where = f" (the largest is {values[largest]:.1e}, in {largest})" if largest else ""
    raise WeightsError(
        "the network answers an input of numbers in [0, 1] with infinite or undefined ones, so its weights are too "
        f"large for float32{where}; train or download it again"
    )


def require_outputs(outputs: Sequence[str], classes: Sequence[str]) -> None:
    """Refuse names of outputs that are not unique, or among which a class of the study is missing.

    Raises:
        SettingsError: see above.
    """
    twice = sorted(name for name, count in Counter(outputs).items() if count > 1)
    if twice:
        raise SettingsError(f"outputs must name each class once, got {twice[0]!r} twice; give one name an output")
    missing = [name for name in classes if name not in set(outputs)]
    if missing:
        raise SettingsError(
            f"outputs must name every class of the images, got none for {', '.join(missing[:5])}"
            f"{', …' if len(missing) > 5 else ''}; add them in the order of the weights, or choose --classes among "
            "those that the weights predict"
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
