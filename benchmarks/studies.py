"""What the benchmarks of the search share: a study with all it needs, and what a network of it is worth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import nn

from legr.commands.calibration import calibration_of
from legr.commands.images import images_of
from legr.commands.original import original
from legr.data.images import Dataset
from legr.data.normalization import Normalization
from legr.progress import silent
from legr.ranking.budget import BudgetCurve
from legr.ranking.order import Ranker
from legr.ranking.types import Affine
from legr.structure.surgery import prune
from legr.structure.types import Keep, Structure
from legr.study.store import Study
from legr.training.batch_norm import recalibrated
from legr.training.device import fast_dtype
from legr.training.evaluate import Evaluation, evaluate_split
from legr.training.settings import TrainSettings
from legr.training.teacher import Teacher
from legr.training.train import train

CPU = torch.device("cpu")
EPOCHS = 2  # of the fixed fine-tuning that tells how good a ranking is


@dataclass(frozen=True)
class Bench:
    """One study, loaded."""

    study: Study
    model: nn.Module
    dataset: Dataset
    normalization: Normalization

    @classmethod
    def of(cls, path: Path) -> Self:
        """Load the study of a folder."""
        study = Study.open(path)
        return cls(study, original(study), images_of(study), study.info.normalization)

    @property
    def structure(self) -> Structure:
        """Of the study."""
        return self.study.structure

    def keep(self, affine: Affine | None, budget: float, ranker: Ranker | None = None) -> Keep:
        """What is kept at a fraction of MACs; no map is the uniform ranking."""
        ranker = ranker or self.study.ranker
        ranking = ranker.rank(affine) if affine else ranker.rank_uniform()
        return BudgetCurve(self.structure, ranking).at(macs=budget)

    def tested(self, keep: Keep, images: int | None = None) -> Evaluation:
        """On the first test images, recalibrated and without any training, in the fast type."""
        network = recalibrated(
            prune(self.model, self.structure, keep),
            self.dataset,
            self.normalization,
            device=CPU,
            calibration=calibration_of(self.study, self.dataset, CPU),
        )
        order = torch.arange(images) if images else None
        return evaluate_split(
            network, self.dataset.test, self.normalization, device=CPU, dtype=fast_dtype(CPU), order=order
        )

    def fine_tuned(self, keep: Keep, logits: Path, checkpoint: Path) -> Evaluation:
        """On all test images after the fixed fine-tuning (distilled, seed 0); `logits` is the teacher's cache."""
        network = prune(self.model, self.structure, keep)
        tuned = train(
            network,
            Teacher(self.model, CPU, logits),
            self.dataset,
            self.normalization,
            TrainSettings(epochs=EPOCHS),
            device=CPU,
            checkpoint=checkpoint,
            report=silent,
        )
        checkpoint.unlink()
        return evaluate_split(tuned.model, self.dataset.test, self.normalization, device=CPU)
