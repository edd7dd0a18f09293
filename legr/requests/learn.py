"""The requests of a study's first steps: what it is about, and how a ranking is learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal, Self

from legr.requests.job import JobRequest
from legr.requests.options import Request, option, options_of
from legr.requests.ranges import FRACTION, IMAGES, MULTIPLE, PASSES, SEED, SGD_STEPS, WORKERS
from legr.requests.shared import DEVICE
from legr.study.records import SearchSettings


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
class LearnRequest(JobRequest):
    """How a ranking is to be learned; settings that are not given are those of the last search of the study."""

    command = "learn"

    method: str | None = option(
        "gradient, evolution or rl; the last is reinforcement learning for one budget, needs the extra rl, and is not "
        "on the page Learn."
    )
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
    blocks: bool | None = option(
        "Let whole blocks leave the networks that are compared; by default where those of the study may lose them.",
        negatable=True,
    )
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
        named = {"method": settings.method, "budgets": settings.budgets, "blocks": settings.blocks}
        return cls(candidates=candidates, measure=measure, **{**changed, **named})

    @property
    def settings(self) -> SearchSettings | None:
        """The settings, those that are not given by default; None where none is given at all."""
        given = {name: v for name, option in _SEARCH.items() if (v := getattr(self, option)) is not None and v != {}}
        return SearchSettings(**given) if given else None


#: The options by the fields of the settings; an option has the name under which its setting is stored.
_SEARCH = {f.name: {"sgd_steps": "steps"}.get(f.name, f.name) for f in fields(SearchSettings) if f.name != "profile_id"}
