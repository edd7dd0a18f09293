"""Fine-tune the network of a budget, store its weights, and put it on the frontier."""

import hashlib
import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from legr.commands.images import images_of
from legr.commands.measure import Target, measure_point
from legr.commands.network import Network, ReportedNetwork, choose_statistics, network_at
from legr.commands.original import original
from legr.commands.provenance import provenance_of, weights_header
from legr.commands.results import FinetuneResult
from legr.commands.timing import time_network
from legr.data.batches import AUGMENTATION
from legr.data.images import Dataset
from legr.errors import StudyError
from legr.held import shown
from legr.models.weights import round_to_half, save_weights
from legr.paths import cache_folder
from legr.progress import Report
from legr.ranking.limits import Budget
from legr.requests.train import FinetuneRequest, Start
from legr.study.kept_sets import packed
from legr.study.provenance import Provenance
from legr.study.records import FineTuned, FineTuning, Point, RankingName, epochs_of
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetRun, supernets
from legr.study.trained import original_trained, supernet_for
from legr.training.device import device_name
from legr.training.evaluate import evaluate_split
from legr.training.settings import POLISH, TrainSettings, closest_recipe
from legr.training.teacher import Teacher
from legr.training.train import Trained, train

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tuning:
    """How a network is fine-tuned.

    Attributes:
        ranking: None is the study's default one.
        half: round the weights to float16 before test images judge them, and store them so.
        start: weights to begin with; None: those of a supernet of the ranking where there is one.
    """

    settings: TrainSettings
    ranking: RankingName | None = None
    half: bool = False
    start: Start | None = None


@dataclass(frozen=True)
class _Task:
    """What is trained, and how.

    Attributes:
        supernet: whose weights it begins with; None: those of the original.
    """

    budget: Budget
    settings: TrainSettings
    ranking: RankingName
    half: bool
    keep_id: str
    supernet: SupernetRun | None

    @property
    def key(self) -> str:
        """Name of the run: another kept set, other weights to begin with or other settings are another run."""
        settings = self.settings.to_dict() | ({"half": True} if self.half else {})
        settings |= {"supernet": self.supernet.key} if self.supernet else {}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.keep_id}-{digest}"

    def provenance(self, study: Study, seconds: float, device: torch.device) -> Provenance:
        start: Start | None = "shared" if self.supernet else "pruned" if supernets(study) else None
        request = FinetuneRequest.for_settings(self.budget, self.settings, self.ranking, start=start, half=self.half)
        command = ["finetune", "--study", study.path.name, *request.full_arguments()]
        return provenance_of(command, seconds, device, self.settings.seed)


def finished_finetune(study: Study, budget: Budget, tuning: Tuning) -> FinetuneResult | None:
    """The result of a finished run, or None; nothing is loaded for that.

    Raises:
        BudgetError: the budget is out of range or below the floor.
        StudyError: "learned" is asked for and nothing has been learned, or shared weights and there are none.
    """
    run = study.finetuned_run(_task(study, budget, tuning).key)
    if run is None:
        return None
    with suppress(OSError):  # it stays where a run was killed right after it was recorded
        _checkpoint(study, run.key).unlink(missing_ok=True)
    return _result(study, run)


def run_finetune(study: Study, budget: Budget, tuning: Tuning, device: torch.device, report: Report) -> FinetuneResult:
    """Train a ranking's network at a budget; a finished run of the same settings returns at once.

    Raises: as `finished_finetune`, and as training does.
    """
    finished = finished_finetune(study, budget, tuning)
    if finished is not None:
        return finished
    return _result(study, _train(study, _task(study, budget, tuning), device, report))


def _task(study: Study, budget: Budget, tuning: Tuning) -> _Task:
    ranking = tuning.ranking or study.default_ranking
    keep = study.curve(ranking, budget).at(budget)
    supernet = None if tuning.start == "pruned" else supernet_for(study, keep, ranking)
    if tuning.start == "shared" and supernet is None:
        raise StudyError(
            f"{study.path.name} has no supernet of the {ranking} ranking that has trained this network; train one with "
            "`python -m legr supernet`, or begin with --start pruned"
        )
    return _Task(budget, tuning.settings, ranking, tuning.half, keep_id(keep), supernet)


def _result(study: Study, run: FineTuned) -> FinetuneResult:
    weights = shown(str(study.finetuned_weights(run.key)))
    points = (point for point in reversed(study.all_points) if point.finetuned and point.finetuned.key == run.key)
    again = original_trained(study, run.settings) if run.settings else None
    return FinetuneResult(
        run.macs_fraction,
        run.top1_before,
        run.top1,
        run.epochs,
        run.seconds,
        weights,
        study.calibration.key,
        next((point.latency for point in points), None),
        run.supernet,
        next((point.top1 for point in reversed(study.all_points) if point.ranking == "original"), None),
        again.top1 if again else None,
    )


def _train(study: Study, task: _Task, device: torch.device, report: Report) -> FineTuned:
    """Train, then write weights, point, record, in this order.

    A run with a record counts as finished, so the record is last; what is interrupted before goes on from the
    checkpoint, which is removed after it.
    """
    if task.supernet is None and closest_recipe(task.settings)[0] == POLISH:
        log.warning(
            "polish is made for weights that were trained together, and this network has none: it begins with those "
            "of the original, from which other recipes regain more"
        )
    model, ranking_id = original(study), study.ranking_id(task.ranking)
    begun = task.supernet.key if task.supernet else None
    network = network_at(study, model, task.budget, ranking=task.ranking, finetuned=begun is not None, run=begun)
    dataset = images_of(study, report)
    start = choose_statistics(study, network, dataset, device, report)  # else the first epochs have the original's
    before = evaluate_split(start.model, dataset.test, study.info.normalization, device=device)
    key = task.key
    checkpoint = _checkpoint(study, key)
    with study.lock("finetune"):
        finished = study.finetuned_run(key)
        if finished:  # by the process that held the lock
            return finished
        cache = teacher_cache(study, task.settings, device)
        trained = train(
            start.model,
            Teacher(model, device, cache) if task.settings.distill else None,
            dataset,
            study.info.normalization,
            task.settings,
            device=device,
            checkpoint=checkpoint,
            report=report,
        )
        provenance = task.provenance(study, sum(epoch["seconds"] for epoch in trained.curve), device)
        tuned = _store_weights(study, key, task, replace(network, model=trained.model), provenance, dataset)
        reported = choose_statistics(study, tuned, dataset, device)
        latency = time_network(study, model, network.keep, device)
        target = Target(task.ranking, ranking_id, _macs_of(task.budget, network))
        fine_tuning = FineTuning.of(key, task.settings, len(trained.curve))
        point = measure_point(study, target, reported, latency, dataset, device, fine_tuning)
        study.add_point(replace(point, provenance=provenance))
        run = _record(key, task, reported, trained, point, before.top1, provenance)
        study.save_finetuned(run)
        checkpoint.unlink(missing_ok=True)
    return run


def _checkpoint(study: Study, key: str) -> Path:
    return study.within("checkpoints", f"{key}.safetensors")


def _store_weights(
    study: Study, key: str, task: _Task, network: Network, provenance: Provenance, dataset: Dataset
) -> Network:
    """Write the trained weights, rounded where that is asked for; from now on the network has those."""
    if task.half:
        round_to_half(network.model)
    header = weights_header(dataset.fingerprint, provenance)
    save_weights(network.model, study.finetuned_weights(key), header, half=task.half)
    return replace(network, trained_by=None, weights="fine-tuned")


def _macs_of(budget: Budget, network: Network) -> float:
    """The place of a point on the axis of budgets, which are fractions of MACs."""
    alone = budget.macs if budget.stated.keys() == {"macs"} else None
    return network.macs_fraction if alone is None else alone


def _record(
    key: str,
    task: _Task,
    network: ReportedNetwork,
    trained: Trained,
    point: Point,
    top1_before: float,
    provenance: Provenance,
) -> FineTuned:
    return FineTuned(
        key=key,
        keep_id=network.keep_id,
        macs_fraction=network.macs_fraction,
        settings=task.settings,
        top1_before=top1_before,
        top1=point.top1,
        heldout_top1=trained.curve[trained.best_epoch]["heldout_top1"],
        epochs=len(trained.curve),
        seconds=provenance.seconds or 0.0,
        curve=epochs_of(trained.curve),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        ranking=task.ranking,
        provenance=provenance,
        half=task.half,
        budget=task.budget,
        kept=packed(network.keep),
        supernet=task.supernet.key if task.supernet else "",
    )


def teacher_cache(study: Study, settings: TrainSettings, device: torch.device) -> Path:
    """Where this machine caches the original's logits of the images, in the order of runs with these settings."""
    info = study.info
    images = [info.data_fingerprint, info.classes, info.split_seed, info.input_shape, info.normalization.to_dict()]
    order = [AUGMENTATION, settings.seed, settings.batch]
    facts = [info.model, info.weights_sha256, *images, *order, torch.__version__, device_name(device)]
    # "lessons" is what earlier versions called it: the folder is shared with them, and its size is limited.
    return cache_folder() / "lessons" / hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
