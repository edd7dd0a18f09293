"""What the original and a smaller network of a study answer on its test images: the records; numpy only.

They do not know files, nor how the answers came about.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from legr.errors import StudyError
from legr.files import replacing
from legr.structure.types import Keep
from legr.study.records import FineTuned
from legr.study.store import Study, keep_id

_FOLDER, _ORIGINAL = "compared", "original"

TOP = 5  # answers that are kept of each image
OUTCOMES = ("both", "only_original", "only_pruned", "neither")  # who is right


@dataclass(frozen=True, eq=False, slots=True)
class Predictions:
    """The most probable classes of every test image.

    Attributes:
        classes: int32 (N, K), the most probable first.
        probabilities: float32 (N, K), in [0, 1].
    """

    classes: NDArray[np.int32]
    probabilities: NDArray[np.float32]

    @property
    def first(self) -> NDArray[np.int32]:
        """The answer to each image."""
        return self.classes[:, 0]


@dataclass(frozen=True, slots=True)
class ComparedNetwork:
    """Which network was compared with the original."""

    ranking: str
    macs_fraction: float
    keep_id: str
    finetuned: bool
    recalibrated: bool


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """Two networks on the same test images.

    Attributes:
        network: the smaller one.
        labels: int32 (N,).
        original, pruned: what the two answer.
        numbers: int32 (M,), places among the N of images on which they differ and whose pictures are kept.
        pictures: uint8 (M, C, height, width) of these.
    """

    network: ComparedNetwork
    labels: NDArray[np.int32]
    original: Predictions
    pruned: Predictions
    numbers: NDArray[np.int32]
    pictures: NDArray[np.uint8]

    @property
    def differ(self) -> NDArray[np.bool_]:
        """Where the two answers are not the same, (N,)."""
        return np.not_equal(self.original.first, self.pruned.first)

    def outcome(self) -> NDArray[np.int8]:
        """Who is right on each image, (N,), as places in `OUTCOMES`."""
        wrong = [np.not_equal(answers.first, self.labels) for answers in (self.original, self.pruned)]
        found: NDArray[np.int8] = (2 * wrong[0] + wrong[1]).astype(np.int8)
        return found

    def counts(self) -> dict[str, int]:
        """Images by who is right; they add up to all."""
        found = np.bincount(self.outcome(), minlength=len(OUTCOMES))
        return dict(zip(OUTCOMES, found.tolist(), strict=True))


def comparison_name(keep: Keep, run: FineTuned | None) -> str:
    """What the comparison of a network is called: another kept set, or other weights, is another one."""
    tuned = hashlib.sha256(f"{run.key} {run.created}".encode()).hexdigest()[:8] if run else "pruned"
    return f"{keep_id(keep)}-{tuned}"


def save_original(study: Study, labels: NDArray[np.int32], answers: Predictions) -> None:
    """Keep the original's answers."""
    _write(study, _ORIGINAL, {"labels": labels, **_arrays(answers)}, {})


def save_comparison(study: Study, name: str, comparison: Comparison) -> None:
    """Keep what a network answers; the original's answers are there already."""
    tensors = {**_arrays(comparison.pruned), "numbers": comparison.numbers, "pictures": comparison.pictures}
    _write(study, name, tensors, {"network": json.dumps(asdict(comparison.network))})


def load_original(study: Study) -> tuple[NDArray[np.int32], Predictions] | None:
    """Labels (N,) and the original's answers; None where nothing was compared yet.

    Raises:
        StudyError: the file is damaged.
    """
    path = _path(study, _ORIGINAL)
    if not path.exists():
        return None
    with _reading(path) as (tensors, _):
        labels = _indices(tensors["labels"], 1, study.info.num_classes)
        return labels, _answers(tensors, len(labels), study.info.num_classes)


def load_comparison(study: Study, name: str) -> Comparison | None:
    """A stored comparison; None where there is none of that name.

    Raises:
        StudyError: a file of it is damaged or missing.
    """
    path = _path(study, name)
    if not path.exists():
        return None
    original = load_original(study)
    if original is None:
        raise _damaged(_path(study, _ORIGINAL), "it is missing")
    labels, answers = original
    with _reading(path) as (tensors, metadata):
        pruned = _answers(tensors, len(labels), study.info.num_classes)
        numbers, pictures = _indices(tensors["numbers"], 1, len(labels)), tensors["pictures"]
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[1] not in (1, 3):
            raise ValueError("its pictures have an unknown form")
        if len(pictures) != len(numbers):
            raise ValueError(f"{len(pictures)} pictures of {len(numbers)} images")
        return Comparison(_network(metadata), labels, answers, pruned, numbers, pictures)


def list_compared(study: Study) -> list[ComparedNetwork]:
    """Networks that were compared, largest first; damaged files are left out."""
    found = []
    for path in (study.path / _FOLDER).glob("*-*.safetensors"):
        with suppress(StudyError), _reading(path, tensors=False) as (_, metadata):
            found.append(_network(metadata))
    return sorted(found, key=lambda network: -network.macs_fraction)


def _path(study: Study, name: str) -> Path:
    return study.path / _FOLDER / f"{name}.safetensors"


def _write(study: Study, name: str, tensors: Mapping[str, NDArray[Any]], metadata: dict[str, str]) -> None:
    study.require_writable()
    with replacing(_path(study, name)) as temporary:
        save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, temporary, metadata)


@contextmanager
def _reading(path: Path, tensors: bool = True) -> Iterator[tuple[dict[str, NDArray[Any]], dict[str, str]]]:
    """Tensors and metadata of a file; whatever is wrong with it, or found wrong in the block, is one sentence."""
    try:
        with safe_open(path, framework="np") as file:
            names = file.keys() if tensors else ()
            found = {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
        yield found
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, IndexError) as error:
        raise _damaged(path, error) from error


def _arrays(answers: Predictions) -> dict[str, NDArray[Any]]:
    return {"classes": answers.classes, "probabilities": answers.probabilities}


def _answers(tensors: Mapping[str, NDArray[Any]], images: int, n_classes: int) -> Predictions:
    classes, probabilities = _indices(tensors["classes"], 2, n_classes), tensors["probabilities"]
    if probabilities.dtype != np.float32 or not (probabilities.shape == classes.shape == (images, classes.shape[1])):
        raise ValueError(f"answers to {len(classes)} images, and there are {images}")
    if not bool(((probabilities >= 0) & (probabilities <= 1)).all()) or classes.shape[1] == 0:
        raise ValueError("its probabilities are out of range")
    return Predictions(classes, probabilities)


def _indices(found: NDArray[Any], dimensions: int, below: int) -> NDArray[np.int32]:
    if found.dtype != np.int32 or found.ndim != dimensions:
        raise ValueError("it has an unknown form")
    if found.size and not 0 <= found.min() <= found.max() < below:
        raise ValueError(f"an index is out of range (0 to {below - 1})")
    return found


def _network(metadata: Mapping[str, str]) -> ComparedNetwork:
    data = json.loads(metadata["network"])
    return ComparedNetwork(**{name: data[name] for name in ComparedNetwork.__dataclass_fields__})


def _damaged(path: Path, why: object) -> StudyError:
    return StudyError(
        f"{path.parent.parent.name}/{_FOLDER}/{path.name} cannot be read ({why}); compare again, which replaces it"
    )
