"""Measure networks with images of several heights: accuracy and latency, one point at a time."""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn

from legr.commands.heights import require_heights
from legr.commands.network import at_height, choose_statistics, network_of_units
from legr.commands.provenance import provenance_of
from legr.commands.supernet_points import MEASURED, keeps_along
from legr.commands.timing import timer_of
from legr.data.images import Dataset
from legr.data.sizes import scaled_shape
from legr.progress import Progress, Report
from legr.structure.types import Keep
from legr.study.latency import Conditions, Latency, Runtime
from legr.study.records import PointRanking, RankingName
from legr.study.scaled import ScaledPoint, add_scaled, scaled_points
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetRun, points_by_network, supernet_of
from legr.study.trained import supernet_for
from legr.training.evaluate import evaluate_split


@dataclass(frozen=True)
class ScaledTarget:
    """One network that is measured with images of one height.

    Attributes:
        ranking_id: `Study.ranking_id` of when the network was chosen; it may have changed since.
        supernet: whose weights it has; None: those of the original, pruned.
    """

    ranking: RankingName
    ranking_id: str
    keep: Keep
    height: int
    supernet: SupernetRun | None

    @property
    def name(self) -> tuple[str, str, str, int, str]:
        """What tells it from others."""
        weights = self.supernet.key if self.supernet else ""
        return self.ranking, self.ranking_id, keep_id(self.keep), self.height, weights


def targets_at(
    study: Study, planned: Sequence[tuple[PointRanking, float]], heights: Sequence[int], *, chosen: bool
) -> list[ScaledTarget]:
    """The networks that are measured at some heights: along the default ranking, and along each that has a supernet.

    Args:
        planned: rankings and budgets that are measured with images of the study's own height.
        chosen: the budgets were asked for; else networks of a supernet are those that it was measured at.
    """
    return [
        target
        for ranking in study.rankings
        if (run := supernet_of(study, ranking)) or ranking == study.default_ranking
        for target in _along(study, ranking, None if chosen else run, planned, heights)
    ]


def _along(
    study: Study,
    ranking: RankingName,
    run: SupernetRun | None,
    planned: Sequence[tuple[PointRanking, float]],
    heights: Sequence[int],
) -> Iterator[ScaledTarget]:
    """Networks along one ranking: those of a supernet, else those that are planned."""
    curve, ranking_id, own = study.curve(ranking), study.ranking_id(ranking), study.info.input_shape[1]
    budgets = [budget for name, budget in planned if name in (ranking, "original")]
    keeps = keeps_along(curve, run.smallest, MEASURED) if run else (curve.at(macs=budget) for budget in budgets)
    for keep in {keep_id(keep): keep for keep in keeps}.values():
        for height in dict.fromkeys(heights):
            supernet = supernet_for(study, keep, ranking, height)
            if height != own or supernet:  # else it is one of `points.json`
                yield ScaledTarget(ranking, ranking_id, keep, height, supernet)


def unmeasured(study: Study, targets: Sequence[ScaledTarget], here: Conditions, *, again: bool) -> list[ScaledTarget]:
    """Those without a point whose latency was taken under these conditions.

    Args:
        again: a latency that is doubtful does not count.
    """
    done = {
        (point.ranking, point.ranking_id, point.keep_id, point.height, point.supernet)
        for point in scaled_points(study)
        if point.latency.conditions == here and not (again and point.latency.doubtful)
    }
    return [target for target in targets if target.name not in done]


@dataclass(frozen=True)
class ScaledWork:
    """What measuring needs beside the networks.

    Attributes:
        model: the study's original.
        dataset: the study's images, of their own height.
        command: as it is noted with each point.
    """

    study: Study
    model: nn.Module
    dataset: Dataset
    device: torch.device
    command: Sequence[str]


def timers_at(
    runtime: Runtime,
    study: Study,
    model: nn.Module,
    conditions: Conditions,
    device: torch.device,
    heights: Sequence[int],
) -> Mapping[int, Callable[[Keep], list[float]]]:
    """What times the network of a kept set with images of each height.

    Raises:
        ExportError: as `timer_of`.
        SettingsError: the network cannot take images of one of these heights.
    """
    shape, heights = study.info.input_shape, list(dict.fromkeys(heights))
    require_heights(model, shape, heights)
    shapes = {height: scaled_shape(shape, height) for height in heights}
    return {
        height: timer_of(runtime, study, model, conditions, device, shape=scaled) for height, scaled in shapes.items()
    }


def measure_at(
    work: ScaledWork, targets: Sequence[ScaledTarget], latencies: Mapping[Hashable, Latency], report: Report
) -> None:
    """Score networks and store a point of each; what a supernet's own record knows of accuracy is not scored again.

    Args:
        latencies: of each, by its name.
    """
    start, dataset = time.monotonic(), work.dataset
    for number, target in enumerate(sorted(targets, key=lambda target: target.height, reverse=True), 1):
        began = time.monotonic()
        if dataset.test.images.shape[-2] != target.height:  # scaled once a height
            dataset = work.dataset.at_height(target.height)
        point = _point(work, target, latencies[target.name], dataset)
        made = provenance_of(work.command, time.monotonic() - began, work.device)
        add_scaled(work.study, [replace(point, provenance=made)])
        left = (time.monotonic() - start) / number * (len(targets) - number)
        report(Progress("network at a size", number, len(targets), left))


@dataclass(frozen=True)
class _Score:
    """What a network costs and how good it is; fields as of `ScaledPoint`."""

    macs: int
    params: int
    macs_fraction: float
    top1: float
    loss: float | None
    images: int
    recalibrated: bool


def _point(work: ScaledWork, target: ScaledTarget, latency: Latency, dataset: Dataset) -> ScaledPoint:
    """The point of one network.

    Args:
        dataset: images of the target's height.
    """
    return ScaledPoint(
        ranking=target.ranking,
        ranking_id=target.ranking_id,
        keep_id=keep_id(target.keep),
        height=target.height,
        supernet=target.supernet.key if target.supernet else "",
        **asdict(_known(work.study, target) or _scored(work, target, dataset)),
        calibration=work.study.calibration.key,
        latency=latency,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )


def _known(study: Study, target: ScaledTarget) -> _Score | None:
    """What the record of its supernet says of it; None where it was not measured, or recalibrated on other images."""
    run = target.supernet
    if run is None or run.calibration != study.calibration.key:
        return None
    known = points_by_network(run, target.height).get(keep_id(target.keep))
    if known is None:
        return None
    facts = known.macs, known.params, known.macs_fraction, known.top1, known.loss, known.images
    return _Score(*facts, recalibrated=True)


def _scored(work: ScaledWork, target: ScaledTarget, dataset: Dataset) -> _Score:
    study = work.study
    network = network_of_units(study, work.model, target.keep, target.supernet)
    reported = choose_statistics(study, at_height(study, network, target.height), dataset, work.device)
    test = evaluate_split(reported.model, dataset.test, study.info.normalization, device=work.device)
    facts = reported.macs, reported.params, reported.macs_fraction, test.top1, test.finite_loss, test.images
    return _Score(*facts, recalibrated=reported.recalibrated)
