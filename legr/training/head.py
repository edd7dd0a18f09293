"""Cut a classifier to some of its classes.

It does not know which layer the head is: it is what differs in the same architecture built for fewer classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from legr.errors import SettingsError
from legr.training.weights import WeightsInfo, hash_state, load_state, load_weights


def load_for_classes(
    build: Callable[[int], nn.Module],
    file: Path,
    classes: Sequence[str],
    everything: Sequence[str],
    made_for: int | None = None,
) -> tuple[nn.Module, WeightsInfo]:
    """Return a classifier of some classes, with weights that were made for these or for all.

    Args:
        build: makes the architecture for a number of classes.
        made_for: outputs that the weights have; None is one for each of `everything`.

    Raises:
        WeightsError: the weights do not fit.
        SettingsError: see `cut_head`.
    """
    network, made_for = build(len(classes)), len(everything) if made_for is None else made_for
    if made_for == len(classes):
        return network, load_weights(network, file)
    full = build(made_for)
    info = load_weights(full, file)
    cut_head(full, network, [everything.index(name) for name in classes])
    return network, replace(info, sha256=hash_state(network.state_dict()))


def cut_head(full: nn.Module, small: nn.Module, rows: Sequence[int]) -> None:
    """Give `small` the weights of `full`, of its head only those of some outputs.

    Args:
        full: a classifier.
        small: the same architecture, built for `len(rows)` classes.
        rows: outputs of `full` that stay, in this order.

    Raises:
        SettingsError: the two differ in more than their number of outputs.
    """
    wanted, state, chosen = small.state_dict(), {}, torch.tensor(rows)
    for name, tensor in full.state_dict().items():
        shape = wanted[name].shape if name in wanted else ()
        differing = [dim for dim, (here, there) in enumerate(zip(tensor.shape, shape, strict=False)) if here != there]
        if len(shape) != tensor.dim() or len(differing) > 1 or any(shape[dim] != len(rows) for dim in differing):
            raise SettingsError(
                f"the head of this model cannot be cut to {len(rows)} classes: {name} has shape "
                f"{list(tensor.shape)}, and {list(shape)} with so many; use all classes"
            )
        state[name] = tensor.index_select(differing[0], chosen) if differing else tensor
    load_state(small, state)
