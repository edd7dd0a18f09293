"""Which training images the batch norms of a study's networks are recalibrated on, and why: `statistics_choice.json`.

Without the file they are plain images, as in every study of an earlier version. This module must not import torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from legr.files import write_json
from legr.record import Record
from legr.schema import Count, Real, Several, Share
from legr.study.json_file import FORMAT, read_record
from legr.study.provenance import UNKNOWN, Provenance
from legr.study.records import StudyInfo
from legr.training.calibration import PLAIN, Border, Calibration, CalibrationImages

CHOICE = "statistics_choice.json"
_REMEDY = "restore the file, or remove it, which recalibrates on plain images"


@dataclass(frozen=True)
class JudgedNetwork(Record):
    """A network of the identity ranking on held-out images, by what its batch norms are recalibrated on."""

    budget: Share  # fraction of MACs
    top1: Mapping[CalibrationImages, Share]


@dataclass(frozen=True)
class JudgedDifference(Record):
    """How much better than plain images an alternative is: the mean over the networks that were judged."""

    mean: Annotated[float, Field(ge=-1, le=1)]  # of top-1
    noise: Share  # standard error if both were equally good


@dataclass(frozen=True)
class CalibrationChoice(Record):
    """The images that were chosen for a network, once, on held-out images, with the evidence."""

    images: CalibrationImages
    border: Border
    heldout_images: Count  # that judged
    heldout_seen: bool  # the weights may have been trained on them
    networks: Several[JudgedNetwork]
    differences: Mapping[CalibrationImages, JudgedDifference]
    #: Of the whole network's statistics from the given ones, by the border that images are cropped from.
    deviations: Mapping[Border, Real]
    provenance: Annotated[Provenance, Field(alias="made")] = UNKNOWN

    @property
    def calibration(self) -> Calibration:
        """What was chosen."""
        return Calibration(self.images, self.border)

    @property
    def words(self) -> str:
        """The choice and its reason, without a full stop."""
        budgets = f"{len(self.networks)} budget{'s' if len(self.networks) != 1 else ''}"
        judged = f"{self.heldout_images:,} held-out images at {budgets}"
        chosen = self.differences.get(self.images)
        if chosen is None:
            return f"{self.calibration.words}, as on {judged} nothing else is better by more than the noise"
        gain = f"{100 * chosen.mean:.1f} points better than plain ones (standard error {100 * chosen.noise:.1f})"
        return f"{self.calibration.words}, on {judged} {gain}"


def needs_choice(folder: Path, info: StudyInfo) -> bool:
    """Whether the images of a study are still to be chosen.

    They stay plain in a sample, with weights that were never trained, and where networks were measured so: a command
    that measures has the images chosen first, so what was measured without a choice was measured with plain ones.
    """
    stored = ("points.json", "finetuned/*.json", "compared/*.safetensors", "statistics/*.safetensors")
    settled = info.sample or info.weights_origin == "none" or any(any(folder.glob(pattern)) for pattern in stored)
    return not settled and read_choice(folder) is None


def calibration_words(folder: Path, info: StudyInfo) -> str:
    """What the batch norms of a study's networks are recalibrated on, and why, without a full stop."""
    choice = read_choice(folder)
    if choice is not None:
        return choice.words
    if needs_choice(folder, info):
        return "images that are chosen when a network is evaluated for the first time"
    return f"{PLAIN.words}, as in earlier versions; nothing else was compared for this network"


def read_choice(folder: Path) -> CalibrationChoice | None:
    """The choice of a study; None where none was made.

    Raises:
        StudyError: the file is damaged.
    """
    path = folder / CHOICE
    return read_record(path, CalibrationChoice, remedy=_REMEDY) if path.exists() else None


def write_choice(folder: Path, choice: CalibrationChoice) -> None:
    """Store the choice of a study."""
    write_json(folder / CHOICE, {"format": FORMAT, **choice.to_dict()})
