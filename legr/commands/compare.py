"""Compare a pruned network with the original on every test image, and store both predictions in the study.

A stored comparison is not made again.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from legr.commands.images import images_of
from legr.commands.network import ReportedNetwork, at_height_of, choose_statistics, requested_network
from legr.commands.original import original
from legr.commands.prediction_results import ComparisonResult
from legr.commands.statistics_cache import store_statistics
from legr.data.images import Dataset, Split
from legr.errors import StudyError
from legr.progress import Progress, Report
from legr.requests.measure import CompareRequest
from legr.study.along import PICTURE_SIDE
from legr.study.comparison import (
    TOP,
    ComparedNetwork,
    Comparison,
    Predictions,
    comparison_name,
    load_comparison,
    load_original,
    save_comparison,
    save_original,
)
from legr.study.heights import other_height
from legr.study.records import RankingName
from legr.study.store import Study
from legr.study.trained import chosen_network
from legr.training.calibration import PLAIN
from legr.training.evaluate import predict_topk

PICTURES = 1000  # stored, of images on which the two differ, so that a page shows them without the data set
STAGE = "test image"


def stored_comparison(study: Study, request: CompareRequest) -> ComparisonResult | None:
    """The result of a stored comparison; None where there is none, it is damaged or its batch norms were others.

    No network is loaded.

    Raises:
        StudyError: there is no such run, or its kept set is lost.
        BudgetError: the budget is out of range or below the floor.
    """
    height = other_height(study, request.size)
    chosen = chosen_network(
        study, request.budget, request.ranking, trained=request.finetuned, run=request.run, height=height
    )
    name = comparison_name(chosen.keep, chosen.run, height)
    try:
        comparison = load_comparison(study, name)
    except StudyError:
        return None
    return _result(name, comparison) if comparison else None


def compare(study: Study, request: CompareRequest, device: torch.device, report: Report) -> ComparisonResult:
    """Predict every test image with both networks, in float32 and with the statistics that `measure` takes.

    The original takes them at the study's own size.

    Raises:
        SettingsError: the network cannot take images of that height.
        StudyError, BudgetError: as `stored_comparison`.
    """
    ranking = request.ranking or study.default_ranking  # a search that ends meanwhile changes it
    request = replace(request, ranking=ranking)
    finished = stored_comparison(study, request)
    if finished is not None:
        return finished
    original_model = original(study)
    network = requested_network(study, original_model, request)
    dataset = images_of(study, report)
    labels, of_original = _original(study, original_model, dataset, device, report)
    report(Progress("choosing the statistics of the batch norms", 0, 1))
    network = choose_statistics(study, network, dataset, device, report)
    of_pruned = _predict(study, network.model, at_height_of(network, dataset).test, device, report)
    numbers = np.flatnonzero(of_original.first != of_pruned.first)[:PICTURES].astype(np.int32)
    comparison = Comparison(
        _described(network, ranking),
        labels,
        of_original,
        of_pruned,
        numbers,
        pictures_of(dataset.test.images[torch.from_numpy(numbers).long()]),
    )
    name = comparison_name(network.keep, network.trained_by, network.height)
    store_statistics(study, network)
    save_comparison(study, name, comparison)  # last: a comparison that is there is finished
    return _result(name, comparison)


def pictures_of(images: Tensor) -> NDArray[np.uint8]:
    """Scale images down so that no side is longer than `PICTURE_SIDE`: uint8[N, C, H, W] both."""
    height, width = images.shape[2:]
    scale = PICTURE_SIDE / max(height, width)
    if scale >= 1 or len(images) == 0:
        return images.cpu().numpy()
    size = max(1, round(scale * height)), max(1, round(scale * width))
    small = [
        interpolate(chunk.float(), size, mode="bilinear", antialias=True).round().clamp(0, 255).to(torch.uint8)
        for chunk in images.split(64)
    ]
    return torch.cat(small).cpu().numpy()


def _original(
    study: Study, model: nn.Module, dataset: Dataset, device: torch.device, report: Report
) -> tuple[NDArray[np.int32], Predictions]:
    """Labels, int32[N], and the original's predictions, which are made once a study."""
    with suppress(StudyError):  # damaged: made again
        stored = load_original(study)
        if stored is not None:
            return stored
    labels = dataset.test.labels.numpy().astype(np.int32)
    predictions = _predict(study, model, dataset.test, device, report)
    save_original(study, labels, predictions)
    return labels, predictions


def _predict(study: Study, model: nn.Module, split: Split, device: torch.device, report: Report) -> Predictions:
    normalization, progress = study.info.normalization, _progress(len(split), report)
    classes, probabilities = predict_topk(model, split, normalization, device=device, top=TOP, progress=progress)
    # Logits of a network that is pruned hard may be infinite, and its probabilities NaN.
    return Predictions(classes.numpy().astype(np.int32), probabilities.nan_to_num(0).clamp(0, 1).numpy())


def _progress(total: int, report: Report) -> Callable[[int], None]:
    """A callback that reports after every hundredth of the images."""
    start, reported = time.monotonic(), 0

    def progress(images: int) -> None:
        nonlocal reported
        if images == total or images - reported >= total / 100:
            reported = images
            report(Progress(STAGE, images, total, (time.monotonic() - start) / images * (total - images)))

    return progress


def _described(network: ReportedNetwork, ranking: RankingName) -> ComparedNetwork:
    tuned, calibration = network.run is not None, network.calibration.key
    facts = ranking, network.macs_fraction, network.keep_id, tuned, network.recalibrated, calibration
    return ComparedNetwork(*facts, network.supernet_key, network.height)


def _result(name: str, comparison: Comparison) -> ComparisonResult:
    network, images, counts = comparison.network, len(comparison.labels), comparison.counts()
    return ComparisonResult(
        comparison=name,
        images=images,
        **counts,
        differ=int(comparison.differ.sum()),
        top1_original=(counts["both"] + counts["only_original"]) / images,
        top1=(counts["both"] + counts["only_pruned"]) / images,
        macs_fraction=network.macs_fraction,
        ranking=network.ranking,
        finetuned=network.finetuned,
        recalibrated=network.recalibrated,
        calibration=network.calibration or PLAIN.key,
        supernet=network.supernet,
        height=network.height,
    )
