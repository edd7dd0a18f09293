"""Predictions of the original and a smaller network of a study on its test images, as stored in `compared/`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from legr.errors import StudyError
from legr.files import write_safetensors
from legr.record import Record
from legr.schema import Name, Share, parse
from legr.structure.types import Keep
from legr.study.records import FineTuned, RankingName, Side
from legr.study.store import Study, keep_id
from legr.study.supernets import SupernetRun
from legr.study.tensor_file import damaged_tensors, reading
from legr.training.calibration import PLAIN, Calibration

_FOLDER, _ORIGINAL = "compared", "original"
_REMEDY = "compare again, which replaces it"

TOP = 5  # classes that are stored of each image
OUTCOMES = ("both", "only_original", "only_pruned", "neither")  # who is right


@dataclass(frozen=True, eq=False, slots=True)
class Predictions:
    """The most probable classes of every test image.

    Attributes:
        classes: int32[N, K], the most probable first; N = images, K = at most `TOP`.
        probabilities: float32[N, K], in [0, 1].
    """

    classes: NDArray[np.int32]
    probabilities: NDArray[np.float32]

    @property
    def first(self) -> NDArray[np.int32]:
        """The most probable class of each image, int32[N]."""
        return self.classes[:, 0]


@dataclass(frozen=True, slots=True)
class ComparedNetwork(Record):
    """Which network was compared with the original."""

    ranking: RankingName
    macs_fraction: Share
    keep_id: Name
    finetuned: bool
    recalibrated: bool
    calibration: Name = ""  # key of what its batch norms are recalibrated on; "": an earlier version, so plain images
    supernet: Name = ""  # key of the supernet whose weights it has
    height: Side | None = None  # of the images that it takes, pixels; None: the study's own

    def is_of(self, calibration: Calibration) -> bool:
        """Whether its batch norms are recalibrated on these images; those of the original never are."""
        is_original = self.macs_fraction == 1 and not (self.finetuned or self.supernet or self.height)
        return is_original or (self.calibration or PLAIN.key) == calibration.key

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without what was not noted."""
        data = Record.to_dict(self)
        later = ("calibration", "supernet", "height")
        return {name: value for name, value in data.items() if value or name not in later}


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """Two networks on the same test images.

    Attributes:
        network: the smaller one.
        labels: int32[N].
        numbers: int32[M], indices of images on which the two differ, of which pictures are stored.
        pictures: uint8[M, C, H, W] of these.
    """

    network: ComparedNetwork
    labels: NDArray[np.int32]
    original: Predictions
    pruned: Predictions
    numbers: NDArray[np.int32]
    pictures: NDArray[np.uint8]

    @property
    def differ(self) -> NDArray[np.bool_]:
        """Where the two predict different classes, bool[N]."""
        return np.not_equal(self.original.first, self.pruned.first)

    def outcome(self) -> NDArray[np.int8]:
        """Who is right on each image, int8[N]: indices of `OUTCOMES`."""
        original, pruned = (np.not_equal(of.first, self.labels) for of in (self.original, self.pruned))
        outcome: NDArray[np.int8] = (2 * original + pruned).astype(np.int8)
        return outcome

    def counts(self) -> dict[str, int]:
        """Images by who is right; they add up to all."""
        counts = np.bincount(self.outcome(), minlength=len(OUTCOMES))
        return dict(zip(OUTCOMES, counts.tolist(), strict=True))


def between(first: Comparison, second: Comparison) -> Comparison:
    """Compare two networks with each other of which each was compared with the original.

    Where they differ, at least one of them differs from the original, so the pictures of both are all there are.

    Returns:
        A comparison in which the first takes the place of the original.
    """
    numbers = np.concatenate([second.numbers, first.numbers])
    pictures = np.concatenate([second.pictures, first.pictures])
    numbers, places = np.unique(numbers, return_index=True)
    shown = np.not_equal(first.pruned.first, second.pruned.first)[numbers]
    return replace(second, original=first.pruned, numbers=numbers[shown], pictures=pictures[places][shown])


def comparison_name(keep: Keep, run: FineTuned | SupernetRun | None, height: int | None = None) -> str:
    """Name of a comparison: another kept set, other weights or images of another height are another comparison.

    Args:
        run: that trained the weights; None: they are the original's.
        height: of the images that the network takes; None: the study's own.
    """
    return f"{keep_id(keep)}-{run_tag(run) if run else 'pruned'}" + ("" if height is None else f"-{height}")


def run_tag(run: FineTuned | SupernetRun) -> str:
    """What names of files have of the run whose weights they are about."""
    return hashlib.sha256(f"{run.key} {run.created}".encode()).hexdigest()[:8]


def save_original(study: Study, labels: NDArray[np.int32], predictions: Predictions) -> None:
    """Store the labels, int32[N], and the original's predictions."""
    _write(study, _ORIGINAL, {"labels": labels, **_arrays(predictions)}, {})


def save_comparison(study: Study, name: str, comparison: Comparison) -> None:
    """Store a network's predictions; the original's are there already."""
    tensors = {**_arrays(comparison.pruned), "numbers": comparison.numbers, "pictures": comparison.pictures}
    _write(study, name, tensors, {"network": json.dumps(comparison.network.to_dict())})


def load_original(study: Study) -> tuple[NDArray[np.int32], Predictions] | None:
    """Labels, int32[N], and the original's predictions; None where nothing was compared yet.

    Raises:
        StudyError: the file is damaged.
    """
    path = _path(study, _ORIGINAL)
    if not path.exists():
        return None
    with reading(path, _REMEDY) as (tensors, _):
        labels = _indices(tensors["labels"], 1, study.info.num_classes)
        return labels, _predictions(tensors, len(labels), study.info.num_classes)


def load_comparison(study: Study, name: str) -> Comparison | None:
    """A stored comparison; None where there is none of that name, or its batch norms were recalibrated on other images.

    Raises:
        StudyError: a file of it is damaged or missing.
    """
    path = _path(study, name)
    if not path.exists():
        return None
    original = load_original(study)
    if original is None:
        raise damaged_tensors(_path(study, _ORIGINAL), "it is missing", _REMEDY)
    labels, predictions = original
    with reading(path, _REMEDY) as (tensors, metadata):
        pruned = _predictions(tensors, len(labels), study.info.num_classes)
        numbers, pictures = _indices(tensors["numbers"], 1, len(labels)), tensors["pictures"]
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[1] not in (1, 3):
            raise ValueError("its pictures have an unknown form")
        if len(pictures) != len(numbers):
            raise ValueError(f"{len(pictures)} pictures of {len(numbers)} images")
        comparison = Comparison(_network(metadata), labels, predictions, pruned, numbers, pictures)
    return comparison if comparison.network.is_of(study.calibration) else None


def list_compared(study: Study) -> list[ComparedNetwork]:
    """Networks that were compared with the study's batch norms, largest first; damaged files are left out."""
    calibration = study.calibration
    networks = [network for network in _read_headers(study)[0] if network.is_of(calibration)]
    return sorted(networks, key=lambda network: -network.macs_fraction)


def damaged_comparisons(study: Study) -> list[str]:
    """A sentence for each damaged file, which `list_compared` leaves out."""
    return _read_headers(study)[1]


def _read_headers(study: Study) -> tuple[list[ComparedNetwork], list[str]]:
    networks, damaged = [], []
    for path in study.files(_FOLDER, "*-*.safetensors"):
        try:
            with reading(path, _REMEDY, tensors=False) as (_, metadata):
                networks.append(_network(metadata))
        except StudyError as error:
            damaged.append(str(error))
    return networks, damaged


def _path(study: Study, name: str) -> Path:
    return study.within(_FOLDER, f"{name}.safetensors")


def _write(study: Study, name: str, tensors: Mapping[str, NDArray[Any]], metadata: dict[str, str]) -> None:
    study.require_writable()
    content = save({key: np.ascontiguousarray(value) for key, value in tensors.items()}, metadata)
    write_safetensors(_path(study, name), content)


def _arrays(predictions: Predictions) -> dict[str, NDArray[Any]]:
    return {"classes": predictions.classes, "probabilities": predictions.probabilities}


def _predictions(tensors: Mapping[str, NDArray[Any]], images: int, n_classes: int) -> Predictions:
    classes, probabilities = _indices(tensors["classes"], 2, n_classes), tensors["probabilities"]
    if probabilities.dtype != np.float32 or not (probabilities.shape == classes.shape == (images, classes.shape[1])):
        raise ValueError(f"predictions for {len(classes)} images, and there are {images}")
    if not bool(((probabilities >= 0) & (probabilities <= 1)).all()) or classes.shape[1] == 0:
        raise ValueError("its probabilities are out of range")
    return Predictions(classes, probabilities)


def _indices(array: NDArray[Any], dimensions: int, below: int) -> NDArray[np.int32]:
    if array.dtype != np.int32 or array.ndim != dimensions:
        raise ValueError("it has an unknown form")
    if array.size and not 0 <= array.min() <= array.max() < below:
        raise ValueError(f"an index is out of range (0 to {below - 1})")
    return array


def _network(metadata: Mapping[str, str]) -> ComparedNetwork:
    return parse(metadata["network"], ComparedNetwork)
