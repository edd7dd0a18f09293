"""The requests that train: a network from given or random weights, or a pruned one."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Literal

from legr.ranking.limits import Budget
from legr.requests.job import JobRequest
from legr.requests.options import Request, option
from legr.requests.ranges import COSINE, EPOCHS, FRACTION, SEED
from legr.requests.shared import DEVICE, HALF, NETWORK, RANKING, TRAINING_NUMBERS, budget_option
from legr.study.records import RankingName
from legr.training.settings import (
    NUMBERS,
    RECIPES,
    SCRATCH,
    TrainSettings,
    closest_recipe,
    require_numbers,
    settings_of_recipe,
    with_changes,
)
from legr.training.supernet_settings import SupernetSettings

ALIKE = 0.95  # cosine of the kept sets of two epochs
Start = Literal["shared", "pruned"]  # weights that fine-tuning begins with


@dataclass(frozen=True)
class TrainRequest(Request):
    """How a network is trained, from random weights or from given ones."""

    command = "train"

    out: Path = option("File for the weights, .safetensors.", MISSING)
    model: str | None = option("Name, such as cifar_resnet56, or package.module:factory.")
    data: str | None = option("digits, cifar10, cifar100, or a folder of images.")
    normalize: str | None = option("imagenet or dataset; by default what scores better.")
    input: str | None = option("Shape of the images, such as 1x3x224x224.")
    epochs: int = option("Passes over the training images.", SCRATCH.epochs, bounds=EPOCHS)
    seed: int = option("Seed of the first weights and of the order of images.", SCRATCH.seed, bounds=SEED)
    options: Mapping[str, float] = option(TRAINING_NUMBERS, {}, flag="--option")
    split_seed: int = option("Decides which training images are held out.", 0, bounds=SEED)
    supernet: Path | None = option(
        "Find the ranking early, make a study in this folder, and train the networks of all budgets for "
        "the rest of the epochs."
    )
    smallest: float | None = option(
        f"With --supernet: smallest network, as a fraction of the MACs; {SupernetSettings().smallest:g} by default.",
        bounds=FRACTION,
    )
    alike: float | None = option(
        f"With --supernet: cosine of the kept sets of two epochs from which on the ranking counts as found; {ALIKE:g} "
        "by default.",
        bounds=COSINE,
    )
    weights: Path | None = option("Weights to start with, to go on training; random ones by default.")
    half: bool = option(HALF, False)
    device: str = option(DEVICE, "auto")

    @property
    def settings(self) -> TrainSettings:
        """How to train.

        Raises:
            SettingsError: a setting is unknown or out of range.
        """
        return with_changes(SCRATCH, {**require_numbers(self.options), "epochs": self.epochs, "seed": self.seed})


@dataclass(frozen=True)
class FinetuneRequest(JobRequest):
    """Which network is to be fine-tuned, and how."""

    command = "finetune"

    budget: Budget = budget_option()
    recipe: str = option(f"How to train: {', '.join(RECIPES)}.", "short")
    epochs: int | None = option("Passes over the images; by default the recipe's.", bounds=EPOCHS)
    distill: bool | None = option("Learn from the original as well; by default as the recipe says.", negatable=True)
    seed: int | None = option("Seed of the order of images; 0 by default.", bounds=SEED)
    options: Mapping[str, float] = option(TRAINING_NUMBERS, {}, flag="--option")
    ranking: RankingName | None = option(RANKING)
    start: Start | None = option(
        "Weights to begin with: shared, those of a supernet of the ranking, or pruned, the original's; by default "
        "shared where there are some."
    )
    half: bool = option(HALF, False)
    device: str = option(DEVICE, "auto")
    network: str | None = option(NETWORK, hidden=True)

    @classmethod
    def for_settings(
        cls,
        budget: Budget,
        settings: TrainSettings,
        ranking: RankingName | None = None,
        *,
        start: Start | None = None,
        half: bool = False,
    ) -> "FinetuneRequest":
        """A run with these settings: the closest recipe, and what differs from it."""
        recipe, changes = closest_recipe(settings)
        named = {name: changes[name] for name in ("epochs", "distill", "seed") if name in changes}
        options = {name: changes[name] for name in NUMBERS if name in changes}
        return cls(budget, recipe=recipe, options=options, ranking=ranking, start=start, half=half, **named)

    @property
    def settings(self) -> TrainSettings:
        """How to train.

        Raises:
            SettingsError: a setting is unknown or out of range.
        """
        changes = {"epochs": self.epochs, "distill": self.distill, "seed": self.seed}
        return settings_of_recipe(self.recipe, {**require_numbers(self.options), **changes})
