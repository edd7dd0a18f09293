"""Where networks came from, as the browser is sent it; `frontend/types.d.ts` declares the same fields."""

from typing import TypedDict


class LineageOrigin(TypedDict):
    """A box of the map: what a network came from, or a network itself."""

    key: str
    parent: int | None  # index of the box that it came from
    column: int
    row: float  # from the top
    title: str
    told: str  # further facts; "": none
    top1: float | None  # per cent
    shade: float | None  # place of `top1` between the lowest and the highest, in [0, 1]
    today: bool  # today's rankings lead there
    chosen: bool


class LineageData(TypedDict):
    """Where the networks of a study came from; a box stands before those that came from it."""

    columns: list[str]  # titles
    origins: list[LineageOrigin]
    rows: int
    lowest: float | None  # top-1, per cent; None: nothing was measured
    highest: float | None
