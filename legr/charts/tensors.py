"""Every parameter of a network, before and after pruning. No torch."""

from dataclasses import dataclass
from math import prod

import pandas as pd

from legr.charts.cells import safe_cells
from legr.structure.cost import counts_of, stays
from legr.structure.types import Keep, Structure


@dataclass(frozen=True, slots=True)
class TensorChange:
    """One parameter of the original and of a pruned network.

    Attributes:
        after: its shape in the pruned network; None: it has left with its block.
    """

    name: str
    before: tuple[int, ...]
    after: tuple[int, ...] | None


def tensor_changes(structure: Structure, keep: Keep) -> list[TensorChange]:
    """What pruning does to every parameter, in the network's own order."""
    counts = counts_of(structure, keep)
    found = []
    for name, before in structure.shapes.items():
        after = tuple(
            int(keep.kept(axis.labels).sum()) if (axis := structure.axis_of.get((name, dim))) else size
            for dim, size in enumerate(before)
        )
        found.append(TensorChange(name, before, after if bool(stays(structure, name, counts)[0]) else None))
    return found


def tensors_table(structure: Structure, keep: Keep) -> pd.DataFrame:
    """What pruning does to every parameter, as a table.

    Returns:
        Columns tensor, original and pruned (shapes, such as "64 x 32 x 3 x 3"; "removed" where it has left), and
        original_values and pruned_values (how many).
    """
    rows = [
        (
            change.name,
            _words(change.before),
            "removed" if change.after is None else _words(change.after),
            prod(change.before),
            0 if change.after is None else prod(change.after),
        )
        for change in tensor_changes(structure, keep)
    ]
    return safe_cells(pd.DataFrame(rows, columns=["tensor", "original", "pruned", "original_values", "pruned_values"]))


def _words(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"
