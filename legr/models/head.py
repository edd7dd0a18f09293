"""Cut a classifier to some of its classes.

The head is found without knowing the architecture: it is what differs when the same one is built for one class more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from legr.errors import SettingsError
from legr.models.weights import WeightsInfo, hash_state, load_state, load_weights


@dataclass(frozen=True)
class Loaded:
    """A classifier of some classes, and the one that its weights were trained for."""

    network: nn.Module
    whole: nn.Module  # of all classes of the weights; the same as `network` where nothing was cut
    outputs: tuple[str, ...]  # classes that `whole` answers for, in their order
    info: WeightsInfo


def load_for_classes(
    build: Callable[[int], nn.Module], file: Path, classes: Sequence[str], outputs: Sequence[str]
) -> Loaded:
    """Return a classifier of some classes, with weights that were trained for these and perhaps for others.

    Args:
        build: makes the architecture for a number of classes.
        classes: outputs of the network, in this order.
        outputs: classes that the weights were trained for, in their order; `classes` are among them.

    Raises:
        WeightsError: the weights do not fit.
        SettingsError: some tensor does not say which of its rows belong to which class.
    """
    whole = build(len(outputs))
    info = load_weights(whole, file)
    if list(classes) == list(outputs):
        return Loaded(whole, whole, tuple(outputs), info)
    network, larger = build(len(classes)), build(len(outputs) + 1)
    rows = torch.tensor([list(outputs).index(name) for name in classes])
    state = {
        name: tensor if dim is None else tensor.index_select(dim, rows)
        for (name, tensor), dim in zip(
            whole.state_dict().items(), _class_dims(whole, larger, len(outputs)), strict=True
        )
    }
    _require_fit(state, network.state_dict(), len(classes))
    load_state(network, state)
    return Loaded(network, whole, tuple(outputs), replace(info, sha256=hash_state(network.state_dict())))


def _class_dims(whole: nn.Module, larger: nn.Module, n_outputs: int) -> list[int | None]:
    """For every tensor of a model the dimension that counts classes, or None; `larger` has one class more."""
    class_dims: list[int | None] = []
    larger_state = larger.state_dict()
    for name, tensor in whole.state_dict().items():
        shape = larger_state[name].shape if name in larger_state else torch.Size()
        dims = [dim for dim in range(tensor.dim()) if len(shape) == tensor.dim() and tensor.shape[dim] != shape[dim]]
        if len(shape) != tensor.dim() or len(dims) > 1 or any(tensor.shape[dim] != n_outputs for dim in dims):
            raise SettingsError(
                f"the head of this model cannot be cut to some classes: {name} has shape {list(tensor.shape)} for "
                f"{n_outputs} classes and {list(shape)} for one more; use all classes"
            )
        class_dims.append(dims[0] if dims else None)
    return class_dims


def _require_fit(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], n_classes: int) -> None:
    for name, tensor in state.items():
        if name not in expected or tensor.shape != expected[name].shape:
            raise SettingsError(f"{name} of this model has another shape with {n_classes} classes; use all classes")
