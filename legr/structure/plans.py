"""Plans of surgery as plain data, and two of them as one.

It does not know models; numpy only. A plan may come from anywhere: what no surgery would have written is refused.
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
    """Rebuild a plan from `plan_to_dict`'s result.

    Raises:
        KeyError, TypeError, ValueError, OverflowError: it is none.
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
    """One plan that does what two do in turn.

    Args:
        second: made for the network that `first` leaves.
    """
    rows = {(name, dim): positions for name, dim, positions in first.slices}
    for name, dim, positions in second.slices:
        before = rows.get((name, dim))
        rows[name, dim] = positions if before is None else before[positions]
    attributes = {
        (module, name, place): value for module, name, place, value in (*first.attributes, *second.attributes)
    }
    return Plan(
        tuple((name, dim, positions) for (name, dim), positions in sorted(rows.items(), key=lambda item: item[0][1])),
        tuple((module, name, place, value) for (module, name, place), value in attributes.items()),
        tuple({**dict(first.indexes), **dict(second.indexes)}.items()),
    )


def _rising(name: str, positions: Any) -> IntArray:
    """Positions that stay, each once and in order: so a slice never grows."""
    found = np.array(positions, dtype=np.int32)
    if found.ndim != 1 or not len(found) or found[0] < 0 or (np.diff(found) <= 0).any():
        raise ValueError(f"the positions of {name} do not rise")
    return found
