"""Plans of surgery as plain data, and two of them as one.

A plan may be read from a file of any origin, so one that surgery cannot have written is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from legr.record import Record
from legr.schema import MEGABYTE, Name, SchemaError
from legr.structure.types import IntArray, Plan

LARGEST_PLAN = 64 * MEGABYTE  # as JSON
_ATTRIBUTES = (
    *("in_channels", "out_channels", "groups", "in_features", "out_features", "num_features"),
    *("num_channels", "num_groups", "num_parameters", "normalized_shape"),
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


@dataclass(frozen=True)
class StoredPlan(Record):
    """A plan as plain lists and numbers."""

    slices: list[tuple[Name, _Dim, list[_Index]]]
    attributes: list[_Attribute]
    indexes: list[tuple[Name, list[_Index]]]


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain lists and numbers."""
    return {
        "slices": [[name, dim, positions.tolist()] for name, dim, positions in plan.slices],
        "attributes": [list(item) for item in plan.attributes],
        "indexes": [[name, values.tolist()] for name, values in plan.indexes],
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
    )


def compose(first: Plan, second: Plan) -> Plan:
    """One plan that does what two plans do one after the other.

    Args:
        second: a plan for the network that `first` leaves.
    """
    kept = {(name, dim): positions for name, dim, positions in first.slices}
    for name, dim, positions in second.slices:
        before = kept.get((name, dim))
        kept[name, dim] = positions if before is None else before[positions]
    attributes = {
        (module, name, place): value for module, name, place, value in (*first.attributes, *second.attributes)
    }
    return Plan(
        tuple((name, dim, positions) for (name, dim), positions in sorted(kept.items(), key=lambda item: item[0][1])),
        tuple((module, name, place, value) for (module, name, place), value in attributes.items()),
        tuple({**dict(first.indexes), **dict(second.indexes)}.items()),
    )


def _rising(name: str, positions: list[int]) -> IntArray:
    """Positions that stay, int32[kept], each once and in order: a slice can then not be larger than the parameter."""
    rising = np.array(positions, dtype=np.int32)
    if not len(rising) or rising[0] < 0 or (np.diff(rising) <= 0).any():
        raise SchemaError(f"the positions of {name} do not rise")
    return rising
