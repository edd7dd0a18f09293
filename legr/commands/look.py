"""Ask the original and the network of a budget about one image: any file, or a test image of the study."""

import base64
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from legr.commands.images import images_of
from legr.commands.network import network_at
from legr.commands.original import original
from legr.commands.results import LookResult, Prediction
from legr.commands.statistics_cache import recall_statistics
from legr.data.images import Dataset, Split
from legr.data.single import fitted, open_image
from legr.errors import SettingsError
from legr.progress import Report
from legr.ranking.limits import Budget
from legr.study.comparison import TOP
from legr.study.records import RankingName
from legr.study.store import Study
from legr.training.evaluate import predict_topk

SHOWN_SIDE = 640  # pixels of a picture as people see it


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """One image, as a network takes it.

    Attributes:
        pixels: uint8[C, H, W], before normalization.
        label: index of its class; None where it is not known.
        prepared: in words, how it was made to fit the network.
        picture: the file as it was; None of a test image.
    """

    pixels: NDArray[np.uint8]
    label: int | None
    prepared: str
    picture: Image.Image | None = None


def look(
    study: Study,
    budget: Budget,
    ranking: RankingName | None,
    finetuned: bool,
    image: Path | int,
    device: torch.device,
    report: Report,
) -> LookResult:
    """What both networks predict, and the image as they see it; nothing is stored in the study.

    Args:
        image: a file, or the number of a test image, from 1.

    Raises:
        BudgetError: the budget is out of range or below the floor.
        DataError: the file is no image that can be read, or the test images are not on this machine.
        SettingsError: there is no test image of that number.
    """
    images = cache(lambda: images_of(study, report))
    loaded = _from_file(study, image) if isinstance(image, Path) else _from_test_images(images(), image)
    dense = original(study)
    network = network_at(study, dense, budget, ranking=ranking, finetuned=finetuned)
    network = recall_statistics(study, network, images, device)
    return LookResult(
        original=_predictions(study, dense, loaded, device),
        pruned=_predictions(study, network.model, loaded, device),
        label=loaded.label,
        test_image=image if isinstance(image, int) else None,
        test_images=len(images().test) if isinstance(image, int) else None,
        prepared=loaded.prepared,
        seen=_encoded(_as_image(loaded.pixels)),
        picture=_encoded(loaded.picture) if loaded.picture else None,
        macs_fraction=network.macs_fraction,
        ranking=ranking or study.default_ranking,
        finetuned=network.run is not None,
        epochs=network.run.epochs if network.run else None,
        recalibrated=network.statistics == "recalibrated",
        statistics_known=network.statistics != "undecided",
    )


def _from_file(study: Study, path: Path) -> LoadedImage:
    picture = open_image(path)
    pixels, words = fitted(picture, study.info.input_shape)
    return LoadedImage(pixels, None, words, picture)


def _from_test_images(dataset: Dataset, number: int) -> LoadedImage:
    if not 1 <= number <= len(dataset.test):
        raise SettingsError(f"a test image has a number from 1 to {len(dataset.test)}, got {number}")
    pixels = dataset.test.images[number - 1].numpy()
    words = f"{pixels.shape[2]} x {pixels.shape[1]} pixels, as all images of the study are prepared"
    return LoadedImage(pixels, int(dataset.test.labels[number - 1]), words)


def _predictions(study: Study, model: nn.Module, loaded: LoadedImage, device: torch.device) -> tuple[Prediction, ...]:
    split = Split(torch.from_numpy(loaded.pixels[None].copy()), torch.zeros(1, dtype=torch.int64))
    classes, probabilities = predict_topk(model, split, study.info.normalization, device=device, top=TOP)
    return tuple(
        Prediction(index, study.info.classes[index], probability)
        for index, probability in zip(classes[0].tolist(), probabilities[0].nan_to_num(0).tolist(), strict=True)
    )


def _as_image(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))


def _encoded(image: Image.Image) -> str:
    """An image as base64, small enough to be shown: PNG, or JPEG where it is a photograph's size."""
    shown = image.copy()
    shown.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    stream = io.BytesIO()
    if max(shown.size) > SHOWN_SIDE // 2:
        shown.save(stream, "JPEG", quality=90)
    else:
        shown.save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")
