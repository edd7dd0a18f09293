"""What is known of each kept set of a study: every figure that was measured of exactly this network, and its runs.

A figure belongs to a kept set, to weights and to conditions, and is found by these alone, never by a ranking or a cost.
This module must not import torch.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from legr.ranking.budget import BudgetCurve
from legr.structure.types import Keep
from legr.study.kept_sets import kept_set, on_curve, with_kept_sets
from legr.study.latency import Conditions, Latency
from legr.study.records import FineTuned, Point, RankingName
from legr.study.store import Study

CurveOf = Callable[[RankingName], BudgetCurve]


@dataclass(frozen=True, slots=True)
class KnownNetwork:
    """All that was measured of one kept set.

    Attributes:
        macs_fraction: of the original's MACs.
        pruned: its points with the weights of the original, oldest first.
        finetuned: its points with fine-tuned weights, oldest first.
        runs: finished fine-tuning runs whose weights are there, oldest first.
    """

    keep_id: str
    macs_fraction: float
    pruned: tuple[Point, ...] = ()
    finetuned: tuple[Point, ...] = ()
    runs: tuple[FineTuned, ...] = ()

    @property
    def best_run(self) -> FineTuned | None:
        """The run that is best on held-out images: whose weights are exported and compared."""
        return max(self.runs, key=lambda run: run.heldout_top1, default=None)

    @property
    def top1_before(self) -> float | None:
        """Top-1 in [0, 1] with the original's weights; None where it was not measured."""
        if self.pruned:
            return self.pruned[-1].top1
        return next((run.top1_before for run in reversed(self.runs) if not run.supernet), None)

    @property
    def top1_after(self) -> float | None:
        """Top-1 in [0, 1] after fine-tuning: of the best run; where no weights are there, as measured last."""
        if self.best_run:
            return self.best_run.top1
        return self.finetuned[-1].top1 if self.finetuned else None

    def latency(self, conditions: Conditions | None) -> Latency | None:
        """Its latency under these conditions; fine-tuning changes no shape, so one measured after it counts too."""
        taken = [p.latency for p in (*self.finetuned, *self.pruned) if p.latency]
        return next((latency for latency in reversed(taken) if latency.conditions == conditions), None)


def known_networks(points: Iterable[Point], runs: Iterable[FineTuned]) -> dict[str, KnownNetwork]:
    """All that is known of every kept set, by its name.

    Args:
        points: with their kept sets; those without belong to no network that is known.
    """
    known: dict[str, KnownNetwork] = {}
    for point in points:
        if point.keep_id:
            network = known.get(point.keep_id, KnownNetwork(point.keep_id, point.macs_fraction))
            known[point.keep_id] = (
                replace(network, finetuned=(*network.finetuned, point))
                if point.finetuned
                else replace(network, pruned=(*network.pruned, point))
            )
    for run in runs:
        network = known.get(run.keep_id, KnownNetwork(run.keep_id, run.macs_fraction))
        known[run.keep_id] = replace(network, runs=(*network.runs, run))
    return known


def measured_points(study: Study, curve_of: CurveOf | None = None) -> list[Point]:
    """All points of a study, those of earlier rankings and constraints as well, with the kept sets that are certain.

    Points whose batch norms were recalibrated on other images than the study's are left out: their accuracies differ
    by points.

    Args:
        curve_of: the budget curve of a ranking as it is now; by default it is computed.
    """
    calibration, curve_of = study.calibration, curve_of or study.curve
    points = [point for point in study.all_points if point.finetuned or point.is_measured_with(calibration)]
    unnamed = {point.ranking for point in points if not point.keep_id}
    curves = {(name, study.ranking_id(name)): curve_of(name) for name in study.rankings if name in unnamed}
    return with_kept_sets(points, curves, study.structure.n_units)


def kept_set_of(study: Study, run: FineTuned, curve_of: CurveOf | None = None) -> Keep | None:
    """The kept set of a run, whatever the ranking is by now; None where it was not stored and no ranking leads to it.

    Args:
        curve_of: as for `measured_points`.
    """
    return kept_set(run, (curve for curve in map(curve_of or study.curve, study.rankings)), study.structure.n_units)


def rankings_that_lead_to(
    networks: Iterable[KnownNetwork], curves: Mapping[RankingName, BudgetCurve]
) -> dict[str, tuple[RankingName, ...]]:
    """The rankings on whose order each network lies today, by its kept set; () where it lies on none."""
    return {
        network.keep_id: tuple(
            name
            for name, curve in curves.items()
            if on_curve(curve, round(network.macs_fraction * curve.original.macs), network.keep_id)
        )
        for network in networks
    }
