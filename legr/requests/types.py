"""The requests: what each command with many options is asked to do.

A job keeps its request, so that it can be started again; pages make one to start a job.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Self

from legr.ranking.limits import Budget
from legr.requests.options import Request, option
from legr.study.records import RankingName, SearchSettings
from legr.training.settings import (
    NUMBERS,
    RECIPES,
    SCRATCH,
    TrainSettings,
    as_recipe,
    changed,
    recipe_of,
    require_numbers,
)

DEVICE = "auto, cpu or cuda."
TRAINING_NUMBERS = f"NAME=NUMBER: another setting, of {', '.join(NUMBERS)}; may be repeated."
HALF = "Round the weights to float16 before test images judge them: half the file."
RANKING = "Whose order; the learned one where it is."
NETWORK = "Id of the kept set that the budget must lead to."


@dataclass(frozen=True)
class NewStudyRequest(Request):
    """What a new study is about."""

    command = "new"

    model: str | None = option("Name, such as cifar_resnet56, or package.module:factory.")
    weights: str | None = option("File of the original's weights, or none.")
    data: str | None = option("digits, cifar10, cifar100, or a folder of images.")
    normalize: str | None = option("imagenet or dataset; by default what scores better.")
    input: str | None = option("Shape of the images, such as 1x3x224x224.")
    classes: tuple[str, ...] | None = option(
        "Some of the classes, such as cat,dog: the network then answers for these alone. May be repeated."
    )


@dataclass(frozen=True)
class TrainRequest(Request):
    """How a network is trained from scratch, or on."""

    command = "train"

    out: Path = option("File for the weights, .safetensors.", MISSING)
    model: str | None = option("Name, such as cifar_resnet56, or package.module:factory.")
    data: str | None = option("digits, cifar10, cifar100, or a folder of images.")
    normalize: str | None = option("imagenet or dataset; by default what scores better.")
    input: str | None = option("Shape of the images, such as 1x3x224x224.")
    epochs: int = option("Passes over the training images.", SCRATCH.epochs)
    seed: int = option("Of the first weights, and of every epoch's order.", SCRATCH.seed)
    options: Mapping[str, float] = option(TRAINING_NUMBERS, {}, flag="--option")
    split_seed: int = option("Decides which training images are held out.", 0)
    weights: Path | None = option("Weights to begin with, for another cycle; random ones by default.")
    half: bool = option(HALF, False)
    device: str = option(DEVICE, "auto")

    @property
    def settings(self) -> TrainSettings:
        """How to train.

        Raises:
            SettingsError: a setting is unknown or out of range.
        """
        return changed(SCRATCH, {**require_numbers(self.options), "epochs": self.epochs, "seed": self.seed})


class JobRequest(Request):
    """Parent of the requests that run as jobs."""

    def with_paths(self, moved: Callable[[Path], Path]) -> Self:
        """The same request, with paths where they are now."""
        return self


@dataclass(frozen=True)
class LearnRequest(JobRequest):
    """How a ranking is to be learned; settings that are not given are those of the last search of the study."""

    command = "learn"

    method: str | None = option("gradient or evolution.")
    budgets: tuple[float, ...] | None = option(
        "Learn for several, such as 0.2,0.35,0.5; all, the default, is the whole slider."
    )
    candidates: int | None = option("Effort: passes over the held-out images; training images count as well.")
    images: int | None = option("Held-out images to score on; 2000 by default.")
    seed: int | None = option("Seed of the search; 0 by default.")
    steps: int | None = option("SGD steps before a network is scored; 0 by default.")
    statistics: str | None = option("Of the batch norms while scoring: batch, recalibrated or stale.")
    options: Mapping[str, float] = option("NAME=NUMBER: a setting of the method.", {}, flag="--option")
    workers: int | None = option("Networks scored side by side; one a core by default, up to four.", minimum=1)
    device: str = option(DEVICE, "auto")
    measure: bool = option("Measure the frontier afterwards.", False, both=True)

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Self:
        """As for any request; --budget is --budgets with one budget."""
        return super().from_arguments(["--budgets" if text == "--budget" else text for text in arguments])

    @classmethod
    def for_settings(cls, settings: SearchSettings, candidates: int, *, measure: bool = False) -> "LearnRequest":
        """A search with exactly these settings, whatever the study was learned with."""
        default = SearchSettings()
        changed = {name: v for name in _SEARCH if (v := getattr(settings, name)) != getattr(default, name)}
        named = {"method": settings.method, "budgets": settings.budgets}
        return cls(candidates=candidates, measure=measure, **{**changed, **named})

    @property
    def settings(self) -> SearchSettings | None:
        """The settings, those that are not given by default; None where none is given at all."""
        given = {name: v for name in _SEARCH if (v := getattr(self, name)) is not None and v != {}}
        return SearchSettings(**given) if given else None


_SEARCH = tuple(field.name for field in fields(SearchSettings))


@dataclass(frozen=True)
class MeasureRequest(JobRequest):
    """Which networks are to be measured, and how they are timed."""

    command = "measure"

    budgets: tuple[float, ...] | None = option("Fractions of MACs, separated by commas.")
    batch: int = option("Batch of the latency measurement.", 1)
    threads: int | None = option("Processor threads; by default all cores.")
    again: bool = option("Measure again what was timed while other programs were at work.", False)
    device: str = option(DEVICE, "auto")


@dataclass(frozen=True)
class FinetuneRequest(JobRequest):
    """Which network is to be fine-tuned, and how."""

    command = "finetune"

    budget: Budget = option("", MISSING)
    recipe: str = option(f"How to train: {', '.join(RECIPES)}.", "short")
    epochs: int | None = option("Passes over the images; by default the recipe's.")
    distill: bool | None = option("Learn from the original as well; as the recipe says.", both=True)
    seed: int | None = option("Of every epoch's order; 0 by default.")
    options: Mapping[str, float] = option(TRAINING_NUMBERS, {}, flag="--option")
    ranking: RankingName | None = option(RANKING)
    half: bool = option(HALF, False)
    device: str = option(DEVICE, "auto")
    network: str | None = option(NETWORK, hidden=True)

    @classmethod
    def for_settings(
        cls, budget: Budget, settings: TrainSettings, ranking: RankingName | None = None, *, half: bool = False
    ) -> "FinetuneRequest":
        """A run with these settings: the recipe next to them, and what differs from it."""
        recipe, changes = as_recipe(settings)
        named = {name: changes[name] for name in ("epochs", "distill", "seed") if name in changes}
        options = {name: changes[name] for name in NUMBERS if name in changes}
        return cls(budget, recipe=recipe, options=options, ranking=ranking, half=half, **named)

    @property
    def settings(self) -> TrainSettings:
        """How to train.

        Raises:
            SettingsError: a setting is unknown or out of range.
        """
        changes = {"epochs": self.epochs, "distill": self.distill, "seed": self.seed}
        return recipe_of(self.recipe, {**require_numbers(self.options), **changes})


@dataclass(frozen=True)
class ExportRequest(JobRequest):
    """Which network is to be exported, and where to."""

    command = "export"

    budget: Budget = option("", MISSING)
    out: Path = option("Folder to write to.", MISSING)
    network: str | None = option(NETWORK, hidden=True)

    def with_paths(self, moved: Callable[[Path], Path]) -> Self:
        return replace(self, out=moved(self.out))


@dataclass(frozen=True)
class CompareRequest(JobRequest):
    """Which network is to be compared with the original."""

    command = "compare"

    budget: Budget = option("", MISSING)
    ranking: RankingName | None = option(RANKING)
    finetuned: bool = option("Use fine-tuned weights.", True, both=True)
    device: str = option(DEVICE, "auto")


#: Requests that run as jobs, by command.
JOB_REQUESTS: Mapping[str, type[JobRequest]] = {
    request.command: request
    for request in (LearnRequest, MeasureRequest, FinetuneRequest, ExportRequest, CompareRequest)
}
