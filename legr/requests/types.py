"""The requests: what each command with many options is asked to do.

A job keeps its request, so that it can be started again; pages make one to start a job.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Self

from legr.arguments import plain_name, shortened, whole_number_of
from legr.data.normalization import Preprocess
from legr.errors import SettingsError
from legr.ranking.limits import QUANTITIES, Budget
from legr.requests.options import Request, option, options_of
from legr.requests.ranges import (
    BATCH,
    EPOCHS,
    FRACTION,
    IMAGES,
    MULTIPLE,
    OPSET,
    PASSES,
    SEED,
    SGD_STEPS,
    THREADS,
    WORKERS,
)
from legr.study.latency import Runtime
from legr.study.records import RankingName, SearchSettings
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

DEVICE = "auto, cpu or cuda."
TRAINING_NUMBERS = f"NAME=NUMBER: another setting, of {', '.join(NUMBERS)}; may be repeated."
HALF = "Round the weights to float16, which halves the file; accuracy is measured after rounding."
RANKING = "Ranking to prune by; by default one that was learned, rather at equal milliseconds, else identity."
_OF_A_MACHINE = ("device", "threads", "workers")
NETWORK = "Id of the kept set; the command stops where the budget leads to another."

DYNAMIC = "dynamic"
RUN = "Key of a fine-tuning run: its network and its weights, wherever the budget leads by now."


def budget_option() -> Any:
    """Declare a budget that must be given: one option for each quantity, whose help is in `legr.cli.options`."""
    return option("", MISSING)


@dataclass(frozen=True)
class NewStudyRequest(Request):
    """What a new study is about."""

    command = "new"

    model: str | None = option("Name, such as cifar_resnet56, or package.module:factory.")
    weights: str | None = option("File of the original's weights, or the word none for random ones.")
    data: str | None = option("digits, cifar10, cifar100, or a folder of images.")
    normalize: str | None = option("imagenet or dataset; by default what scores better.")
    input: str | None = option("Shape of the images, such as 1x3x224x224.")
    classes: tuple[str, ...] | None = option(
        "Some of the classes, such as cat,dog: the network then answers for these alone. May be repeated."
    )
    outputs: tuple[str, ...] | None = option(
        "Classes that the weights predict, in the order of their outputs, such as dog,cat; by default the images' "
        "classes in their order. May be repeated."
    )
    multiple: int | None = option(
        "Round channels to multiples of 1, 4, 8, 16 or 32; 8 by default, less for a network of few channels.",
        bounds=MULTIPLE,
    )


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


class JobRequest(Request):
    """Parent of the requests that run as jobs."""

    def with_paths(self, relocate: Callable[[Path], Path]) -> Self:
        """The same request, with paths where they are now."""
        return self

    def elsewhere(self, exports: Path) -> Self:
        """The same work on another machine: devices, processors and folders of the first one are left out.

        Args:
            exports: folder of the study that exports are written to.
        """
        return type(self).from_dict({k: value for k, value in self.to_dict().items() if k not in _OF_A_MACHINE})


@dataclass(frozen=True)
class LearnRequest(JobRequest):
    """How a ranking is to be learned; settings that are not given are those of the last search of the study."""

    command = "learn"

    method: str | None = option("gradient or evolution.")
    budgets: tuple[float, ...] | None = option(
        "Learn for several budgets, such as 0.2,0.35,0.5; all, the default, is every budget.", bounds=FRACTION
    )
    candidates: int | None = option(
        "Effort in passes over the held-out images; training images count as well.", bounds=PASSES
    )
    images: int | None = option("Held-out images to score on; 2000 by default.", bounds=IMAGES)
    seed: int | None = option("Seed of the search; 0 by default.", bounds=SEED)
    steps: int | None = option("SGD steps before a network is scored; 0 by default.", bounds=SGD_STEPS)
    statistics: str | None = option(
        "Batch-norm statistics while scoring: batch, recalibrated or stale (those of the original)."
    )
    options: Mapping[str, float] = option("NAME=NUMBER: a setting of the method.", {}, flag="--option")
    cost: Literal["macs", "latency"] | None = option("What candidates are compared at; macs by default.")
    device_profile: str | None = option("Device whose latency is meant, by its profile; with --cost latency.")
    blocks: bool | None = option("Let whole blocks leave the networks that are compared.", negatable=True)
    workers: int | None = option("Networks scored side by side; one a core by default, up to four.", bounds=WORKERS)
    device: str = option(DEVICE, "auto")
    measure: bool = option("Measure the frontier afterwards.", False, negatable=True)

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Self:
        """As for any request; --budget is --budgets with one budget.

        What a new study is about, which the command takes as well, is left out: the study is there.
        """
        about = {option.flag for option in options_of(NewStudyRequest)}
        texts = ["--budgets" if text == "--budget" else text for text in arguments]
        told = {place + step for place, text in enumerate(texts) if text in about for step in (0, 1)}
        return super().from_arguments([text for place, text in enumerate(texts) if place not in told])

    @classmethod
    def for_settings(cls, settings: SearchSettings, candidates: int, *, measure: bool = False) -> "LearnRequest":
        """A search with exactly these settings, whatever the study was learned with."""
        default = SearchSettings().to_dict()
        stated = {name: value for name, value in settings.to_dict().items() if name in _SEARCH.values()}
        changed = {name: value for name, value in stated.items() if value != default.get(name)}
        named = {"method": settings.method, "budgets": settings.budgets}
        return cls(candidates=candidates, measure=measure, **{**changed, **named})

    @property
    def settings(self) -> SearchSettings | None:
        """The settings, those that are not given by default; None where none is given at all."""
        given = {name: v for name, option in _SEARCH.items() if (v := getattr(self, option)) is not None and v != {}}
        return SearchSettings(**given) if given else None


#: The options by the fields of the settings; an option has the name under which its setting is stored.
_SEARCH = {f.name: {"sgd_steps": "steps"}.get(f.name, f.name) for f in fields(SearchSettings) if f.name != "profile_id"}


@dataclass(frozen=True)
class MeasureRequest(JobRequest):
    """Which networks are to be measured, and how they are timed."""

    command = "measure"

    budgets: tuple[float, ...] | None = option("Fractions of MACs, separated by commas.", bounds=FRACTION)
    batch: int = option("Batch of the latency measurement.", 1, bounds=BATCH)
    threads: int = option("Processor threads that time a network; at most all cores.", 1, bounds=THREADS)
    runtime: Runtime = option(
        "What runs the network that is timed: onnxruntime, which runs exported networks on the processor, or pytorch.",
        "onnxruntime",
    )
    again: bool = option("Measure again what was timed while other programs were at work, or varied much.", False)
    device: str = option(DEVICE, "auto")


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
    half: bool = option(HALF, False)
    device: str = option(DEVICE, "auto")
    network: str | None = option(NETWORK, hidden=True)

    @classmethod
    def for_settings(
        cls, budget: Budget, settings: TrainSettings, ranking: RankingName | None = None, *, half: bool = False
    ) -> "FinetuneRequest":
        """A run with these settings: the closest recipe, and what differs from it."""
        recipe, changes = closest_recipe(settings)
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
        return settings_of_recipe(self.recipe, {**require_numbers(self.options), **changes})


@dataclass(frozen=True)
class ExportRequest(JobRequest):
    """Which network is to be exported, and where to."""

    command = "export"

    budget: Budget = budget_option()
    out: Path = option("Folder to write to.", MISSING)
    network: str | None = option(NETWORK, hidden=True)
    run: str | None = option(RUN, hidden=True)
    ranking: RankingName | None = option(RANKING)
    finetuned: bool = option("Use fine-tuned weights.", True, negatable=True)
    batch: str = option("Images that the ONNX file takes at a time: a number, or dynamic for any.", "1")
    opset: int | None = option("ONNX opset; by default the lowest that the network allows, from 13 on.", bounds=OPSET)
    preprocess: Preprocess = option(
        "What the ONNX file does itself: none; normalize, of float32 from 0 to 255 (N, C, H, W); or uint8, the same "
        "of bytes (N, H, W, C).",
        "none",
    )

    @property
    def images(self) -> int | None:
        """Images that the file takes at a time; None is any number.

        Raises:
            SettingsError: neither a number in range nor "dynamic".
        """
        if self.batch == DYNAMIC:
            return None
        images = whole_number_of(self.batch)
        if images is None or images not in BATCH:
            raise SettingsError(f"batch must be {DYNAMIC} or in {BATCH}, got {shortened(self.batch)}")
        return images

    def with_paths(self, relocate: Callable[[Path], Path]) -> Self:
        return replace(self, out=relocate(self.out))

    def elsewhere(self, exports: Path) -> Self:
        return replace(super().elsewhere(exports), out=exports / self.folder_name)

    @property
    def folder_name(self) -> str:
        """What the folder of such an export is called in a study, such as "macs-50"."""
        if self.run:
            return f"run-{plain_name(self.run)}"
        limits = (
            f"{name.replace('_', '-')}-{limit if QUANTITIES[name].size else 100 * limit:g}"
            for name, limit in self.budget.limits()
        )
        profile = [f"on-{plain_name(self.budget.device_profile)}"] if self.budget.device_profile else []
        return "-".join([*limits, *profile, *([self.ranking] if self.ranking else [])])


@dataclass(frozen=True)
class CompareRequest(JobRequest):
    """Which network is to be compared with the original."""

    command = "compare"

    budget: Budget = budget_option()
    ranking: RankingName | None = option(RANKING)
    finetuned: bool = option("Use fine-tuned weights.", True, negatable=True)
    device: str = option(DEVICE, "auto")
    run: str | None = option(RUN, hidden=True)


@dataclass(frozen=True)
class LookRequest(Request):
    """Which network is to predict one image beside the original."""

    command = "look"

    budget: Budget = budget_option()
    ranking: RankingName | None = option(RANKING)
    finetuned: bool = option("Use fine-tuned weights.", True, negatable=True)
    device: str = option(DEVICE, "auto")
    run: str | None = option(RUN, hidden=True)
