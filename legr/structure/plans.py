"""Plans of surgery as plain data, and two of them as one.

A plan may be read from a file of any origin, so one that surgery cannot have written is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from legr.record import Record
from legr.schema import MEGABYTE, Name, SchemaError
from legr.structure.types import IntArray, Plan

LARGEST_PLAN = 64 * MEGABYTE  # as JSON
_ATTRIBUTES = (
    *("in_channels", "out_channels", "groups", "in_features", "out_features", "num_features"),
    *("num_channels", "num_groups", "num_parameters", "normalized_shape", "channels"),
)


def _known(name: str) -> str:
    if name not in _ATTRIBUTES:
        raise ValueError(f"unknown attributes {[name]}")
    return name


def _with_place(item: Any) -> Any:
    """An attribute of format 1 of a recipe, which had no place, as one of today."""
    return [*item[:2], None, item[2]] if isinstance(item, list) and len(item) == 3 else item


_Index = Annotated[int, Field(ge=-(2**31), lt=2**31)]
_Dim = Annotated[int, Field(ge=0, lt=8)]
_Place = Annotated[int, Field(ge=0, lt=8)]
_Channels = Annotated[int, Field(ge=1, lt=2**31)]
_Attribute = Annotated[
    tuple[Name, Annotated[Name, AfterValidator(_known)], _Place | None, _Channels],  # module, attribute, place, value
    Field(strict=False),
    BeforeValidator(_with_place),
]
_Window = tuple[Annotated[int, Field(ge=-(2**31), lt=2**31)], Annotated[int, Field(ge=1, lt=2**31)]]
_Removed = tuple[
    Annotated[Name, Field(min_length=1)],  # module
    Annotated[int, Field(ge=-1, lt=8)],  # dim
    Annotated[int, Field(ge=0, lt=2**31)],  # channels
    Annotated[tuple[_Window, ...], Field(max_length=8)],
]


@dataclass(frozen=True)
class StoredPlan(Record):
    """A plan as plain lists and numbers."""

    slices: list[tuple[Name, _Dim, list[_Index]]]
    attributes: list[_Attribute]
    indexes: list[tuple[Name, list[_Index]]]
    removed: Annotated[list[_Removed], Field(strict=False)] = field(default_factory=list)
    dropped: list[Name] = field(default_factory=list)


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain lists and numbers."""
    branches = {
        "removed": [[name, dim, channels, [*map(list, windows)]] for name, dim, channels, windows in plan.removed],
        "dropped": list(plan.dropped),
    }
    return {
        "slices": [[name, dim, positions.tolist()] for name, dim, positions in plan.slices],
        "attributes": [list(item) for item in plan.attributes],
        "indexes": [[name, values.tolist()] for name, values in plan.indexes],
        **(branches if plan.removed or plan.dropped else {}),  # earlier versions read all other plans
    }


def plan_from_dict(data: Mapping[str, Any]) -> Plan:
    """Rebuild a plan from what `plan_to_dict` returned.

    Raises:
        SchemaError: the data are not a plan.
    """
    return plan_of(StoredPlan.from_dict(data))


def plan_of(stored: StoredPlan) -> Plan:
    """The plan that was stored; raises SchemaError where its positions do not rise."""
    return Plan(
        tuple((name, dim, _rising(name, positions)) for name, dim, positions in stored.slices),
        tuple(stored.attributes),
        tuple((name, np.array(values, dtype=np.int32)) for name, values in stored.indexes),
        tuple(map(_with_dim, stored.removed)),
        tuple(stored.dropped),
    )


def _with_dim(removed: tuple[str, int, int, tuple[tuple[int, int], ...]]) -> tuple[str, int, int, Any]:
    """A module that leaves, whose channels lie along a dim that its result has."""
    module, dim, _, windows = removed
    if dim >= len(windows):
        raise SchemaError(f"the zeros in the place of {module} have {len(windows)} dims, and channels along dim {dim}")
    return removed


def compose(first: Plan, second: Plan) -> Plan:
    """One plan that does what two plans do one after the other.

    Args:
        second: a plan for the network that `first` leaves.
    """
    leaving = Leaving(second)
    kept = {(name, dim): positions for name, dim, positions in first.slices if name not in leaving}
    for name, dim, positions in second.slices:
        before = kept.get((name, dim))
        kept[name, dim] = positions if before is None else before[positions]
    attributes = {
        (module, name, place): value
        for module, name, place, value in (*first.attributes, *second.attributes)
        if module not in leaving
    }
    indexes = {**dict(first.indexes), **dict(second.indexes)}
    return Plan(
        tuple((name, dim, positions) for (name, dim), positions in sorted(kept.items(), key=lambda item: item[0][1])),
        tuple((module, name, place, value) for (module, name, place), value in attributes.items()),
        tuple((name, entries) for name, entries in indexes.items() if name not in leaving),
        (*(x for x in first.removed if x[0] not in leaving), *second.removed),
        (*first.dropped, *second.dropped),
    )


class Leaving:
    """Whether a name is that of a module, parameter or buffer that a plan removes."""

    def __init__(self, plan: Plan) -> None:
        self._names = {*(module for module, *_ in plan.removed), *plan.dropped}

    def __contains__(self, name: str) -> bool:
        parts = name.split(".")
        return any(".".join(parts[:n]) in self._names for n in range(1, len(parts) + 1))


def _rising(name: str, positions: list[int]) -> IntArray:
    """Positions that stay, int32[kept], each once and in order: a slice can then not be larger than the parameter."""
    rising = np.array(positions, dtype=np.int32)
    if not len(rising) or rising[0] < 0 or (np.diff(rising) <= 0).any():
        raise SchemaError(f"the positions of {name} do not rise")
    return rising
