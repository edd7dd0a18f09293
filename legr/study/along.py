"""What networks along a ranking predict for every test image, as stored in `along/`; loads without torch.

Dims of arrays: B networks, the original first and the smallest last; N test images; M images whose pictures are kept.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from safetensors.numpy import save

from legr.errors import StudyError
from legr.files import write_safetensors
from legr.record import Record
from legr.schema import Name, Several, Share, parse
from legr.study.provenance import UNKNOWN
from legr.study.records import RANKINGS, Key, Made, RankingName
from legr.study.store import Study
from legr.study.supernets import supernet_of
from legr.study.tensor_file import reading

FOLDER = "along"
PICTURE_SIDE = 64  # pixels, of the longer side at most
OF_CLASSES, CHANGED = 12, 12  # images whose pictures are kept: of different classes, and those that change first
_INFO = "about"


@dataclass(frozen=True)
class NetworkAlong(Record):
    """One of the networks."""

    keep_id: Name
    macs_fraction: Share


@dataclass(frozen=True)
class AboutAlong(Record):
    """Which networks predicted."""

    ranking: RankingName
    ranking_id: Name  # see `Study.ranking_id`
    supernet: Key | None  # the one whose weights they have; None: those of the original, pruned
    trained: Name  # when it was trained: the same settings give the same key again; "" without one
    calibration: Name  # key of what batch norms are recalibrated on
    networks: Annotated[Several[NetworkAlong], Field(min_length=2)]  # the original first, then smaller and smaller ones
    provenance: Made = UNKNOWN


@dataclass(frozen=True, eq=False, slots=True)
class PredictionsAlong:
    """Predictions of several networks for the same test images.

    Attributes:
        labels: int32[N].
        classes: int32[B, N], the most probable class.
        numbers: int32[M], indices of the images of which there is more.
        probabilities: float32[B, M], of these images' most probable classes, in [0, 1].
        pictures: uint8[M, C, H, W].
    """

    about: AboutAlong
    labels: NDArray[np.int32]
    classes: NDArray[np.int32]
    numbers: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    pictures: NDArray[np.uint8]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Where the most probable class is the image's own, bool[B, N]."""
        return np.equal(self.classes, self.labels)

    @property
    def top1(self) -> NDArray[np.float64]:
        """Of each network, float64[B], in [0, 1]."""
        return np.asarray(self.right.mean(axis=1), dtype=np.float64)

    @property
    def of_classes(self) -> NDArray[np.int64]:
        """Indices of images of different classes whose pictures are kept."""
        return one_of_each_class(self.labels, self.right[0])

    @property
    def changing(self) -> NDArray[np.int64]:
        """Indices of the images whose prediction changes first, whose pictures are kept."""
        return changed_first(self.classes)[:CHANGED]

    def top1_of_classes(self, n_classes: int) -> NDArray[np.float64]:
        """Of each network on the images of each class, float64[B, classes]; nan for a class without images."""
        images = np.bincount(self.labels, minlength=n_classes)
        right = np.stack([np.bincount(self.labels[row], minlength=n_classes) for row in self.right])
        return np.where(images > 0, right / np.maximum(images, 1), np.nan)


def changed_first(classes: NDArray[np.int32]) -> NDArray[np.int64]:
    """Indices of images whose prediction changes along the networks, the first to change first.

    Of those that change at the same network the one whose prediction is another for most of the smaller ones comes
    first, then the one with the lower number.

    Args:
        classes: int32[B, N], of the original first.
    """
    other = np.not_equal(classes[1:], classes[0])
    changing = np.flatnonzero(other.any(axis=0))
    first = other[:, changing].argmax(axis=0)
    order = np.lexsort((changing, -other[:, changing].sum(axis=0), first))
    return changing[order].astype(np.int64)


def one_of_each_class(labels: NDArray[np.int32], right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Indices of images of different classes, one of each; spread over the classes where there are many.

    Args:
        labels: int32[N].
        right: bool[N], images that may be taken: those that the original classifies correctly.
    """
    classes, first = np.unique(labels[right], return_index=True)
    places = np.unique(np.linspace(0, len(classes) - 1, min(OF_CLASSES, len(classes))).round().astype(int))
    found: NDArray[np.int64] = np.flatnonzero(right)[first[places]].astype(np.int64)
    return found


def save_along(study: Study, along: PredictionsAlong) -> None:
    """Store predictions, in place of all others of the ranking."""
    study.require_writable()
    tensors: dict[str, NDArray[Any]] = {
        "labels": along.labels,
        "classes": along.classes,
        "numbers": along.numbers,
        "probabilities": along.probabilities,
        "pictures": along.pictures,
    }
    compact = {name: _smaller(values) for name, values in tensors.items()}
    content = save(compact, {_INFO: json.dumps(along.about.to_dict())})
    path = _path(study, along.about.ranking, along.about.supernet)
    write_safetensors(path, content)
    for other in study.files(FOLDER, "*.safetensors"):
        if other != path and _ranking_of(other) == along.about.ranking:
            other.unlink(missing_ok=True)


def load_along(study: Study, ranking: RankingName) -> PredictionsAlong | None:
    """The predictions of a ranking's networks as they are today; None where these were not asked.

    Networks are those of the ranking's supernet where it has one, else the pruned original.

    Raises:
        StudyError: the file is damaged.
    """
    supernet = supernet_of(study, ranking)
    path = _path(study, ranking, supernet.key if supernet else None)
    if not path.exists():
        return None
    found = _read(path, study.info.num_classes)
    about, weights = found.about, (supernet.key, supernet.created) if supernet else (None, "")
    stored = about.ranking_id, about.calibration, (about.supernet, about.trained)
    return found if stored == (study.ranking_id(ranking), study.calibration.key, weights) else None


def damaged_along(study: Study) -> list[str]:
    """A sentence for each file that cannot be opened; what is in it is looked at when it is shown."""
    damaged = []
    for path in study.files(FOLDER, "*.safetensors"):
        try:
            with reading(path, _remedy(path), tensors=False) as (_, metadata):
                _about(metadata)
        except StudyError as error:
            damaged.append(str(error))
    return damaged


def _read(path: Path, n_classes: int) -> PredictionsAlong:
    with reading(path, _remedy(path)) as (tensors, metadata):
        return _checked(_about(metadata), tensors, n_classes)


def _about(metadata: Mapping[str, str]) -> AboutAlong:
    return parse(metadata[_INFO], AboutAlong)


def _remedy(path: Path) -> str:
    return f"make it anew with `python -m legr classes --ranking {_ranking_of(path) or 'NAME'}`, or remove it"


def _ranking_of(path: Path) -> RankingName | None:
    return next((name for name in sorted(RANKINGS, key=len, reverse=True) if path.name.startswith(f"{name}-")), None)


def save_row(study: Study, name: str, classes: NDArray[np.int32], probabilities: NDArray[np.float32]) -> None:
    """Keep the predictions of one network until those of all are there.

    Args:
        name: see `row_name`.
        classes: int32[N].
        probabilities: float32[N].
    """
    tensors = {"classes": _smaller(classes), "probabilities": probabilities}
    write_safetensors(study.within("checkpoints", f"{name}.safetensors"), save(tensors))


def load_row(study: Study, name: str, images: int) -> tuple[NDArray[np.int32], NDArray[np.float32]] | None:
    """What `save_row` kept; None where there is nothing, or it is damaged."""
    path = study.within("checkpoints", f"{name}.safetensors")
    try:
        with reading(path, "ask again") as (tensors, _):
            found, probabilities = _indices(tensors["classes"], study.info.num_classes), tensors["probabilities"]
    except StudyError:
        return None
    return (found, probabilities) if found.shape == probabilities.shape == (images,) else None


def drop_rows(study: Study, names: Sequence[str]) -> None:
    """Remove what `save_row` kept."""
    for name in names:
        study.within("checkpoints", f"{name}.safetensors").unlink(missing_ok=True)


def row_name(about: AboutAlong, network: NetworkAlong) -> str:
    """Name of the predictions of one network: other weights, or other batch norms, are others."""
    facts = about.supernet, about.trained, about.calibration, network.keep_id
    return f"along-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}"


def _path(study: Study, ranking: RankingName, supernet: str | None) -> Path:
    return study.within(FOLDER, f"{ranking}-{supernet or 'pruned'}.safetensors")


def _smaller(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers in half the room where they fit."""
    fits = values.dtype == np.int32 and (not values.size or values.max() < 2**15)
    return np.ascontiguousarray(values.astype(np.int16) if fits else values)


def _checked(about: AboutAlong, tensors: Mapping[str, NDArray[Any]], n_classes: int) -> PredictionsAlong:
    labels = _indices(tensors["labels"], n_classes)
    classes, numbers = _indices(tensors["classes"], n_classes), _indices(tensors["numbers"], len(labels))
    probabilities, pictures = tensors["probabilities"], tensors["pictures"]
    shares = [network.macs_fraction for network in about.networks]
    if shares[0] != 1 or any(one <= other for one, other in pairwise(shares)) or shares[-1] <= 0:
        raise ValueError("its networks do not become smaller and smaller")
    b, m = len(shares), len(numbers)
    _require_shapes([(labels, (len(labels),)), (classes, (b, len(labels))), (numbers, (m,)), (probabilities, (b, m))])
    if probabilities.dtype != np.float32 or not bool(((probabilities >= 0) & (probabilities <= 1)).all()):
        raise ValueError("its probabilities are out of range")
    if (
        pictures.dtype != np.uint8
        or pictures.ndim != 4
        or len(pictures) != m
        or pictures.shape[1] not in (1, 3)
        or not all(1 <= side <= PICTURE_SIDE for side in pictures.shape[2:])
    ):
        raise ValueError("its pictures have an unknown form")
    found = PredictionsAlong(
        about, labels, classes, numbers, probabilities.astype(np.float32), pictures.astype(np.uint8)
    )
    if not np.isin(np.concatenate((found.of_classes, found.changing)), numbers).all():
        raise ValueError("pictures of some images are missing")
    return found


def _require_shapes(expected: Sequence[tuple[NDArray[Any], tuple[int, ...]]]) -> None:
    if any(values.shape != shape for values, shape in expected) or not len(expected[0][0]):
        raise ValueError("its parts do not fit together")


def _indices(values: NDArray[Any], below: int) -> NDArray[np.int32]:
    if values.dtype not in (np.int16, np.int32):
        raise ValueError("it has an unknown form")
    found = values.astype(np.int32)
    if found.size and not 0 <= found.min() <= found.max() < below:
        raise ValueError(f"an index is out of range (0 to {below - 1})")
    return found
