"""Measure the frontier: accuracy and latency of every ranking at a dozen budgets, one point at a time.

It does not know charts. A point that is measured already is not measured again.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from legr.commands.network import Network, images_of, network_at, normalization_of, original, ready
from legr.commands.provenance import provenance_of
from legr.commands.results import Measurement
from legr.data.encoded import ImageShape
from legr.data.images import Dataset
from legr.deploy.latency import conditions_here, latency_of, time_forward
from legr.deploy.neighbours import Neighbours
from legr.progress import Progress, Report
from legr.ranking.limits import Budget
from legr.requests.types import MeasureRequest
from legr.study.records import RANKINGS, Latency, Point, RankingName
from legr.study.store import Study
from legr.training.evaluate import evaluate_split

_TURNS, _SECONDS_A_TURN = 5, 0.1
BUDGETS = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15)


def measure(study: Study, request: MeasureRequest, device: torch.device, report: Report) -> Measurement:
    """Measure the original and each ranking at some budgets.

    Args:
        request: without budgets, the default ones and all that were measured before under other conditions.

    Raises:
        BudgetError: a budget that was asked for is out of range or below the floor.
    """
    batch, threads = request.batch, request.threads or torch.get_num_threads()
    planned = list(_plan(study, request.budgets))
    todo = _unmeasured(study, planned, conditions_here(device, threads, batch), again=request.again)
    made = MeasureRequest(budgets=request.budgets, batch=batch, threads=threads)
    command = ["measure", "--study", study.path.name, *made.arguments()]
    contended = False
    start, skipped = time.monotonic(), len(planned) - len(todo)
    if todo:
        model, dataset = original(study), images_of(study, report)
        # Rankings and shape may be changed meanwhile; what is timed is what is scored, and stored as.
        asked = {name: (study.ranking_id(name), study.curve(_ranking(name))) for name, _ in todo}

        def network_of(name: str, budget: float) -> Network:
            curve = asked[name][1]
            return network_at(study, model, Budget(macs=budget), ranking=_ranking(name), finetuned=False, curve=curve)

        latencies = _latencies(study.info.input_shape, network_of, todo, batch, threads, device, report)
        contended = any(latency.hindered for latency in latencies.values())
        for number, (name, budget) in enumerate(todo, 1):
            began = time.monotonic()
            network, latency = network_of(name, budget), latencies[name, budget]
            point = measure_point(study, network, dataset, name, asked[name][0], budget, latency, device)
            study.add_point(replace(point, made=provenance_of(command, time.monotonic() - began, device).to_dict()))
            left = (time.monotonic() - start) / number * (len(todo) - number)
            report(Progress("point", skipped + number, len(planned), left))
    return Measurement(len(todo), skipped, contended, tuple(study.points))


def _latencies(
    shape: ImageShape,
    network_of: Callable[[str, float], Network],
    todo: Sequence[tuple[str, float]],
    batch: int,
    threads: int,
    device: torch.device,
    report: Report,
) -> dict[tuple[str, float], Latency]:
    """Latency of every network, measured in turns, so that a slow minute of the machine bends no curve."""
    times: dict[tuple[str, float], list[float]] = {item: [] for item in todo}
    with Neighbours() as others:
        for turn in range(_TURNS):
            report(Progress("timing the networks", turn + 1, _TURNS))
            for item in todo:
                network, seconds = network_of(*item).model, _SECONDS_A_TURN
                times[item] += time_forward(
                    network, shape, device=device, batch=batch, threads=threads, seconds=seconds
                )
    return {
        item: latency_of(found, others, device=device, batch=batch, threads=threads) for item, found in times.items()
    }


def _ranking(name: str) -> RankingName:
    return "identity" if name == "original" else name  # type: ignore[return-value]


def is_measured(study: Study, request: MeasureRequest, device: torch.device) -> bool:
    """Whether `measure` would find nothing to do; raises as it does."""
    here = conditions_here(device, request.threads, request.batch)
    return not _unmeasured(study, list(_plan(study, request.budgets)), here, again=request.again)


def measure_point(
    study: Study,
    network: Network,
    dataset: Dataset,
    ranking: str,
    ranking_id: str,
    budget: float,
    latency: Latency,
    device: torch.device,
    provenance: Mapping[str, Any] | None = None,
) -> Point:
    """Accuracy of one network on test images.

    Args:
        ranking_id: `Study.ranking_id` of when the network was chosen; it may have changed since.
        provenance: how it was fine-tuned; None where it was not.
    """
    model, recalibrated = ready(study, network, dataset, device, tuned=provenance is not None)
    found = evaluate_split(model, dataset.test, normalization_of(study), device=device)
    return Point(
        ranking=ranking,
        ranking_id=ranking_id,
        budget=budget,
        macs=network.macs,
        params=network.params,
        macs_fraction=network.macs_fraction,
        top1=found.top1,
        loss=found.finite_loss,
        images=found.images,
        recalibrated=recalibrated,
        latency=latency,
        finetuned=provenance,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )


def _plan(study: Study, budgets: Sequence[float] | None) -> Iterator[tuple[str, float]]:
    """What to measure, the curve in use first, so that its chart fills first."""
    yield "original", 1.0
    names = [name for name in RANKINGS if name != "learned" or study.default_ranking == "learned"]
    for name in names:
        curve = study.curve(name)
        if budgets is None:
            learned = study.learned
            own = learned.settings["budgets"] if learned else ()
            known = (p.budget for p in study.points if p.ranking == name and not p.finetuned)  # perhaps elsewhere
            chosen = [b for b in sorted({*BUDGETS, *own, *known}, reverse=True) if b >= curve.floor]
        else:
            chosen = list(budgets)
        for budget in chosen:
            curve.step(macs=budget)
            if budget < 1:
                yield name, budget


def _unmeasured(
    study: Study, planned: Sequence[tuple[str, float]], here: tuple[object, ...], *, again: bool
) -> list[tuple[str, float]]:
    """What has no point yet whose latency was taken under these conditions (`Latency.conditions`)."""
    known = ((p.ranking, p.budget, p.latency) for p in study.points if p.latency and not p.finetuned)
    done = {(name, budget) for name, budget, at in known if at.conditions == here and not (again and at.hindered)}
    return [item for item in planned if item not in done]
