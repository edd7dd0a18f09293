"""What the original and a smaller network of a study answer on its test images: the records; numpy only.

They do not know files, nor how the answers came about.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legr.structure.types import Keep
from legr.study.records import FineTuned
from legr.study.store import keep_id

TOP = 5  # answers that are kept of each image
OUTCOMES = ("both", "only_original", "only_pruned", "neither")  # who is right


@dataclass(frozen=True, eq=False, slots=True)
class Answers:
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
class Compared:
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

    network: Compared
    labels: NDArray[np.int32]
    original: Answers
    pruned: Answers
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


def name_of(keep: Keep, run: FineTuned | None) -> str:
    """What the comparison of a network is called: another kept set, or other weights, is another one."""
    tuned = hashlib.sha256(f"{run.key} {run.created}".encode()).hexdigest()[:8] if run else "pruned"
    return f"{keep_id(keep)}-{tuned}"
