"""The table behind the budget dial: every network that the slider can reach, so that a drag needs no server.

Costs are counted. Latency and accuracy are measured, or lie between two measured networks, or are left out: nothing is
estimated from MACs. Where the device has a profile, every network has a predicted latency, beside what was measured.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.budget_dial.sizes import layer_sizes, run_lengths
from app.budget_dial.times import predicted_times
from app.budget_dial.types import TableData
from legr.charts.measurements import ORIGINAL, Measurements, Reading, percent_of
from legr.charts.trained import ReadingAt, known_on, together_off, together_top1, trained_top1
from legr.ranking.budget import BudgetCurve, CurveTable, table_of
from legr.structure.latency import LatencyTable
from legr.structure.types import Keep, Structure
from legr.study.records import FineTuned, RankingName

STOP_PERCENT = 0.25  # of the original's MACs, between two stops of the slider


def budget_stops(curve: BudgetCurve, fractions: Sequence[float], start: float) -> dict[int, float]:
    """Find the budgets at which the slider stops, from the smallest network to the largest.

    Each stop is another network. Of several budgets that lead to the same one, the largest names it; the start keeps
    its own number, so that a budget is shown as the user typed it.

    Args:
        fractions: of the original's MACs; further stops, such as the measured networks.
        start: per cent of the original's MACs; where the slider begins.

    Returns:
        The step of the curve and the budget (per cent of the original's MACs) of each stop.
    """
    floor = percent_of(curve.floor)
    grid = np.arange(math.ceil(floor / STOP_PERCENT), 100 / STOP_PERCENT + 1) * STOP_PERCENT
    percents = [floor, *grid.tolist(), *map(percent_of, fractions), start]
    rising = sorted({min(100.0, max(floor, percent)) for percent in percents})
    stops = {curve.step(macs=percent / 100): percent for percent in rising}
    stops[curve.step(macs=start / 100)] = start
    return dict(sorted(stops.items(), reverse=True))


def dial_table(
    curve: BudgetCurve,
    ranking: RankingName,
    measured: Measurements,
    *,
    start: float,
    compared: float | None = None,
    expected: bool = True,
    device: LatencyTable | None = None,
    by_layer: bool = False,
) -> TableData:
    """Tabulate what the browser needs to follow the slider.

    Args:
        expected: say what networks that have no trained weights would reach if they had, where that is known.
        start: fraction of the original's MACs at which the slider begins.
        compared: per cent of the original's MACs; a budget to compare with, which becomes a stop.
        device: predicts what every network takes; None leaves it out.
        by_layer: predict the layers too.
    """
    if curve.macs[0] < curve.original.macs:  # pinned layers keep the original off the curve: no line leads to it
        measured = replace(measured, points=[point for point in measured.points if point.ranking != ORIGINAL])
    known = known_on(curve, measured)
    fractions = [p.macs / curve.original.macs for p in measured.line(ranking)]
    fractions += [network.macs_fraction for network in known.values()]
    supernet = measured.supernets.get(ranking)
    fractions += [point.macs_fraction for point in supernet.points] if supernet else []
    fractions += [] if compared is None else [compared / 100]
    start = within_table(curve, start)
    stops = budget_stops(curve, fractions, start)
    networks = curve.table([percent / 100 for percent in stops.values()])
    macs = [int(n) for n in networks.macs]

    def name_of(n: int) -> str:
        return known[n].keep_id if n in known else ""

    latency = FigureColumn.read(macs, lambda n: measured.latency_ms(ranking, n, name_of(n)))
    before = FigureColumn.read(macs, lambda n: measured.top1(ranking, n, name_of(n)))
    together = together_top1(curve, supernet)
    trained = trained_top1(known, lambda n: measured.top1(ranking, n, name_of(n)), together, supernet)
    after = FigureColumn.read(macs, trained if expected else _with_weights(trained))
    table = table_of_networks(
        curve.structure, networks, list(stops.values()), Figures(latency, before, after), measured
    )
    if device:
        table["predicted"] = predicted_times(curve.structure, networks, device, by_layer=by_layer)
    if off := together_off(curve, supernet):
        table["together_off"] = {"networks": off.networks, "most": round(off.most, 5)}
    table["start"] = list(stops).index(curve.step(macs=start / 100))
    return table


def within_table(curve: BudgetCurve, fraction: float) -> float:
    """A fraction of the original's MACs as the slider can begin at it, per cent."""
    return max(percent_of(curve.floor), min(100.0, percent_of(fraction)))


def _with_weights(read: ReadingAt) -> ReadingAt:
    """Leave out networks that nobody has trained; a supernet has trained those between its points too."""

    def known(macs: int) -> Reading | None:
        reading = read(macs)
        return reading if reading and (reading.measured or reading.together) else None

    return known


def opened_table(
    structure: Structure,
    keep: Keep,
    run: FineTuned,
    measured: Measurements,
    *,
    device: LatencyTable | None = None,
    by_layer: bool = False,
) -> TableData:
    """The network of a fine-tuning run as a table with one row, with the figures of exactly this network.

    Args:
        keep: its kept set.
        device, by_layer: as for `dial_table`.
    """
    networks, known = table_of(structure, keep), measured.known[run.keep_id]
    before = None if known.top1_before is None else Reading(known.top1_before, True)
    columns: list[list[Reading | None]] = [
        [measured.latency_of_network(run.keep_id)],
        [before],
        [Reading(run.top1, True)],
    ]
    percent = [percent_of(float(networks.budgets[0]))]
    table = table_of_networks(structure, networks, percent, Figures(*map(FigureColumn.of, columns)), measured)
    if device:
        table["predicted"] = predicted_times(structure, networks, device, by_layer=by_layer)
    return table


def table_of_networks(
    structure: Structure, networks: CurveTable, percent: list[float], figures: "Figures", measured: Measurements
) -> TableData:
    """Networks as a dial's table, which begins at the first of them."""
    by_layer = layer_sizes(structure, networks)
    return {
        "percent": percent,
        "macs": networks.macs.tolist(),
        "own_macs": None,
        "params": networks.params.tolist(),
        "latency": figures.latency.values,
        "latency_measured": figures.latency.measured,
        "predicted": None,
        "before": figures.before.values,
        "before_measured": figures.before.measured,
        "after": figures.after.values,
        "after_measured": figures.after.measured,
        "after_together": figures.after.together,
        "together_off": None,
        "layers": by_layer.layers,
        "axis_totals": by_layer.totals,
        "axis_sizes": [run_lengths(sizes) for sizes in by_layer.sizes.tolist()],
        "batch": measured.conditions.batch if measured.conditions else 1,
        "start": 0,
    }


def is_row(table: TableData, curve: BudgetCurve, percent: float) -> bool:
    """Whether the network that a budget leads to is a row of the table.

    Args:
        percent: of the original's MACs; below the floor it means the floor.
    """
    step = curve.step(macs=max(percent / 100, curve.floor))
    return int(curve.macs[step]) in (table["own_macs"] or table["macs"])


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """One figure of every network of the table, as the table holds it."""

    values: list[float | None]  # [S]
    measured: list[int]  # rows
    together: list[int]  # rows

    @classmethod
    def read(cls, macs: Sequence[int], read: Callable[[int], Reading | None]) -> "FigureColumn":
        """Read a figure at the MACs of every network."""
        return cls.of([read(n) for n in macs])

    @classmethod
    def of(cls, readings: Sequence[Reading | None]) -> "FigureColumn":
        """Take the readings of every network."""
        return cls(
            values=[None if reading is None else round(reading.value, 5) for reading in readings],
            measured=[row for row, reading in enumerate(readings) if reading is not None and reading.measured],
            together=[row for row, reading in enumerate(readings) if reading is not None and reading.together],
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of every network."""

    latency: FigureColumn
    before: FigureColumn
    after: FigureColumn
