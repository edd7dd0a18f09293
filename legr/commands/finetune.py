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
from legr.progress import Report
from legr.study.records import FineTuned
from legr.study.store import Study
from legr.training.evaluate import score
from legr.training.finetune import FineTuneSettings, finetune
from legr.training.weights import save_weights


def run_finetune(
    study: Study, macs: float, settings: FineTuneSettings, device: torch.device, report: Report
) -> dict[str, Any]:
    """Train the default ranking's network at a budget; a finished run of the same settings returns at once."""
    model = original(study)
    network = network_at(study, model, macs, finetuned=False)
    key = f"{network.keep_id}-{_digest(asdict(settings))}"
    done = next((run for run in study.finetuned if run.key == key), None)
    if done is None:
        done = _train(study, model, network, key, macs, settings, device, report)
    return {
        "macs_fraction": done.macs_fraction,
        "top1_before": done.top1_before,
        "top1": done.top1,
        "epochs": done.epochs,
        "seconds": done.seconds,
        "weights": str(study.finetuned_weights(key)),
    }


def _train(
    study: Study,
    model: nn.Module,
    network: Network,
    key: str,
    macs: float,
    settings: FineTuneSettings,
    device: torch.device,
    report: Report,
) -> FineTuned:
    dataset, normalization = images_of(study, report), normalization_of(study)
    before = score(ready(study, network, dataset, device)[0], dataset.test, normalization, device=device)
    checkpoint = study.path / "checkpoints" / f"{key}.safetensors"
    with study.lock("finetune"):
        result = finetune(
            network.model,
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
        point = measure_point(study, tuned, dataset, study.default_ranking, macs, 1, None, device, provenance)
        run = FineTuned(
            key=key,
            keep_id=network.keep_id,
            macs_fraction=network.macs_fraction,
            settings=asdict(settings),
            top1_before=before.top1,
            top1=point.top1,
            heldout_top1=result.curve[-1]["heldout_top1"],
            epochs=settings.epochs,
            seconds=round(sum(epoch["seconds"] for epoch in result.curve), 1),
            curve=result.curve,
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )
        study.save_finetuned(run)
        study.add_point(point)
        checkpoint.unlink(missing_ok=True)
    return run


def _digest(settings: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
