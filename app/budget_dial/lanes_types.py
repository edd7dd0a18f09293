"""The map of lanes on the page Structure as the browser is sent it; `frontend/types.d.ts` declares the same fields."""

from typing import TypedDict

from app.budget_dial.types import ChartStyle, LanesData


class LanesPageData(TypedDict):
    """The lanes of a network, and how many filters a pruned one keeps; L layers that can lose some."""

    layers: list[str]  # [L], names
    totals: list[int]  # [L], filters of the original
    kept: list[int]  # [L]
    lanes: LanesData
    layer: str  # whose card was opened last; "": none
    style: ChartStyle
