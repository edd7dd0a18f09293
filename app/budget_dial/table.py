"""What the budget dial shows: one table over all budgets of a ranking, so that a drag needs no server.

It does not know how the browser draws it. Costs are counted; latency and accuracy are measured, or read between two
measured networks, or left out: nothing is estimated from MACs.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np

from app.budget_dial.lanes import plan_lanes
from app.charts.measurements import ORIGINAL, Measurements, Reading, percent_of, reading
from legr.ranking.budget import BudgetCurve, CurveTable
from legr.structure.cost import dense_layer_macs
from legr.structure.types import Structure
from legr.study.records import FineTuned, RankingName
from legr.study.store import keep_id

Lens = Literal["filters", "percent", "macs", "params", "together"]
LENSES: dict[Lens, tuple[str, str]] = {  # caption of the switch, title of the axis
    "filters": ("Filters", "filters"),
    "percent": ("Per cent", "filters kept, %"),
    "macs": ("MACs", "million MACs"),
    "params": ("Parameters", "thousand parameters"),
    "together": ("Together", ""),  # no bars: the map of what goes together
}
FINEST = 0.25  # per cent of MACs between two budgets of the dial


def stops(curve: BudgetCurve, points: Sequence[float], here: float) -> dict[int, float]:
    """Budgets that the dial stops at, rising from the floor to the whole.

    Args:
        points: fractions of the MACs of networks that were measured or fine-tuned: each is a stop.
        here: where the dial stands, per cent.

    Returns:
        Per cent of the original's MACs, and the step of the curve that it leads to: each a different network.
    """
    low = percent_of(curve.floor)
    steps = np.arange(math.ceil(low / FINEST), 100 / FINEST + 1) * FINEST
    wanted = [low, *steps.tolist(), *map(percent_of, points), here]
    inside = sorted({min(100.0, max(low, percent)) for percent in wanted})
    by_step = {curve.step(macs=percent / 100): percent for percent in inside}  # of two alike, the larger budget
    by_step[curve.step(macs=here / 100)] = here  # but what was asked for stays as it was said
    return dict(sorted(by_step.items(), reverse=True))


def dial_table(
    curve: BudgetCurve,
    ranking: RankingName,
    measured: Measurements,
    runs: Sequence[FineTuned],
    *,
    here: float,
    held: float | None = None,
    lens: Lens = "filters",
) -> dict[str, Any]:
    """All that the browser needs to follow the dial, as plain data.

    Args:
        runs: finished fine-tuning runs of the study.
        here: fraction of MACs at which the dial begins.
        held: per cent of the MACs of another stop; None where there is none.

    Returns:
        Lists over S budgets from the floor to the whole: percent (the budget), cost (what its network takes), both of
        the MACs; macs, params; latency, before, after (each value or None, with a list of the same name and
        `_measured`); kept and share (per mille of the MACs) of every layer, S x L; where the lens is macs, params or
        percent: bars, S x L, and wholes, L; where it is together: lanes, a `LanePlan` with its n_rows. Beside them
        batch, images of a forward pass that was timed, and start, the place of `here`.
    """
    if curve.macs[0] < curve.dense.macs:  # pins keep the original off this path, so nothing is read on the way to it
        measured = Measurements([point for point in measured.points if point.ranking != ORIGINAL])
    points = [p.macs / curve.dense.macs for p in measured.line(ranking)] + [run.macs_fraction for run in runs]
    points += [] if held is None else [held / 100]
    here = max(percent_of(curve.floor), min(100.0, percent_of(here)))
    found = stops(curve, points, here)
    table = curve.table([percent / 100 for percent in found.values()])
    places = [int(macs) for macs in table.macs]

    def before(macs: int) -> Reading | None:
        return measured.top1(ranking, macs)

    return {
        "percent": list(found.values()),
        "cost": [100 * macs / curve.dense.macs for macs in places],
        "macs": places,
        "params": table.params.tolist(),
        **_readings("latency", places, lambda macs: measured.latency_ms(ranking, macs)),
        **_readings("before", places, before),
        **_readings("after", places, _after(curve, runs, before)),
        "layers": [layer.name for layer in curve.structure.layers],
        "totals": [layer.total for layer in curve.structure.layers],
        "kept": table.kept.tolist(),
        "share": (1000 * table.layer_macs / table.macs[:, None]).round().astype(int).tolist(),
        "batch": measured.conditions.batch if measured.conditions else 1,
        "title": LENSES[lens][1],
        **_bars(curve.structure, table, lens),
        "start": list(found).index(curve.step(macs=here / 100)),
    }


def _after(
    curve: BudgetCurve, runs: Sequence[FineTuned], before: Callable[[int], Reading | None]
) -> Callable[[int], Reading | None]:
    """Accuracy after fine-tuning: of a network's runs, the best on held-out images; else between two tuned ones."""
    best: dict[int, FineTuned] = {}
    for run in sorted(runs, key=lambda run: run.heldout_top1):
        step = curve.step(macs=max(curve.floor, min(1.0, percent_of(run.macs_fraction) / 100)))
        if keep_id(curve.keep(step)) == run.keep_id:  # on this ranking's path, as it is now
            best[int(curve.macs[step])] = run
    known = {macs: run.top1 for macs, run in best.items()}

    def read(macs: int) -> Reading | None:
        found, plain = reading(known, macs), before(macs)
        below = found and plain and not found.measured and found.value < plain.value
        return None if below else found  # runs of different lengths may lie so: that is no forecast

    return read


def _readings(name: str, places: Sequence[int], read: Callable[[int], Reading | None]) -> dict[str, list[Any]]:
    found = [read(macs) for macs in places]
    return {
        name: [None if reading is None else round(reading.value, 5) for reading in found],
        f"{name}_measured": [int(reading is not None and reading.measured) for reading in found],
    }


def _bars(structure: Structure, table: CurveTable, lens: Lens) -> dict[str, Any]:
    """What the bars show at every budget, S x L, and of the original, L; of filters, the table has that already."""
    if lens == "together":
        plan = plan_lanes(structure)
        return {"lanes": {**asdict(plan), "n_rows": plan.n_rows}}
    weights = [layer.parameter for layer in structure.layers]
    if lens == "macs":
        dense = dense_layer_macs(structure)
        wholes, now = [dense.get(weight, 0) / 1e6 for weight in weights], table.layer_macs / 1e6
    elif lens == "params":
        wholes, now = [math.prod(structure.shapes[weight]) / 1e3 for weight in weights], table.layer_params / 1e3
    elif lens == "percent":
        wholes, now = [100.0] * len(weights), 100 * table.kept / [layer.total for layer in structure.layers]
    else:
        return {}
    return {"bars": now.round(3 if lens != "percent" else 1).tolist(), "wholes": wholes}
