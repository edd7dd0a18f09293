"""Fine-tune the network of a budget, keep its weights, and put it on the frontier.

It does not know how training works.
"""

import hashlib
import json
import time
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import nn

from legr.commands.measure import measure_point
from legr.commands.network import Network, images_of, network_at, normalization_of, original, ready
from legr.deploy.latency import measure_latency
from legr.progress import Report
from legr.ranking.limits import Budget
from legr.study.records import FineTuned, Latency
from legr.study.store import Study, keep_id
from legr.training.evaluate import score
from legr.training.settings import TrainSettings
from legr.training.train import train
from legr.training.weights import save_weights


def finished_finetune(study: Study, budget: Budget, settings: TrainSettings) -> dict[str, Any] | None:
    """The result of a finished run of these settings, or None; nothing is loaded for that.

    Raises:
        BudgetError: the budget is out of range or below the floor.
    """
    key = _key(keep_id(study.curve().at(budget)), settings)
    done = next((run for run in study.finetuned if run.key == key), None)
    return _result(study, done) if done else None


def run_finetune(
    study: Study, budget: Budget, settings: TrainSettings, device: torch.device, report: Report
) -> dict[str, Any]:
    """Train the default ranking's network at a budget; a finished run of the same settings returns at once."""
    found = finished_finetune(study, budget, settings)
    if found is not None:
        return found
    model = original(study)
    network = network_at(study, model, budget, finetuned=False)
    limits = dict(budget.limits())
    asked = limits["macs"] if set(limits) == {"macs"} else network.macs_fraction  # a point has a fraction of MACs
    return _result(
        study, _train(study, model, network, _key(network.keep_id, settings), asked, settings, device, report)
    )


def _result(study: Study, run: FineTuned) -> dict[str, Any]:
    return {
        "macs_fraction": run.macs_fraction,
        "top1_before": run.top1_before,
        "top1": run.top1,
        "epochs": run.epochs,
        "seconds": run.seconds,
        "weights": str(study.finetuned_weights(run.key)),
    }


def _key(keep: str, settings: TrainSettings) -> str:
    return f"{keep}-{_digest(asdict(settings))}"


def _train(
    study: Study,
    model: nn.Module,
    network: Network,
    key: str,
    macs: float,
    settings: TrainSettings,
    device: torch.device,
    report: Report,
) -> FineTuned:
    dataset, normalization = images_of(study, report), normalization_of(study)
    start, _ = ready(study, network, dataset, device)  # statistics of an earlier network would judge the first epochs
    before = score(start, dataset.test, normalization, device=device)
    checkpoint = study.path / "checkpoints" / f"{key}.safetensors"
    with study.lock("finetune"):
        result = train(
            start,
            model,
            dataset,
            normalization,
            settings,
            device=device,
            checkpoint=checkpoint,
            report=report,
        )
        save_weights(result.model, study.finetuned_weights(key), {"made_by": "legr", "data": dataset.fingerprint})
        tuned = replace(network, model=result.model)
        provenance = {"key": key, **asdict(settings)}
        latency = _known_latency(study, network) or measure_latency(tuned.model, study.info.input_shape, device=device)
        point = measure_point(study, tuned, dataset, study.default_ranking, macs, latency, device, provenance)
        run = FineTuned(
            key=key,
            keep_id=network.keep_id,
            macs_fraction=network.macs_fraction,
            settings=asdict(settings),
            top1_before=before.top1,
            top1=point.top1,
            heldout_top1=result.curve[result.best_epoch]["heldout_top1"],
            epochs=settings.epochs,
            seconds=round(sum(epoch["seconds"] for epoch in result.curve), 1),
            curve=result.curve,
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )
        study.add_point(point)
        study.save_finetuned(run)  # last: a run with a record is finished, its point included
        checkpoint.unlink(missing_ok=True)
    return run


def _known_latency(study: Study, network: Network) -> Latency | None:
    """What `measure` found for this network before fine-tuning, which changes its values but not its shapes."""
    name = study.default_ranking
    same = (name, study.ranking_id(name), network.macs, network.params)
    known = (p for p in study.points if (p.ranking, p.ranking_id, p.macs, p.params) == same)
    return next((p.latency for p in known if p.latency and p.latency.batch == 1), None)


def _digest(settings: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
