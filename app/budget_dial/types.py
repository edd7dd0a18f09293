"""The data that Python and the browser exchange; `frontend/types.d.ts` declares the same fields for the scripts.

Dimensions: S budgets of the slider, from the smallest network to the largest; L layers whose filters can be ranked; C
columns of the lane map, one for every layer.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

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


class NetworkFigures(TypedDict):
    """Costs and accuracies of one network."""

    macs: int
    params: int
    latency: float | None  # milliseconds
    before: float | None  # top-1 before fine-tuning, in [0, 1]
    after: float | None


class FrontierPoints(TypedDict):
    """Every measured point, see `legr.charts.frontier.frontier_points`; P points."""

    network: list[int]  # int64[P]
    top1: list[float]  # float64[P], per cent
    told: list[str]  # str[P], what the pointer shows, line by line; the first is its name


class FrontierNetworks(TypedDict):
    """The networks of the points; N networks."""

    ranking: list[str]  # str[N]
    percent: list[float]  # float64[N], of the original's MACs
    macs: list[float]  # float64[N], millions
    params: list[float]  # float64[N], thousands
    latency: list[float | None]  # float64[N], milliseconds
    latency_measured: list[int]  # int64[N]; 0: read between two measured networks
    before: list[float | None]  # float64[N], top-1 as cut, per cent
    after: list[float | None]  # float64[N], trained
    opens: list[str]  # str[N], the ranking in which a click opens it; "": none
    run: list[str]  # str[N], key of the fine-tuning run that a click opens instead; "": none


class FrontierLine(TypedDict):
    """See `legr.charts.frontier_lines.Line`."""

    name: str
    kind: str
    ranking: str
    rows: list[int]
    look: dict[str, Any]  # Plotly's


class FrontierRanges(TypedDict):
    """See `legr.charts.frontier_lines.Ranges`."""

    x: dict[str, tuple[float, float]]
    y: tuple[float, float]
    error: tuple[float, float]
    ticks: list[float]


class FrontierData(TypedDict):
    """The frontier: its points with all their costs, and how they are drawn."""

    points: FrontierPoints
    networks: FrontierNetworks
    lines: list[FrontierLine]
    rankings: list[tuple[str, str]]  # value and caption of each that has a line
    axes: list[tuple[str, str]]  # costs that accuracy can be drawn over
    titles: dict[str, str]  # of the axes
    fit: FrontierRanges  # the networks that one would take
    whole: FrontierRanges
    devices: list[str]  # names of the conditions under which networks were timed


class ChartStyle(TypedDict):
    """The look of the charts, which the scripts take from `legr.charts.style`."""

    colours: Mapping[str, str]
    layout: dict[str, Any]  # Plotly's, what all charts share
    config: dict[str, Any]  # Plotly's
    ink: str  # of a saved picture
    paper: str


class DialCharts(TypedDict):
    """The charts below the slider."""

    lenses: list[tuple[str, str]]  # value and caption of each
    lens: Lens
    axis: str  # the cost that accuracy is drawn over
    device: str  # the conditions whose latencies are shown; "": there is no latency
    add_device: list[tuple[str, str]]  # how one measures on another machine, step by step: words, and what to copy
    frontier: FrontierData | None  # None: nothing was measured
    nothing_measured: str  # what is said then
    style: ChartStyle


class StudyData(TypedDict):
    """What the dial shows of a study as long as nothing is written to the study."""

    study: str
    ranking: str
    table: DialTable
    original: NetworkFigures
    note: str  # where latency and accuracy come from
    remedy: str  # what to do where a budget is out of reach
    charts: DialCharts | None  # None: the slider stands alone


class OpenedNetwork(TypedDict):
    """The network of a fine-tuning run, shown in place of the slider's until the slider moves."""

    run: str  # key of the run
    table: DialTable  # with one row
    note: str  # how it relates to the order of today, and where its figures come from


class DialData(StudyData):
    """All that the dial is given."""

    opened: OpenedNetwork | None
    id: str  # of the table
    jumps: int  # with another number the slider goes to the start of the table
    compared: float | None  # per cent of the original's MACs; None: compared with the original
    by: QuantityName  # in which the budget is given


class OpenNetwork(TypedDict):
    """A measured network that the user clicked."""

    percent: float  # of the original's MACs
    ranking: str


class ViewChange(TypedDict):
    """What the dial reports: the budget, and each choice that Python has not confirmed yet."""

    budget: float  # per cent of the original's MACs
    compared: NotRequired[float | None]
    by: NotRequired[str]
    lens: NotRequired[str]
    axis: NotRequired[str]
    device: NotRequired[str]
    page: NotRequired[str]  # to go to, with the network of `open`
    run: NotRequired[str | None]  # key of the fine-tuning run whose network is shown; None: the slider's
    open: NotRequired[OpenNetwork]
