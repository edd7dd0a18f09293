"""The data that Python and the browser exchange; `frontend/types.d.ts` declares the same fields for the scripts.

Dimensions: S budgets of the slider, from the smallest network to the largest; L layers whose filters can be ranked; C
columns of the lane map, one for every layer.
"""

from typing import Literal, NotRequired, TypedDict

Lens = Literal["filters", "percent", "macs", "params", "together"]
QuantityName = Literal["macs", "params", "size", "latency", "fps"]


class LaneData(TypedDict):
    """See `app.budget_dial.lanes.Lane`."""

    row: int
    writers: tuple[int, ...]
    readers: tuple[int, ...]
    shortcuts: tuple[str, ...]
    fixed: bool


class LanesData(TypedDict):
    """See `app.budget_dial.lanes.LaneLayout`."""

    columns: tuple[str, ...]  # str[C]
    lanes: list[LaneData]
    n_rows: int


class DialTable(TypedDict):
    """Every network that the slider can reach, one row a budget.

    Latency and accuracy are measured, or lie between two measured networks, or are None. The lists called `_measured`
    hold 1 where the value was measured at this very network, else 0.
    """

    percent: list[float]  # float64[S], the budget, per cent of the original's MACs
    macs_percent: list[float]  # float64[S], what the network of that budget costs, per cent of the original's MACs
    macs: list[int]  # int64[S]
    params: list[int]  # int64[S]
    latency: list[float | None]  # float64[S], milliseconds
    latency_measured: list[int]  # int64[S]
    before: list[float | None]  # float64[S], top-1 before fine-tuning, in [0, 1]
    before_measured: list[int]  # int64[S]
    after: list[float | None]  # float64[S], top-1 after fine-tuning, in [0, 1]
    after_measured: list[int]  # int64[S]
    layers: list[str]  # str[L]
    totals: list[int]  # int64[L], filters of the original
    kept: list[list[int]]  # int64[S, L], filters
    macs_permille: list[list[int]]  # int64[S, L], the layer's part of this network's MACs
    batch: int  # images of one timed forward pass
    start: int  # the row at which the slider begins
    bars_title: str  # of the axis beside the bars
    bars: NotRequired[list[list[float]]]  # float64[S, L]; absent: the bars show `kept`
    bars_original: NotRequired[list[float]]  # float64[L], comes with `bars`
    lanes: NotRequired[LanesData]  # the lane map replaces the bars
