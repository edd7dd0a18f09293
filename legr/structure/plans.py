"""Plans of surgery as plain data, and two of them as one.

A plan may be read from a file of any origin, so one that surgery cannot have written is refused.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from legr.structure.types import IntArray, Plan

_ATTRIBUTES = (
    *("in_channels", "out_channels", "groups", "in_features", "out_features", "num_features"),
    *("num_channels", "num_groups", "num_parameters", "normalized_shape"),
)


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
        KeyError, TypeError, ValueError, OverflowError: the data is not a plan.
    """
    attributes = tuple(
        (str(module), str(name), next((int(p) for p in place if p is not None), None), int(value))
        for module, name, *place, value in data["attributes"]  # format 1 of a recipe had no place
    )
    unknown = {name for _, name, _, _ in attributes} - set(_ATTRIBUTES)
    if unknown:
        raise ValueError(f"unknown attributes {sorted(unknown)}")
    return Plan(
        tuple((str(name), int(dim), _rising(name, positions)) for name, dim, positions in data["slices"]),
        attributes,
        tuple((str(name), np.array(values, dtype=np.int32)) for name, values in data["indexes"]),
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


def _rising(name: str, positions: Any) -> IntArray:
    """Positions that stay, int32[kept], each once and in order: a slice can then not be larger than the parameter."""
    rising = np.array(positions, dtype=np.int32)
    if rising.ndim != 1 or not len(rising) or rising[0] < 0 or (np.diff(rising) <= 0).any():
        raise ValueError(f"the positions of {name} do not rise")
    return rising
