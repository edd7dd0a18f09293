"""Score one network of a study on the test images; the score is not stored."""

import torch

from legr.commands.images import images_of
from legr.commands.network import at_height_of, choose_statistics, network_at
from legr.commands.original import original
from legr.commands.results import Evaluation
from legr.progress import Report
from legr.ranking.limits import Budget
from legr.study.records import RankingName
from legr.study.store import Study
from legr.training.evaluate import evaluate_split


def evaluate(
    study: Study,
    budget: Budget,
    ranking: RankingName | None,
    finetuned: bool,
    device: torch.device,
    report: Report,
    *,
    height: int | None = None,
) -> Evaluation:
    """Top-1 and loss in float32, with the batch-norm statistics that do better on held-out images.

    Args:
        height: that the images are scaled to; None leaves them as they are.

    Raises:
        SettingsError: the network cannot take images of that height.
        BudgetError: the budget is out of range or below the floor.
        DataError: the images are not on this machine.
    """
    ranking = ranking or study.default_ranking  # a search that ends meanwhile changes it
    network = network_at(study, original(study), budget, ranking=ranking, finetuned=finetuned, height=height)
    dataset = images_of(study, report)
    reported = choose_statistics(study, network, dataset, device, report)
    test = evaluate_split(reported.model, at_height_of(network, dataset).test, study.info.normalization, device=device)
    return Evaluation(
        top1=test.top1,
        loss=test.finite_loss,
        images=test.images,
        recalibrated=reported.recalibrated,
        calibration=reported.calibration.key,
        finetuned=network.run is not None,
        macs=network.macs,
        macs_fraction=network.macs_fraction,
        params=network.params,
        ranking=ranking,
        supernet=network.supernet_key,
    )
