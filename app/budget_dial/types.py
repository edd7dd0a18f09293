"""The data that Python and the browser exchange; `frontend/types.d.ts` declares the same fields for the scripts.

Dimensions: S budgets of the slider, from the smallest network to the largest; L layers whose filters can be ranked; C
columns of the lane map, one for every layer.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, get_args

from legr.study.records import RankingName

Lens = Literal["filters", "percent", "macs", "params", "time", "together"]
QuantityName = Literal["macs", "params", "size", "latency", "fps", "top1"]
#: budget: per cent of the original's MACs; compared: the same, or None; by, ranking, ask, lens, axis, device: names;
#: whole, error: on or off; others: rankings; run: key of the run whose network is shown, None for the slider's;
#: open: an `OpenNetwork`; page: to go to with it; multiple: of filters, that the study is to have from now on;
#: size: height of the images, pixels; layer: name of the one whose card is open, "" for none;
#: pin: a layer is to keep exactly so many filters.
ChoiceName = Literal[
    "budget",
    "compared",
    "by",
    "ranking",
    "ask",
    "lens",
    "axis",
    "whole",
    "error",
    "others",
    "device",
    "run",
    "open",
    "page",
    "multiple",
    "size",
    "layer",
    "pin",
]
LENSES: tuple[Lens, ...] = get_args(Lens)
QUANTITIES: tuple[QuantityName, ...] = get_args(QuantityName)


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


class LayerData(TypedDict):
    """A layer whose filters can be ranked. A cost is a number, followed by the axes whose sizes it is multiplied by."""

    name: str
    filters: int  # the axis whose size says how many filters are kept
    params: list[int]  # of its weight
    macs: list[list[int]]  # their sum


class PredictedData(TypedDict):
    """What networks take on the device that is shown, predicted by its profile; see `app.budget_dial.times`."""

    latency: list[float]  # float64[S], milliseconds
    layers: list[list[int]]  # [L], a time as `value_runs` tells it; [] where nothing shows layers
    unit: list[float]  # float64[S], milliseconds that such a time is in
    original: list[float]  # float64[L], milliseconds of the original's layers


class RoundingData(TypedDict):
    """What the same ranking takes in multiples of filters, at the budgets of the table."""

    multiple: int
    latency: list[float | None]  # float64[S], milliseconds, predicted; None: below its floor
    macs: list[int | None]  # int64[S]


class TogetherOff(TypedDict):
    """How far networks between the measured ones that were trained together lie from what is read there."""

    networks: int  # that were measured to know it
    most: float  # top-1 in [0, 1]


class TableData(TypedDict):
    """Every network that the slider can reach, one row a budget.

    Latency and accuracy are measured, or lie between two measured networks, or are None. The lists called `_measured`
    hold the rows whose value was measured at this very network.
    """

    percent: list[float]  # float64[S], the budget, per cent of the original's MACs
    macs: list[int]  # int64[S]
    own_macs: list[int] | None  # int64[S], with images of the study's own height; None: those are shown
    params: list[int]  # int64[S]
    latency: list[float | None]  # float64[S], milliseconds; with predictions only what was measured
    latency_measured: list[int]
    predicted: PredictedData | None  # None: the device has no profile
    before: list[float | None]  # float64[S], top-1 before fine-tuning, in [0, 1]
    before_measured: list[int]
    after: list[float | None]  # float64[S], top-1 with trained weights, in [0, 1]
    after_measured: list[int]
    after_together: list[int]  # rows whose `after` is of weights that were trained together with those of all budgets
    together_off: TogetherOff | None  # None: not known, or nothing was trained together
    layers: list[LayerData]  # [L]
    axis_totals: list[int]  # of every axis that layers have, its size in the original
    axis_sizes: list[list[int]]  # and in the networks, as `app.budget_dial.sizes.run_lengths` says it
    batch: int  # images of one timed forward pass
    start: int  # the row at which the slider begins


class NetworkFigures(TypedDict):
    """Costs and accuracies of one network."""

    macs: int
    params: int
    latency: float | None  # milliseconds
    predicted: float | None  # milliseconds
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
    latency_measured: list[int]  # int64[N]; 0: predicted, or read between two measured networks
    before: list[float | None]  # float64[N], top-1 as cut, per cent
    together: list[float | None]  # float64[N], trained together with all budgets
    after: list[float | None]  # float64[N], fine-tuned
    opens: list[str]  # str[N], the ranking in which a click opens it; "": none
    run: list[str]  # str[N], key of the fine-tuning run that a click opens instead; "": none
    height: list[int]  # int64[N], of the images, pixels


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


class ChartStyle(TypedDict):
    """The look of the charts, which the scripts take from `legr.charts.style`."""

    colours: Mapping[str, str]
    layout: dict[str, Any]  # Plotly's, what all charts share
    config: dict[str, Any]  # Plotly's
    ink: str  # of a saved picture
    paper: str


class DialCharts(TypedDict):
    """The charts below the slider."""

    device: str  # the conditions whose latencies are shown; "": there is no latency
    devices: list[str]  # names of all conditions under which networks were timed, or that have a profile
    roundings: list[RoundingData]  # that would gain time
    elsewhere: bool  # they are of another machine than the one that serves the pages
    add_device: list[tuple[str, str]]  # how one measures on another machine, step by step: words, and what to copy
    frontier: FrontierData | None  # None: nothing was measured
    nothing_measured: str  # what is said then
    lanes: LanesData
    style: ChartStyle


class StudyData(TypedDict):
    """What the dial shows of a study as long as nothing is written to the study."""

    study: str
    title: str  # of the study, as a person would say it
    facts: list[str]  # of the study, one line each
    ranking: str
    table: TableData
    original: NetworkFigures
    note: str  # where latency and accuracy come from
    remedy: str  # what to do where a budget is out of reach
    charts: DialCharts | None  # None: the slider stands alone


class OpenedData(TypedDict):
    """The network of a fine-tuning run, shown in place of the slider's until the slider moves."""

    run: str  # key of the run
    table: TableData  # with one row
    note: str  # how it relates to the order of today, and where its figures come from


class DialView(TypedDict):
    """What the user chose, as it was when something else than the dial last changed it.

    Since then the dial knows better: it answers a choice itself, and only tells Python of it.
    """

    jumps: int  # with another number the dial takes over all of it, and its slider goes to the start of the table
    heard: int  # number of the last report that Python had heard by then; what a later one said first counts more
    compared: float | None  # per cent of the original's MACs; None: compared with the original
    by: QuantityName  # in which the budget is given
    lens: Lens  # what is shown of each layer
    axis: str  # the cost that accuracy is drawn over
    whole: bool  # the frontier shows the whole range, not only networks that one would take
    error: bool  # its accuracy stands on a logarithmic scale of the error
    others: list[RankingName]  # rankings that it shows beside the chosen one
    ask: str  # the question that is asked; "": none
    layer: str  # the layer whose card is open; "": none
    address: str  # what the address line says of it, and of all else; a browser's may have come to say something else


class DialData(StudyData):
    """All that the dial is given."""

    opened: OpenedData | None
    id: str  # of the table
    view: DialView
    rankings: list[tuple[str, str]]  # that can be chosen: value and caption of each; []: none can
    sizes: list[int]  # heights of images that can be chosen, pixels; the largest first
    size: int  # the chosen one


class OpenNetwork(TypedDict):
    """A measured network that the user clicked."""

    percent: float  # of the original's MACs
    ranking: str
    size: int  # height of its images, pixels


class Pin(TypedDict):
    """A layer that is to keep exactly so many filters at every budget."""

    layer: str
    filters: int


class Choice(TypedDict):
    """One thing that the user chose in the dial."""

    name: ChoiceName
    value: Any  # see `ChoiceName`
    number: int  # of the report that said it first


class ViewChange(TypedDict):
    """What the dial reports: every choice made since it took over a view, some of which may have been heard before."""

    number: int  # of the report; they rise
    choices: list[Choice]  # the latest of each name
