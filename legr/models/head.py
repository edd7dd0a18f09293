"""Cut a classifier to some of its classes.

It does not know which layer the head is: it is what differs in the same architecture built for one class more.
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
    """A classifier of some classes, and the one that its weights were made for."""

    network: nn.Module
    whole: nn.Module  # the same one where nothing was cut
    outputs: tuple[str, ...]  # classes that `whole` answers for, in their order
    info: WeightsInfo


def load_for_classes(
    build: Callable[[int], nn.Module], file: Path, classes: Sequence[str], outputs: Sequence[str]
) -> Loaded:
    """Return a classifier of some classes, with weights that answer for these and perhaps for others.

    Args:
        build: makes the architecture for a number of classes.
        classes: that the network shall answer for, in this order.
        outputs: that the weights answer for, in their order; `classes` are among them.

    Raises:
        WeightsError: the weights do not fit.
        SettingsError: it cannot be told which numbers belong to which class.
    """
    whole = build(len(outputs))
    info = load_weights(whole, file)
    if list(classes) == list(outputs):
        return Loaded(whole, whole, tuple(outputs), info)
    network, other = build(len(classes)), build(len(outputs) + 1)
    rows = torch.tensor([list(outputs).index(name) for name in classes])
    state = {
        name: tensor if dim is None else tensor.index_select(dim, rows)
        for (name, tensor), dim in zip(whole.state_dict().items(), _heads(whole, other, len(outputs)), strict=True)
    }
    _require_fit(state, network.state_dict(), len(classes))
    load_state(network, state)
    return Loaded(network, whole, tuple(outputs), replace(info, sha256=hash_state(network.state_dict())))


def _heads(whole: nn.Module, other: nn.Module, n_outputs: int) -> list[int | None]:
    """For every tensor of a model the dimension that counts classes, or None: it differs in `other`, of one more."""
    found: list[int | None] = []
    larger = other.state_dict()
    for name, tensor in whole.state_dict().items():
        shape = larger[name].shape if name in larger else torch.Size()
        dims = [dim for dim in range(tensor.dim()) if len(shape) == tensor.dim() and tensor.shape[dim] != shape[dim]]
        if len(shape) != tensor.dim() or len(dims) > 1 or any(tensor.shape[dim] != n_outputs for dim in dims):
            raise SettingsError(
                f"the head of this model cannot be cut to some classes: {name} has shape {list(tensor.shape)} for "
                f"{n_outputs} classes and {list(shape)} for one more; use all classes"
            )
        found.append(dims[0] if dims else None)
    return found


def _require_fit(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], n_classes: int) -> None:
    for name, tensor in state.items():
        if name not in wanted or tensor.shape != wanted[name].shape:
            raise SettingsError(f"{name} of this model has another shape with {n_classes} classes; use all classes")
