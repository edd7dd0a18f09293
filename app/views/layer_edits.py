"""What was typed into the table of layers: which cells are new, which were refused, and the constraints that follow.

The browser keeps every cell that was edited, for as long as the table has the same key; so the table keeps its
sorting, search and place while the constraints change by edits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from legr.ranking.constraints import Constraints

LAYER, PIN, EXCLUDED = "Layer", "Pin at", "Leave whole"
Rows = Mapping[int, Mapping[str, Any]]  # edited cells: values by column name, by row number
Cells = dict[tuple[int, str], Any]  # the same, by row and column


@dataclass(frozen=True)
class Refused:
    """Cells that stand in the table as they were typed, and are not in force."""

    cells: Cells = field(default_factory=dict)
    why: str = ""

    def still(self, rows: Rows) -> "Refused":
        """What of it is in the table still."""
        there = dict(_cells(rows))
        left = {place: value for place, value in self.cells.items() if place in there and there[place] == value}
        return replace(self, cells=left) if left else Refused()


def new_cells(info: pd.DataFrame, rows: Rows, refused: Refused) -> Cells:
    """Edited cells that say something else than the constraints, and were not refused before.

    Args:
        info: the table as it was drawn, by the constraints.
    """
    return {
        (row, column): value
        for (row, column), value in _cells(rows)
        if value != _value(info, row, column) and refused.cells.get((row, column), _NOTHING) != value
    }


def edited(constraints: Constraints, info: pd.DataFrame, cells: Cells) -> Constraints:
    """The constraints after an edit of the table; a layer has a pin or is left whole, whichever was set last.

    Raises:
        SettingsError: a pin is out of range.
    """
    pins, excluded = dict(constraints.pins), set(constraints.excluded)
    for (row, column), value in cells.items():
        name = str(info[LAYER].iloc[row])
        if column == PIN:
            pins.pop(name, None)
            if value is not None:
                pins[name] = int(value)
                excluded.discard(name)
        elif column == EXCLUDED:
            excluded.discard(name)
            if value:
                excluded.add(name)
                pins.pop(name, None)
    return replace(constraints, pins=pins, excluded=tuple(excluded))


def says(rows: Rows, info: pd.DataFrame, constraints: Constraints, refused: Refused) -> bool:
    """Whether the edited cells say what the constraints are, but for those that were refused."""

    def asked(row: int, column: str) -> Any:
        name = str(info[LAYER].iloc[row])
        return constraints.pins.get(name) if column == PIN else name in constraints.excluded

    return all(place in refused.cells or value == asked(*place) for place, value in _cells(rows))


def _cells(rows: Rows) -> Iterator[tuple[tuple[int, str], Any]]:
    return (((int(row), name), value) for row, changes in rows.items() for name, value in changes.items())


def _value(info: pd.DataFrame, row: int, column: str) -> Any:
    value = info[column].iloc[row]
    return None if value is pd.NA else value


_NOTHING = object()
