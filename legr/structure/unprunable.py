"""What of a structure cannot be pruned and why, in few rows; and what share of its MACs can.

It does not know models or studies: no torch, so that a page may load it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from legr.structure.types import Structure


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some channels cannot go, or not alone; the same reason at several modules is one."""

    kind: str  # "held": never removed; "tied": leave together
    operation: str
    reason: str
    channels: int
    modules: tuple[str, ...]


def prunable_macs(structure: Structure) -> float:
    """Share of the MACs that are spent on at least one channel axis with a unit in it."""
    total, prunable = 0, 0
    for op in structure.ops:
        macs, cut = op.macs, False
        if op.parameter is not None:
            shape = structure.shapes.get(op.parameter) or structure.filters[op.parameter]
            macs *= shape[op.out_dim] * shape[op.in_dim]
            cut = any((op.parameter, dim) in structure.axis_of for dim in (op.out_dim, op.in_dim))
        total += macs
        prunable += macs if cut else 0
    return prunable / total if total else 0.0


def reasons(found: Mapping[str, Any]) -> list[Reason]:
    """Remarks, as plain data under "held" and "tied", by (operation, reason); those on most channels first."""
    merged: dict[tuple[str, str, str], tuple[int, list[str]]] = {}
    for kind in ("held", "tied"):
        for remark in found[kind]:
            key = (kind, remark["operation"], remark["reason"])
            channels, modules = merged.get(key, (0, []))
            merged[key] = (channels + remark["channels"], [*modules, remark["module"]])
    rows = [Reason(*key, channels, tuple(modules)) for key, (channels, modules) in merged.items()]
    return sorted(rows, key=lambda row: -row.channels)
