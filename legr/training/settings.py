"""How to train: the settings of a run, training recipes by name, and the learning rate of every step. No torch."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Literal, TypeVar, get_args

from pydantic import ConfigDict

from legr.bounds import Bounds
from legr.data.shuffle import SEEDS
from legr.errors import SettingsError
from legr.schema import STRICT

Decay = Literal["cosine", "steps"]
_STEPS_AT, _STEP = (0.3, 0.6, 0.8), 0.2  # of the run; LeGR's own fine-tuning

_SHARE, _UP_TO_1 = Bounds(0, 1, below=True), Bounds(0, 1)
#: What the numbers of a run may be.
RANGES: Mapping[str, Bounds] = {
    "epochs": Bounds(1, 10_000),
    "batch": Bounds(2, 65_536),  # batch norm needs two images
    "lr": Bounds(0, 1000, above=True),
    "warmup": _SHARE,
    "momentum": _SHARE,
    "smoothing": _SHARE,
    "average": _SHARE,
    "teacher_weight": _UP_TO_1,
    "temperature": Bounds(0, 1000, above=True),
    "weight_decay": Bounds(0, 1000),
    "clip": Bounds(0, 1_000_000),
    "restart_norms": Bounds(0, 1),
    "seed": Bounds(0, SEEDS - 1),
}
#: Settings that earlier versions did not have, and the value that does what those did.
_LATER: Mapping[str, int] = {"restart_norms": 0}


@dataclass(frozen=True)
class TrainSettings:
    """How to train; checked when it is made.

    Raises:
        SettingsError: a value is out of range.
    """

    __pydantic_config__: ClassVar[ConfigDict] = {**STRICT, "extra": "forbid"}  # else another version trained otherwise

    epochs: int = 10
    lr: float = 0.01  # at the top of the schedule (LeGR, section 4.1)
    decay: Decay = "cosine"  # after the warm-up; "steps": x 0.2 after 30, 60 and 80 % of the run
    warmup: float = 0.05  # share of steps in which the rate rises
    momentum: float = 0.9  # Nesterov's
    weight_decay: float = 5e-4  # of weights; norms and offsets do not decay
    batch: int = 128
    distill: bool = True  # learn from the original network's outputs as well
    temperature: float = 4.0  # softness of the teacher's outputs
    teacher_weight: float = 0.5  # of the loss; the rest is cross-entropy
    smoothing: float = 0.0  # share of each label that is spread over all classes
    average: float = 0.0  # decay of the weights' running average over steps, less in the first; 0 takes no average
    clip: float = 0.0  # largest norm of the gradient; 0 is without limit
    restart_norms: int = 0  # 1: batch norms begin anew, with scales of 1, offsets of 0 and no statistics
    seed: int = 0

    def __post_init__(self) -> None:
        for name, bounds in RANGES.items():
            bounds.require(name, getattr(self, name))
        if self.decay not in get_args(Decay):
            raise SettingsError(f"decay must be {' or '.join(get_args(Decay))}, got {self.decay!r}")

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain data, without those that a later version added and that are not used: keys stay so."""
        return {name: value for name, value in asdict(self).items() if name not in _LATER or value != _LATER[name]}

    @property
    def first_kept(self) -> int:
        """The first epoch, from 0, whose weights may be kept as the best."""
        return 0

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step, of `steps` in all."""
        warmup = max(1, int(steps * self.warmup))
        if step < warmup:
            return self.lr * (step + 1) / warmup
        if self.decay == "steps":
            return self.lr * _STEP ** sum(step >= int(steps * at) for at in _STEPS_AT)
        return self.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


#: Settings that are plain numbers, and may be changed one by one.
NUMBERS = (
    *("lr", "batch", "weight_decay", "warmup", "momentum"),
    *("smoothing", "average", "clip", "temperature", "teacher_weight", "restart_norms"),
)

#: From scratch, on one cycle: up for a fifth of the run, then down to 0.
SCRATCH = TrainSettings(epochs=40, lr=0.2, warmup=0.2, distill=False)

#: The recipe for weights that are good already: those of a supernet.
POLISH = "polish"
#: Recipes for fine-tuning by name.
RECIPES: Mapping[str, TrainSettings] = {
    "quick": TrainSettings(epochs=3),
    "short": TrainSettings(epochs=10),
    "standard": TrainSettings(epochs=30),
    "paper": TrainSettings(epochs=60, decay="steps", warmup=0.0, distill=False),
    "long": TrainSettings(epochs=200, lr=0.1, warmup=0.025),  # rate x decay is 5e-5; 5 epochs of warm-up
    POLISH: TrainSettings(epochs=1, lr=0.01, warmup=0.1),
}


def settings_of_recipe(name: str, changes: Mapping[str, Any]) -> TrainSettings:
    """A recipe with some settings changed (see `with_changes`).

    Raises:
        SettingsError: there is no such recipe, or a value is out of range.
    """
    if name not in RECIPES:
        raise SettingsError(f"a recipe is one of {', '.join(RECIPES)}, got {name!r}")
    return with_changes(RECIPES[name], changes)


def closest_recipe(settings: TrainSettings) -> tuple[str, dict[str, Any]]:
    """The recipe that differs least from some settings, and the settings that differ, by name.

    Of several, one that differs in its epochs: these are chosen most often.
    """
    values = asdict(settings)

    def differing(recipe: str) -> dict[str, Any]:
        return {name: values[name] for name, value in asdict(RECIPES[recipe]).items() if value != values[name]}

    alike = [name for name in RECIPES if RECIPES[name].decay == settings.decay]
    recipe = min(alike, key=lambda name: (len(differing(name)), "epochs" not in differing(name)))
    return recipe, differing(recipe)


def require_numbers(options: Mapping[str, float]) -> Mapping[str, float]:
    """Check the names of settings that `--option` gives; return them.

    Raises:
        SettingsError: a name is not one of `NUMBERS`.
    """
    unknown = [name for name in options if name not in NUMBERS]
    if unknown:
        raise SettingsError(f"--option sets one of {', '.join(NUMBERS)}, got {unknown[0]!r}")
    return options


Settings = TypeVar("Settings", bound=TrainSettings)


def with_changes(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings with some changed; None changes nothing.

    Raises:
        SettingsError: there is no such setting, or a value is out of range.
    """
    types = {field.name: field.type for field in fields(settings)}
    unknown = [name for name in changes if name not in types]
    if unknown:
        raise SettingsError(f"training has no setting {unknown[0]!r}; it has {', '.join(sorted(types))}")
    values: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    for name, value in values.items():
        if types[name] is int:
            if not float(value).is_integer():
                raise SettingsError(f"{name} must be a whole number, got {value}")
            values[name] = int(value)
    return replace(settings, **values)


#: Which statistics the batch norms of a candidate use while it is scored (`batch_norm.set_statistics`).
Statistics = Literal["batch", "recalibrated", "stale"]
STATISTICS: tuple[Statistics, ...] = ("batch", "recalibrated", "stale")
