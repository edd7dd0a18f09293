"""The lines of the frontier, and the part of it that a chart shows: what the figure and the browser both draw."""

import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from legr.charts.frontier import AXES, EARLIER, PLAIN, SIZED, TOGETHER, Axis
from legr.charts.style import CAPTIONS, COLOURS, SYMBOLS
from legr.study.records import RANKINGS

TRAINED, AS_CUT, TRAINED_TOGETHER = "trained", "as cut", "trained together"  # kinds of lines
LEAST_ERROR = 0.01  # per cent; a logarithmic axis has no zero
_ROOM, _ROOM_ABOVE = 0.06, 0.1  # of a range, around what it must hold; labels stand above
_DIGITS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)  # of ticks
_ABOVE_GROUND = 0.15  # of the vertical axis
_TICK_APART = 0.07  # of the axis


@dataclass(frozen=True)
class Line:
    """Points that are drawn as one.

    Attributes:
        kind: `TRAINED`, `AS_CUT`, `TRAINED_TOGETHER`, a size such as "24 px", or "" for points that no label names.
        ranking: the ranking that it is of, shown where that is; "": always shown.
        rows: of the table of points, in the order of rising MACs.
        look: for Plotly.
    """

    name: str
    kind: str
    ranking: str
    rows: list[int]
    look: dict[str, Any] = field(repr=False)


def frontier_lines(points: pd.DataFrame) -> list[Line]:
    """The lines of each ranking, trained, together and as cut; then the rest: whatever is drawn first lies below.

    Args:
        points: as `frontier_points` gives them.
    """
    lines = [line for ranking in reversed(RANKINGS) for line in _of_ranking(points, ranking)]
    ring = {"symbol": "diamond-open", "color": COLOURS[EARLIER], "size": 10, "line": {"width": 2}}
    star = {"symbol": "star", "color": COLOURS["original"], "size": 14}
    lines += [
        Line(CAPTIONS[EARLIER], "", "", _rows(points, EARLIER), {"mode": "markers", "marker": ring}),
        Line(CAPTIONS["original"], "original", "", _rows(points, "original"), {"mode": "markers", "marker": star}),
    ]
    return [line for line in lines if line.rows]


def _of_ranking(points: pd.DataFrame, ranking: str) -> list[Line]:
    """The lines of a ranking: shape and colour of its marks say which it is, filled marks that networks are trained.

    Networks that were trained together have hollow marks as well, large ones on a solid line: they are not the
    separate networks that each had a training of its own.
    """
    caption, colour, symbol = CAPTIONS[ranking], COLOURS[ranking], SYMBOLS[ranking]
    original = _rows(points, "original")
    hollow = {"symbol": f"{symbol}-open", "color": colour, "size": 6, "line": {"width": 1.5}}
    joined = {"mode": "lines+markers"}
    plain = {**joined, "line": {"color": colour, "width": 1, "dash": "dash"}, "marker": {**hollow, "size": 4}}
    as_cut = {**joined, "line": {"color": colour, "width": 1.25, "dash": "dot"}, "marker": hollow}
    together = {**joined, "line": {"color": colour, "width": 1.5}, "marker": {**hollow, "size": 9}}
    shared = [row for row in _rows(points, TOGETHER) if points.at[row, "ranking"] == ranking]
    marker = {"symbol": symbol, "color": colour, "size": 9}
    tuned = [row for row in _rows(points, "finetuned") if points.at[row, "ranking"] == ranking]
    best = [row for row in tuned if points.at[row, "best"] and points.at[row, "percent"] < 100]
    own = _rows(points, ranking)
    return [
        Line(f"{caption}, without constraints", "", ranking, _rows(points, f"{PLAIN}{ranking}"), plain),
        Line(f"{caption}, {AS_CUT}", AS_CUT, ranking, own and own + original, as_cut),
        Line(
            f"{caption}, trained again", "", ranking, [row for row in tuned if row not in best],
            {"mode": "markers", "marker": {**hollow, "size": 9}},
        ),
        *_of_sizes(points, ranking),
        Line(f"{caption}, {TRAINED_TOGETHER}", TRAINED_TOGETHER, ranking, shared, together),
        Line(
            f"{caption}, {TRAINED}", TRAINED, ranking, best,
            {**joined, "line": {"color": colour, "width": 2.5}, "marker": marker},
        ),
    ]  # fmt: skip


def _of_sizes(points: pd.DataFrame, ranking: str) -> list[Line]:
    """A thin line of a ranking for each height of images, solid where the networks were trained together."""
    caption, colour, symbol = CAPTIONS[ranking], COLOURS[ranking], f"{SYMBOLS[ranking]}-open"
    own = points[(points["series"] == SIZED) & (points["ranking"] == ranking)]
    return [
        Line(
            f"{caption}, {TRAINED_TOGETHER if shared else AS_CUT}, {height} px", f"{height} px", ranking,
            [int(row) for row in rows.index],
            {
                "mode": "lines+markers",
                "opacity": 0.6,
                "line": {"color": colour, "width": 1, "dash": "solid" if shared else "dot"},
                "marker": {"symbol": symbol, "color": colour, "size": 5, "line": {"width": 1}},
            },
        )
        for (height, shared), rows in own.groupby(["height", "shared"])
    ]  # fmt: skip


def _rows(points: pd.DataFrame, series: str) -> list[int]:
    return [int(row) for row in points.index[points["series"] == series]]


@dataclass(frozen=True)
class Ranges:
    """What part of the frontier a chart shows.

    Attributes:
        x: of each axis that a point has a value on.
        y: top-1 accuracy, per cent.
        error: the same as logarithms (base 10) of the error in per cent; its first end is at the bottom.
        ticks: errors in per cent at which such an axis has a tick.
    """

    x: dict[Axis, tuple[float, float]]
    y: tuple[float, float]
    error: tuple[float, float]
    ticks: list[float]


def ranges(points: pd.DataFrame, ranking: str, *, whole: bool) -> Ranges:
    """The part that a chart shows; it does not depend on the budget, so the chart does not move.

    Args:
        whole: all points; else networks of a ranking that one would take: from its worst trained one to the original,
            and where none is trained the upper half of what was measured.
    """
    own = points if whole else points[(points["ranking"] == ranking) | (points["series"] == "original")]
    own = own if whole else own[own["series"] != EARLIER]
    own = own if len(own) > 1 else points  # nothing was measured of this ranking as it is today
    low, high = float(own["top1_percent"].min()), float(own["top1_percent"].max())
    if not whole:
        trained = own.loc[own["series"].isin(["finetuned", TOGETHER]), "top1_percent"]
        low = float(trained.min()) if len(trained) else (low + high) / 2
    own = own[own["top1_percent"] >= low]
    bottom, top = _around(low, high, above=_ROOM_ABOVE)
    error = max(LEAST_ERROR, 100 - high), max(LEAST_ERROR, 100 - low)
    most, least = (-end for end in _around(-math.log10(error[1]), -math.log10(error[0]), above=_ROOM_ABOVE))
    return Ranges(
        x={axis: _around(own[axis].min(), own[axis].max()) for axis in AXES if own[axis].notna().any()},
        y=(bottom, top),
        error=(most, least),
        ticks=_error_ticks(least, most),
    )


def _error_ticks(least: float, most: float) -> list[float]:
    """Round errors on a logarithmic axis between two exponents, none too near the one before."""
    decades = range(math.floor(least), math.ceil(most) + 1)
    ticks: list[float] = []
    for error in (round(digit * 10**decade, 6) for decade in decades for digit in _DIGITS):
        is_apart = not ticks or math.log10(error / ticks[-1]) >= _TICK_APART * (most - least)
        if least <= math.log10(error) <= most and error <= 100 and is_apart:
            ticks.append(error)
    return ticks


def _around(low: float, high: float, above: float = _ROOM) -> tuple[float, float]:
    length = high - low or abs(high) or 1.0
    return float(low - _ROOM * length), float(high + above * length)


def label_row(points: pd.DataFrame, line: Line, axis: Axis, shown: Ranges) -> int | None:
    """The point beside which the label of a line stands: the cheapest of its own that is shown.

    Lines of networks as they were cut all end at the bottom, so their labels stand where the lines leave it.
    """
    (left, right), (bottom, top) = shown.x[axis], shown.y
    own = [row for row in line.rows if len(line.rows) == 1 or points.at[row, "series"] != "original"]
    inside = [row for row in own if left <= points.at[row, axis] <= right]
    inside = [row for row in inside if bottom <= points.at[row, "top1_percent"] <= top]
    least = bottom + _ABOVE_GROUND * (top - bottom) if line.kind == AS_CUT else bottom
    apart = [row for row in inside if points.at[row, "top1_percent"] >= least]
    return next(iter(apart or inside), None)


def networks_of(points: pd.DataFrame) -> tuple[pd.DataFrame, list[int]]:
    """The networks of the points: one is one kept set in one ranking and for images of one height, as cut and trained.

    Returns:
        Columns ranking, percent, macs, params, latency, latency_measured, opens, run, height as `frontier_points` has
        them, and before, together, after (top-1 in per cent as cut, trained together with all budgets, and fine-tuned;
        NaN where there is none); then the network of each point.
    """
    names = [
        (kind, keep or macs, height)
        for kind, keep, macs, height in zip(
            points["opens"] + "/" + points["run"] + "/" + points["ranking"],
            points["keep"],
            points["macs"],
            points["height"],
            strict=True,
        )
    ]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    network = [numbers[name] for name in names]
    is_trained, is_shared = points["series"].isin(["finetuned", EARLIER]), points["shared"]
    table = points.assign(
        network=network,
        before=points["top1_percent"].where(~is_trained & ~is_shared),
        together=points["top1_percent"].where(is_shared),
        after=points["top1_percent"].where(is_trained & points["best"]),
    )
    columns = ["ranking", "percent", "macs", "params", "latency", "latency_measured", "opens", "run", "height"]
    return table.groupby("network")[[*columns, "before", "together", "after"]].last().reset_index(drop=True), network
