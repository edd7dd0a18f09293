"""Measure the frontier: accuracy and latency of every ranking at a dozen budgets, one point at a time.

A point that is measured already is not measured again.
"""

import os
import time
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import psutil
import torch

from legr.bounds import Bounds
from legr.commands.calibration import calibration_of
from legr.commands.heights import note_costs
from legr.commands.images import images_of
from legr.commands.measure_heights import ScaledWork, measure_at, targets_at, timers_at, unmeasured
from legr.commands.network import ReportedNetwork, choose_statistics, network_of_units
from legr.commands.original import original
from legr.commands.provenance import provenance_of
from legr.commands.results import Measurement
from legr.commands.timing import in_turns, with_other_runtime
from legr.data.images import Dataset
from legr.deploy.latency import conditions_here
from legr.errors import SettingsError
from legr.progress import Progress, Report
from legr.ranking.budget import BudgetCurve
from legr.requests.measure import MeasureRequest
from legr.structure.types import Keep
from legr.study.heights import structures_by_height
from legr.study.latency import Conditions, Latency
from legr.study.records import FineTuning, Point, PointRanking, RankingName
from legr.study.scaled import scaled_points
from legr.study.store import Study, keep_id
from legr.training.evaluate import evaluate_split

BUDGETS = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15)


def measure(study: Study, request: MeasureRequest, device: torch.device, report: Report) -> Measurement:
    """Measure the original and each ranking at some budgets, and where sizes are asked for networks at each of them.

    Args:
        request: without budgets, the default ones, all that were measured before under other conditions, and those of
            fine-tuned networks.

    Raises:
        BudgetError: a budget of the request is out of range or below the floor.
        ExportError: ONNX Runtime cannot run the networks, and is to time them.
        SettingsError: the network cannot take images of one of the sizes.
    """
    _require_room(study, request, device)
    planned = list(_plan(study, request.budgets))
    conditions = conditions_here(request.runtime, device, request.threads, request.batch)
    todo = _unmeasured(study, planned, conditions, again=request.again)
    targets = targets_at(study, planned, request.sizes or (), chosen=request.budgets is not None)
    scaled = unmeasured(study, targets, conditions, again=request.again)
    command = ["measure", "--study", study.path.name, *replace(request, again=False).full_arguments()]
    latencies: Mapping[Hashable, Latency] = {}
    if todo or scaled:
        model = original(study)
        report(Progress("preparing the networks", 0, 1))
        own = study.info.input_shape[1]
        heights = [*(own for _ in todo[:1]), *(target.height for target in scaled)]
        with with_other_runtime():  # before any other work
            timers = timers_at(request.runtime, study, model, conditions, device, heights)
        dataset = images_of(study, report)
        calibration_of(study, dataset, device, report)  # before any point is measured with it
        # Rankings and constraints may change meanwhile: the network that is timed is the one that is scored and stored.
        ids = {name: study.ranking_id(name) for name, _ in todo}
        curves = {name: study.curve(_ranking(name)) for name in ids}

        keeps = {(name, budget): curves[name].at(macs=budget) for name, budget in todo}
        timed: dict[Hashable, tuple[int, Keep]] = {item: (own, keep) for item, keep in keeps.items()}
        timed |= {target.name: (target.height, target.keep) for target in scaled}
        with with_other_runtime():
            latencies = in_turns(lambda network: timers[network[0]](network[1]), timed, conditions, report)
        start, skipped = time.monotonic(), len(planned) - len(todo)
        for number, (name, budget) in enumerate(todo, 1):
            began = time.monotonic()
            pruned = network_of_units(study, model, keeps[name, budget])
            network = choose_statistics(study, pruned, dataset, device)
            target = Target(name, ids[name], budget)
            point = measure_point(study, target, network, latencies[name, budget], dataset, device)
            study.add_point(replace(point, provenance=provenance_of(command, time.monotonic() - began, device)))
            _time_trained(study, point)
            left = (time.monotonic() - start) / number * (len(todo) - number)
            report(Progress("point", skipped + number, len(planned), left))
        measure_at(ScaledWork(study, model, dataset, device, command), scaled, latencies, report)
    if _heights_without_costs(study, request):
        note_costs(study, original(study), request.sizes or ())
    return Measurement(
        measured=len(todo) + len(scaled),
        skipped=len(planned) + len(targets) - len(todo) - len(scaled),
        contended=any(latency.contended for latency in latencies.values()),
        points=tuple(study.points),
        calibration=study.calibration.key,
        unsteady=sum(latency.unsteady for latency in latencies.values()),
        scaled=tuple(scaled_points(study)) if request.sizes else (),
    )


def _time_trained(study: Study, measured: Point) -> None:
    """Give a trained network the latency that was measured of its kept set, where its own was taken amid other work."""
    for point in study.all_points:
        own, found = point.latency, measured.latency
        if not point.finetuned or point.keep_id != measured.keep_id or own is None or found is None:
            continue
        if own.doubtful and not found.doubtful and own.conditions == found.conditions:
            study.add_point(replace(point, latency=found))


def _ranking(name: PointRanking) -> RankingName:
    """The ranking on whose curve a point lies; the original lies on every one."""
    return "identity" if name == "original" else name


def is_measured(study: Study, request: MeasureRequest, device: torch.device) -> bool:
    """Whether `measure` would find nothing to do; raises as it does."""
    _require_room(study, request, device)
    here = conditions_here(request.runtime, device, request.threads, request.batch)
    planned = list(_plan(study, request.budgets))
    targets = targets_at(study, planned, request.sizes or (), chosen=request.budgets is not None)
    return not (
        _unmeasured(study, planned, here, again=request.again)
        or unmeasured(study, targets, here, again=request.again)
        or _heights_without_costs(study, request)
    )


def _heights_without_costs(study: Study, request: MeasureRequest) -> set[int]:
    return set(request.sizes or ()) - {study.info.input_shape[1], *structures_by_height(study)}


def _require_room(study: Study, request: MeasureRequest, device: torch.device) -> None:
    """Refuse more threads than there are cores, and batches that do not fit into memory.

    Raises:
        SettingsError: the request asks for more than this machine has.
    """
    Bounds(1, os.cpu_count() or 1).require("threads", request.threads)
    scale = max((*(request.sizes or ()), study.info.input_shape[1])) / study.info.input_shape[1]
    needed = int(request.batch * study.curve("identity").activation[0] * scale**2)
    free = psutil.virtual_memory().available
    on_processor = request.runtime == "onnxruntime" or device.type == "cpu"
    if on_processor and needed > free / 2:  # an accelerator's own error names its memory
        largest = max(1, request.batch * free // (2 * needed))
        raise SettingsError(
            f"batch must be in [1, {largest}], got {request.batch}: its activations "
            f"would take {needed / 2**30:.1f} GiB, over half of the {free / 2**30:.1f} GiB of memory that are free"
        )


@dataclass(frozen=True)
class Target:
    """Which network of the frontier a point is about."""

    ranking: PointRanking
    ranking_id: str  # `Study.ranking_id` of when the network was chosen; it may have changed since
    budget: float  # fraction of MACs


def measure_point(
    study: Study,
    target: Target,
    network: ReportedNetwork,
    latency: Latency,
    dataset: Dataset,
    device: torch.device,
    finetuned: FineTuning | None = None,
) -> Point:
    """Score one network on the test images.

    Args:
        finetuned: how it was fine-tuned; None where it was not.
    """
    test = evaluate_split(network.model, dataset.test, study.info.normalization, device=device)
    return Point(
        ranking=target.ranking,
        ranking_id=target.ranking_id,
        budget=target.budget,
        macs=network.macs,
        params=network.params,
        macs_fraction=network.macs_fraction,
        top1=test.top1,
        loss=test.finite_loss,
        images=test.images,
        recalibrated=network.recalibrated,
        calibration=network.calibration.key,
        latency=latency,
        finetuned=finetuned,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        keep_id=network.keep_id,
    )


def _plan(study: Study, budgets: Sequence[float] | None) -> Iterator[tuple[PointRanking, float]]:
    """What to measure, the default ranking first, so that its chart fills first."""
    yield "original", 1.0
    learned = study.map_of("learned")
    for name in study.rankings:
        curve = study.curve(name)
        if budgets is None:
            searched = learned.settings.budgets if learned and learned.settings.cost == "macs" else ()
            further = (p.budget for p in study.points if _is_on(curve, name, p))
            chosen = _of_different_networks(curve, {*BUDGETS, *searched, *further})
        else:
            chosen = list(budgets)
        for budget in chosen:
            curve.step(macs=budget)
            if budget < 1:
                yield name, budget


def _of_different_networks(curve: BudgetCurve, budgets: Collection[float]) -> list[float]:
    """Budgets within reach, the largest first; of those that lead to the same network the largest."""
    reached = {curve.step(macs=budget): budget for budget in sorted(budgets) if budget >= curve.floor}
    return sorted(reached.values(), reverse=True)


def _is_on(curve: BudgetCurve, ranking: RankingName, point: Point) -> bool:
    """Whether a network was measured, perhaps elsewhere, or trained along a ranking, and still lies on it."""
    if point.ranking != ranking or not point.finetuned:
        return point.ranking == ranking
    return point.budget >= curve.floor and keep_id(curve.at(macs=point.budget)) == point.keep_id


def _unmeasured(
    study: Study, planned: Sequence[tuple[PointRanking, float]], here: Conditions, *, again: bool
) -> list[tuple[PointRanking, float]]:
    """What has no point yet whose latency was taken under these conditions."""
    done = {
        (point.ranking, point.budget)
        for point in study.points
        if point.latency and point.latency.conditions == here and not point.finetuned
        if not (again and point.latency.doubtful)
    }
    return [item for item in planned if item not in done]
