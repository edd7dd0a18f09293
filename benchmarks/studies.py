"""What the benchmarks of the search share: a study with all it needs, and what a network of it is worth.

It does not know how rankings are made.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from legr.commands.network import images_of, normalization_of, original
from legr.data.images import Dataset, Normalization
from legr.files import replacing
from legr.progress import silent
from legr.ranking.budget import BudgetCurve
from legr.ranking.order import Ranker
from legr.ranking.types import Affine
from legr.structure.surgery import prune
from legr.structure.types import Keep, Structure
from legr.study.store import Study
from legr.training.compute import fast_dtype
from legr.training.evaluate import Score, recalibrate, score
from legr.training.settings import TrainSettings
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
        return cls(study, original(study), images_of(study), normalization_of(study))

    @property
    def structure(self) -> Structure:
        """Of the study."""
        return self.study.structure

    def keep(self, affine: Affine | None, budget: float, ranker: Ranker | None = None) -> Keep:
        """What is kept at a fraction of MACs; no map is the uniform ranking."""
        ranker = ranker or self.study.ranker
        ranking = ranker.rank(affine) if affine else ranker.rank_uniform()
        return BudgetCurve(self.structure, ranking).at(macs=budget)

    def tested(self, keep: Keep, images: int | None = None) -> Score:
        """On the first test images, recalibrated and without any training, in the fast type."""
        network = recalibrate(prune(self.model, self.structure, keep), self.dataset, self.normalization, device=CPU)
        order = torch.arange(images) if images else None
        return score(network, self.dataset.test, self.normalization, device=CPU, dtype=fast_dtype(CPU), order=order)

    def fine_tuned(self, keep: Keep, teacher: "Taught", checkpoint: Path) -> Score:
        """On all test images after the fixed fine-tuning (distilled, seed 0)."""
        network = prune(self.model, self.structure, keep)
        tuned = train(
            network,
            teacher,
            self.dataset,
            self.normalization,
            TrainSettings(epochs=EPOCHS),
            device=CPU,
            checkpoint=checkpoint,
            report=silent,
        )
        checkpoint.unlink()
        return score(tuned.model, self.dataset.test, self.normalization, device=CPU)


class Taught(nn.Module):
    """The original network, whose outputs for images that it saw before are looked up.

    Runs of one seed see the same augmented batches in the same order: the teacher is a quarter of their time.
    """

    def __init__(self, model: nn.Module, file: Path) -> None:
        super().__init__()
        self._model, self._file = model, file
        self._known = load_file(file) if file.exists() else {}

    def __deepcopy__(self, memo: object) -> "Taught":
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        plain = inputs.detach().contiguous()
        key = hashlib.blake2b(plain.view(torch.uint8).numpy().tobytes(), digest_size=16).hexdigest()
        if key not in self._known:
            self._known[key] = cast(Tensor, self._model(inputs)).clone()
        return self._known[key]

    def keep(self) -> None:
        """Remember it for the next process."""
        with replacing(self._file) as path:
            save_file(self._known, path)
