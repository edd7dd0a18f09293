"""Which training images batch norms are recalibrated on, as data. This module must not import torch."""

from dataclasses import dataclass
from typing import Literal

#: "given" are the statistics that the weights came with.
CalibrationImages = Literal["given", "plain", "augmented", "both"]
Border = Literal["mean", "black"]
_COLOURS = {"mean": "the mean colour", "black": "black"}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Images that give a pruned network its batch-norm statistics.

    Attributes:
        images: "plain" are training images as they are, "augmented" are cropped and flipped at random as in training,
            "both" are half of each; "given": nothing is recalibrated.
        border: colour of what augmented images are cropped from; it says nothing of the others.
    """

    images: CalibrationImages = "plain"
    border: Border = "mean"

    @property
    def key(self) -> str:
        """Its name in files, such as "plain" or "augmented-black"."""
        return f"{self.images}-{self.border}" if self.images in ("augmented", "both") else self.images

    def of_each_kind(self, n_images: int) -> int:
        """How many images of each kind go into that many."""
        return n_images // 2 if self.images == "both" else n_images

    @property
    def words(self) -> str:
        """What batch norms are recalibrated on, such as "plain training images"."""
        cropped = f"augmented training images (cropped from a border of {_COLOURS[self.border]})"
        return {
            "given": "no images: they keep the statistics of the weights",
            "plain": "plain training images",
            "augmented": cropped,
            "both": f"plain and {cropped}",
        }[self.images]

    @classmethod
    def of(cls, key: str) -> "Calibration":
        """Read a key; an unknown one, of a later version, raises ValueError."""
        found = {calibration.key: calibration for calibration in CALIBRATIONS}
        if key not in found:
            raise ValueError(f"batch norms are recalibrated on one of {', '.join(found)}, got {key[:60]!r}")
        return found[key]


PLAIN = Calibration()
GIVEN = Calibration("given")
CALIBRATIONS = (
    PLAIN,
    GIVEN,
    *(Calibration(images, border) for images in ("augmented", "both") for border in ("mean", "black")),
)
