"""Train the networks of all budgets of a ranking together, and measure some of them without further training."""

import hashlib
import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from legr.commands.calibration import calibration_of
from legr.commands.finetune import teacher_cache
from legr.commands.heights import note_costs, require_heights
from legr.commands.images import images_of
from legr.commands.original import original
from legr.commands.provenance import provenance_of, weights_header
from legr.commands.relearning import Relearning
from legr.commands.results import SupernetResult
from legr.commands.supernet_points import Judge, measure_along
from legr.data.images import Dataset
from legr.held import shown
from legr.models.weights import round_to_half, save_weights
from legr.progress import Report
from legr.requests.supernet import SupernetRequest
from legr.structure.cost import original_cost
from legr.study.provenance import Provenance
from legr.study.records import RankingName, epochs_of
from legr.study.store import Study
from legr.study.supernets import SupernetRun, save_supernet, statistics_path, supernets, weights_path
from legr.training.supernet import Supernet, SupernetObjective, finish
from legr.training.supernet_settings import SupernetSettings
from legr.training.teacher import Teacher
from legr.training.train import Run, Trained, copied, fit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Task:
    """What is trained, and how."""

    ranking: RankingName
    ranking_id: str
    settings: SupernetSettings
    half: bool

    @property
    def key(self) -> str:
        """Name of the run: another order or other settings are another run."""
        facts = [self.ranking, self.ranking_id, self.settings.to_dict(), self.half]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def finished_supernet(
    study: Study, settings: SupernetSettings, ranking: RankingName | None = None, *, half: bool = False
) -> SupernetResult | None:
    """The result of a finished run of these settings along the ranking as it is now, or None; nothing is loaded.

    Raises:
        StudyError: "learned" is asked for and nothing has been learned.
    """
    task = _task(study, settings, ranking, half)
    study.ranking(task.ranking)
    run = _finished(study, task)
    if run is None:
        return None
    with suppress(OSError):  # it stays where a run was killed right after it was recorded
        _checkpoint(study, run.key).unlink(missing_ok=True)
    return _result(study, run)


def run_supernet(
    study: Study,
    settings: SupernetSettings,
    device: torch.device,
    report: Report,
    *,
    ranking: RankingName | None = None,
    half: bool = False,
) -> SupernetResult:
    """Train the networks of a ranking together; a finished run of the same settings returns at once.

    Args:
        ranking: None is the study's default one.
        half: round the weights to float16 before test images judge them, and store them so.

    Raises: as `finished_supernet`, and as training does.
    """
    finished = finished_supernet(study, settings, ranking, half=half)
    if finished is not None:
        return finished
    task = _task(study, settings, ranking, half)
    if (weights := task.settings.weights) < settings.weights:
        log.warning("this network has %d further sets of weights: more need too much memory", weights)
    return _result(study, _train(study, task, device, report))


def _task(study: Study, settings: SupernetSettings, ranking: RankingName | None, half: bool) -> _Task:
    name, params = ranking or study.default_ranking, original_cost(study.structure).params
    return _Task(name, study.ranking_id(name), settings.fitting(params), half)


def _result(study: Study, run: SupernetRun) -> SupernetResult:
    return SupernetResult(
        ranking=run.ranking,
        smallest=run.smallest,
        epochs=run.epochs,
        seconds=run.seconds,
        weights=shown(str(weights_path(study, run.key))),
        calibration=run.calibration,
        points=run.points,
        between=run.between,
    )


def _train(study: Study, task: _Task, device: torch.device, report: Report) -> SupernetRun:
    """Train, then write weights, statistics, record, in this order.

    A run with a record counts as finished, so the record is last; what is interrupted before goes on from the
    checkpoint, which is removed after it.
    """
    model, curve, key, constraints = original(study), study.curve(task.ranking), task.key, study.constraints
    require_heights(model, study.info.input_shape, task.settings.sizes)
    dataset = images_of(study, report)
    calibration = calibration_of(study, dataset, device, report)
    checkpoint = _checkpoint(study, key)
    with study.lock("supernet"):
        finished = _finished(study, task)
        if finished:  # by the process that held the lock
            return finished
        cache = teacher_cache(study, task.settings, device)
        teacher = Teacher(model, device, cache) if task.settings.distill else None
        run = Run(teacher, dataset, study.info.normalization, task.settings, device, checkpoint, report)
        step = curve.step(macs=max(task.settings.smallest, curve.floor))
        smallest = float(curve.macs[step] / curve.original.macs)
        whole = copied(model, device, restart=bool(task.settings.restart_norms))
        supernet = Supernet(whole, smallest, task.settings).train()
        orders = _relearning(study, task, dataset, device)
        trained = fit(supernet, SupernetObjective(supernet, curve, calibration, run, orders), run)
        learned = None
        if orders:
            curve, learned = orders.final_curve(), replace(orders.learned, supernet=key)
        finish(supernet, curve)
        if task.half:
            round_to_half(supernet)
        provenance = _provenance(study, task, trained, device)
        header = weights_header(dataset.fingerprint, provenance)
        save_weights(supernet, weights_path(study, key), header, half=task.half, without_zeros=True)
        judge = Judge(curve, dataset, study.info.normalization, calibration, device)
        sides = tuple(dict.fromkeys((judge.side, *task.settings.sizes)))
        measured = measure_along(supernet, judge, sides, report, seed=task.settings.seed)
        save_weights(measured.statistics, statistics_path(study, key), header)
        note_costs(study, model, sides)
        record = SupernetRun(
            key=key,
            ranking=task.ranking,
            ranking_id=study.id_of_map(learned, constraints) if learned else task.ranking_id,
            smallest=smallest,
            settings=task.settings,
            heldout_top1=trained.curve[trained.best_epoch]["heldout_top1"],
            epochs=len(trained.curve),
            seconds=provenance.seconds or 0.0,
            calibration=calibration.key,
            curve=epochs_of(trained.curve),
            points=measured.points,
            between=measured.between,
            relearned=learned,
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            provenance=provenance,
            half=task.half,
        )
        save_supernet(study, record)
        if study.ranking_id(task.ranking) == task.ranking_id:
            _take_order(study, record)
        elif learned:
            log.warning("the ranking was changed meanwhile and stays; give the same command again for the supernet's")
        checkpoint.unlink(missing_ok=True)
        _orders_file(study, key).unlink(missing_ok=True)
    return record


def _finished(study: Study, task: _Task) -> SupernetRun | None:
    """The finished run of a task; one that learned its ranking again may have begun with another order than today's."""
    for run in supernets(study):
        if run.key == task.key:
            _take_order(study, run)
            return run
        same = (run.ranking, run.ranking_id, run.settings, run.half)
        if run.relearned and same == (task.ranking, task.ranking_id, task.settings, task.half):
            return run
    return None


def _take_order(study: Study, run: SupernetRun) -> None:
    """Make the order that a run has ended with the study's, in place of the one that it began with."""
    if run.relearned and study.map_of(run.ranking) != run.relearned:
        study.save_learned(run.relearned)


def _relearning(study: Study, task: _Task, dataset: Dataset, device: torch.device) -> Relearning | None:
    if not task.settings.relearn:
        return None
    return Relearning(study, task.ranking, dataset, device, task.settings.epochs, _orders_file(study, task.key))


def _orders_file(study: Study, key: str) -> Path:
    return study.within("checkpoints", f"supernet-{key}-orders.json")


def _checkpoint(study: Study, key: str) -> Path:
    return study.within("checkpoints", f"supernet-{key}.safetensors")


def _provenance(study: Study, task: _Task, trained: Trained, device: torch.device) -> Provenance:
    request = SupernetRequest.for_settings(task.settings, task.ranking, half=task.half)
    command = ["supernet", "--study", study.path.name, *request.full_arguments()]
    return provenance_of(command, sum(epoch["seconds"] for epoch in trained.curve), device, task.settings.seed)
