"""Score one network of a study on test images.

It does not store anything.
"""

from typing import Any

import torch

from legr.commands.network import images_of, network_at, normalization_of, original, ready
from legr.progress import Report
from legr.ranking.limits import Budget
from legr.study.records import RankingName
from legr.study.store import Study
from legr.training.evaluate import score


def evaluate(
    study: Study,
    budget: Budget,
    ranking: RankingName | None,
    finetuned: bool,
    device: torch.device,
    report: Report,
) -> dict[str, Any]:
    """Top-1 and loss in float32 on the test images; below the full budget with the better statistics.

    The loss is None where an output is no number.
    """
    network = network_at(study, original(study), budget, ranking=ranking, finetuned=finetuned)
    dataset = images_of(study, report)
    model, recalibrated = ready(study, network, dataset, device)
    found = score(model, dataset.test, normalization_of(study), device=device)
    return {
        "top1": found.top1,
        "loss": found.known_loss,
        "images": found.images,
        "recalibrated": recalibrated,
        "finetuned": network.run is not None,
        "macs": network.macs,
        "macs_fraction": network.macs_fraction,
        "params": network.params,
        "ranking": ranking or study.default_ranking,
    }
