"""Fine-tune the network of a budget, keep its weights, and put it on the frontier.

It does not know how training works.
"""

import hashlib
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from legr.commands.measure import measure_point
from legr.commands.network import Network, images_of, network_at, network_id, normalization_of, original, ready
from legr.commands.provenance import provenance_of
from legr.commands.results import FinetuneResult
from legr.data.batches import AUGMENTATION
from legr.deploy.latency import measure_latency
from legr.models.weights import round_to_half, save_weights
from legr.paths import cache_folder
from legr.progress import Report
from legr.ranking.limits import Budget
from legr.requests.types import FinetuneRequest
from legr.study.records import FineTuned, Latency, RankingName
from legr.study.store import Study
from legr.training.device import device_name, machine_name
from legr.training.evaluate import evaluate_split
from legr.training.settings import TrainSettings
from legr.training.teacher import Teacher
from legr.training.train import train


def finished_finetune(
    study: Study, budget: Budget, settings: TrainSettings, ranking: RankingName | None = None, *, half: bool = False
) -> FinetuneResult | None:
    """The result of a finished run of these settings, or None; nothing is loaded for that.

    Raises:
        BudgetError: the budget is out of range or below the floor.
        StudyError: "learned" is asked for and nothing has been learned.
    """
    done = study.finetuned_run(_key(network_id(study, budget, ranking), settings, half))
    return _result(study, done) if done else None


def run_finetune(
    study: Study,
    budget: Budget,
    settings: TrainSettings,
    device: torch.device,
    report: Report,
    *,
    ranking: RankingName | None = None,
    half: bool = False,
) -> FinetuneResult:
    """Train a ranking's network at a budget; a finished run of the same settings returns at once.

    Args:
        ranking: None is the study's default one.
        half: round the weights that are kept to what float16 holds before test images judge them, and store them so.

    Raises: as `finished_finetune`, and as training does.
    """
    finished = finished_finetune(study, budget, settings, ranking, half=half)
    if finished is not None:
        return finished
    name = ranking or study.default_ranking
    request = FinetuneRequest.for_settings(budget, settings, name, half=half)
    command = ["finetune", "--study", study.path.name, *request.arguments()]
    return _result(study, _train(study, budget, settings, device, report, name, half, command))


def _result(study: Study, run: FineTuned) -> FinetuneResult:
    weights = str(study.finetuned_weights(run.key))
    return FinetuneResult(run.macs_fraction, run.top1_before, run.top1, run.epochs, run.seconds, weights)


def _key(keep: str, settings: TrainSettings, half: bool) -> str:
    return f"{keep}-{_digest(asdict(settings) | ({'half': True} if half else {}))}"


def _train(
    study: Study,
    budget: Budget,
    settings: TrainSettings,
    device: torch.device,
    report: Report,
    ranking: RankingName,
    half: bool,
    command: list[str],
) -> FineTuned:
    model, ranking_id = original(study), study.ranking_id(ranking)
    network = network_at(study, model, budget, ranking=ranking, finetuned=False)
    key = _key(network.keep_id, settings, half)
    limits = dict(budget.limits())
    macs = limits["macs"] if set(limits) == {"macs"} else network.macs_fraction  # a point has a fraction of MACs
    dataset, normalization = images_of(study, report), normalization_of(study)
    start, _ = ready(study, network, dataset, device)  # statistics of an earlier network would judge the first epochs
    before = evaluate_split(start, dataset.test, normalization, device=device)
    checkpoint = study.path / "checkpoints" / f"{key}.safetensors"
    with study.lock("finetune"):
        done = study.finetuned_run(key)
        if done:  # by whoever had the lock
            return done
        result = train(
            start,
            Teacher(model, device, teacher_cache(study, settings, device)) if settings.distill else None,
            dataset,
            normalization,
            settings,
            device=device,
            checkpoint=checkpoint,
            report=report,
        )
        if half:
            round_to_half(result.model)
        seconds = sum(epoch["seconds"] for epoch in result.curve)
        made = provenance_of(command, seconds, device, settings.seed).to_dict()
        header = {"made_by": "legr", "data": dataset.fingerprint, "made": json.dumps(made)}
        save_weights(result.model, study.finetuned_weights(key), header, half=half)
        tuned = replace(network, model=result.model)
        provenance = {"key": key, **asdict(settings), "epochs": len(result.curve)}
        latency = _known_latency(study, network, ranking, device)
        latency = latency or measure_latency(tuned.model, study.info.input_shape, device=device)
        point = measure_point(study, tuned, dataset, ranking, ranking_id, macs, latency, device, provenance)
        run = FineTuned(
            key=key,
            keep_id=network.keep_id,
            macs_fraction=network.macs_fraction,
            settings=asdict(settings),
            top1_before=before.top1,
            top1=point.top1,
            heldout_top1=result.curve[result.best_epoch]["heldout_top1"],
            epochs=len(result.curve),
            seconds=made["seconds"],
            curve=result.curve,
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            ranking=ranking,
            made=made,
        )
        study.add_point(replace(point, made=made))
        study.save_finetuned(run)  # last: a run with a record is finished, its point included
        checkpoint.unlink(missing_ok=True)
    return run


def teacher_cache(study: Study, settings: TrainSettings, device: torch.device) -> Path:
    """Where this machine caches the original's logits for the images of runs with these settings."""
    info = study.info
    images = [info.data_fingerprint, info.classes, info.split_seed, info.input_shape, dict(info.normalization)]
    order = [AUGMENTATION, settings.seed, settings.batch]
    told = [info.model, info.weights_sha256, *images, *order, torch.__version__, device_name(device)]
    # "lessons" is what earlier versions called it: the folder is shared with them, and its size is limited.
    return cache_folder() / "lessons" / hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _known_latency(study: Study, network: Network, name: RankingName, device: torch.device) -> Latency | None:
    """What `measure` found here for this network before fine-tuning, which changes its values but not its shapes."""
    same = (name, study.ranking_id(name), network.macs, network.params)
    taken = (p.latency for p in study.points if p.latency and (p.ranking, p.ranking_id, p.macs, p.params) == same)
    here = (machine_name(device), 1, False)
    return next((latency for latency in taken if (latency.machine, latency.batch, latency.hindered) == here), None)


def _digest(settings: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
