"""Predict one image with the original and the pruned network: any file, or a test image of the study."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from legr.commands.images import images_of
from legr.commands.loaded import LoadedNetworks, files_of
from legr.commands.network import NormStatistics, requested_network
from legr.commands.original import original
from legr.commands.questions import LookResult, Picture, Prediction
from legr.commands.statistics_cache import recall_statistics
from legr.data.images import Dataset, Split
from legr.data.single import fitted, open_image
from legr.data.sizes import HEIGHTS, scaled_shape
from legr.errors import SettingsError, StudyError
from legr.progress import Report
from legr.requests.measure import LookRequest
from legr.structure.model_io import deep_copy
from legr.study.comparison import TOP, comparison_name
from legr.study.heights import other_height
from legr.study.store import Study
from legr.training.device import pick_device
from legr.training.evaluate import predict_topk

MAX_SIDE = 640  # pixels of an image in the result
MAX_PNG_SIDE = 320  # pixels; larger images are stored as JPEG


@dataclass(frozen=True, slots=True)
class NumberedTestImage:
    """A test image of the study by its number, from 1 on."""

    number: int


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """One image, as a network takes it.

    Attributes:
        pixels: uint8[C, H, W], before normalization.
        label: index of its class; None where it is not known.
        preparation: in words, how it was made to fit the network.
        file_image: the image before preparation; None for a test image.
    """

    pixels: NDArray[np.uint8]
    label: int | None
    preparation: str
    file_image: Image.Image | None = None

    @property
    def split(self) -> Split:
        """It alone; where its label is not known, that is 0."""
        return Split(torch.from_numpy(self.pixels[None].copy()), torch.tensor([self.label or 0]))


def look(
    study: Study,
    request: LookRequest,
    image: Path | NumberedTestImage,
    report: Report,
    *,
    network_name: str | None = None,
    loaded: LoadedNetworks | None = None,
    show: Callable[[Picture], None] = lambda picture: None,
) -> LookResult:
    """What both networks predict, and the image as the smaller one sees it; nothing about the image is stored.

    The original sees it at the study's own size.

    Args:
        network_name: `comparison_name` of the network that is meant; None takes any.
        loaded: networks that stay loaded for the next call.
        show: told of the image, before the networks are run.

    Raises:
        StudyError: there is no such run, its kept set is lost, or another network than the one that is meant is there.
        BudgetError: the budget is out of range or below the floor.
        DataError: the file is no image that can be read, or the test images are not on this machine.
        SettingsError: there is no test image of that number, no such device, or the network cannot take such images.
    """
    device, height = pick_device(request.device), other_height(study, request.size)
    images, loaded = cache(lambda: images_of(study, report)), loaded or LoadedNetworks()
    own = _from_file(study, image, None) if isinstance(image, Path) else _from_test_images(images(), image.number)
    shown = own
    if height is not None:
        HEIGHTS.require("size", height)
        shown = _from_file(study, image, height) if isinstance(image, Path) else _at_height(own, height)
    number = None if isinstance(image, Path) else image.number
    picture = Picture(
        label=shown.label,
        test_image=number,
        test_images=None if number is None else len(images().test),
        preparation=shown.preparation,
        network_input=_encoded(_as_image(shown.pixels)),
        file_image=_encoded(shown.file_image) if shown.file_image else None,
    )
    show(picture)
    ranking, files = request.ranking or study.default_ranking, files_of(study)
    original_model = loaded.originals.get(files, lambda: original(study))
    network = loaded.pruned.get(
        (files, request.budget, ranking, request.finetuned, request.run, height),
        lambda: requested_network(study, original_model, replace(request, ranking=ranking)),
    )
    if network_name not in (None, comparison_name(network.keep, network.trained_by, network.height)):
        raise StudyError(
            f"the ranking, the shape or the weights of {study.path.name} at this budget have changed since "
            "the page was drawn; open the page again"
        )
    network = replace(network, model=deep_copy(network.model))  # what is loaded is never run
    network = recall_statistics(study, network, images, device)
    return LookResult(
        **vars(picture),
        original=_predictions(study, deep_copy(original_model), own, device),
        pruned=_predictions(study, network.model, shown, device),
        macs_fraction=network.macs_fraction,
        ranking=ranking,
        finetuned=network.run is not None,
        epochs=network.run.epochs if network.run else None,
        recalibrated=network.recalibrated,
        calibration=network.calibration.key,
        supernet=network.supernet_key,
        height=network.height,
        statistics_known=network.statistics is not NormStatistics.UNDECIDED,
    )


def _from_file(study: Study, path: Path, height: int | None) -> LoadedImage:
    image = open_image(path)
    pixels, preparation = fitted(image, scaled_shape(study.info.input_shape, height))
    return LoadedImage(pixels, None, preparation, image)


def _from_test_images(dataset: Dataset, number: int) -> LoadedImage:
    if not 1 <= number <= len(dataset.test):
        raise SettingsError(f"a test image has a number from 1 to {len(dataset.test)}, got {number}")
    pixels = dataset.test.images[number - 1].numpy()
    preparation = f"{pixels.shape[2]} x {pixels.shape[1]} pixels, as all images of the study are prepared"
    return LoadedImage(pixels, int(dataset.test.labels[number - 1]), preparation)


def _at_height(image: LoadedImage, height: int) -> LoadedImage:
    """A test image as a network of images of another height takes it."""
    pixels = image.split.at_height(height).images[0].numpy()
    preparation = f"{image.preparation}, scaled to {pixels.shape[2]} x {pixels.shape[1]}"
    return replace(image, pixels=pixels, preparation=preparation)


def _predictions(study: Study, model: nn.Module, loaded: LoadedImage, device: torch.device) -> tuple[Prediction, ...]:
    classes, probabilities = predict_topk(model, loaded.split, study.info.normalization, device=device, top=TOP)
    return tuple(
        Prediction(index, study.info.classes[index], probability)
        for index, probability in zip(classes[0].tolist(), probabilities[0].nan_to_num(0).tolist(), strict=True)
    )


def _as_image(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))


def _encoded(image: Image.Image) -> str:
    """An image as base64, scaled down to `MAX_SIDE`: PNG, or JPEG where a side is longer than `MAX_PNG_SIDE`."""
    small = image.copy()
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    stream = io.BytesIO()
    if max(small.size) > MAX_PNG_SIDE:
        small.save(stream, "JPEG", quality=90)
    else:
        small.save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")
