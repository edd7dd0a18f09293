"""Which channels of a structure cannot be pruned and why, in few rows; and what share of its MACs can."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from legr.structure.types import UNREACHED, UNREACHED_CODE, Remark, Structure

_NAMED = 3  # in a sentence


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some channels are never removed, or only together, in all modules where this is the reason."""

    kind: Literal["unprunable", "coupled"]  # never removed; removed only together
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


def unreached_note(remarks: Sequence[Remark]) -> str:
    """Sentences on the layers that no example reaches, and what stays for them; "" where there are none."""
    notes = []
    unreached = [remark for remark in remarks if remark.operation == UNREACHED]
    if unreached:
        names = _listed([remark.module or "tensors of the model itself" for remark in unreached])
        channels = sum(remark.channels for remark in unreached)
        stay = "1 channel stays" if channels == 1 else f"{channels} channels stay"
        notes.append(
            f"The example does not reach {names}, which could read channels that pruning removes: {stay} for that."
        )
    code = [remark.module for remark in remarks if remark.operation == UNREACHED_CODE]
    if code:
        notes.append(f"The example does not reach {_listed(code)}, so nothing is known about what its code reads.")
    return " ".join(notes)


def _listed(names: Sequence[str]) -> str:
    """The first names and the number of the others, in words."""
    first, rest = names[:_NAMED], len(names) - _NAMED
    *before, last = [*first, f"{rest} more"] if rest > 0 else first
    return f"{', '.join(before)} and {last}" if before else last


def merge_reasons(unprunable: Iterable[Remark], coupled: Iterable[Remark]) -> list[Reason]:
    """One row for every (operation, reason) in a structure's remarks; those on most channels first."""
    rows = [*_by_reason("unprunable", unprunable), *_by_reason("coupled", coupled)]
    return sorted(rows, key=lambda row: -row.channels)


def _by_reason(kind: Literal["unprunable", "coupled"], remarks: Iterable[Remark]) -> list[Reason]:
    merged: dict[tuple[str, str], tuple[int, list[str]]] = {}
    for remark in remarks:
        key = (remark.operation, remark.reason)
        channels, modules = merged.get(key, (0, []))
        merged[key] = (channels + remark.channels, [*modules, remark.module])
    return [Reason(kind, *key, channels, tuple(modules)) for key, (channels, modules) in merged.items()]
