"""The learners by name, with their options, and the budgets that candidates are scored at."""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import Any, TypeVar

from legr.errors import SettingsError
from legr.search.budgets import BudgetRange, Budgets, ListedBudgets
from legr.search.evolution import Evolution, EvolutionSettings
from legr.search.gradient import GradientLearner, GradientSettings, Probe
from legr.search.layer_walk import FEATURES, LayerWalk
from legr.search.pricing import Pricing
from legr.search.reinforcement import ReinforcementLearner, ReinforcementSettings
from legr.search.types import Learner
from legr.study.records import SearchSettings

#: Fractions of the cost between which the whole slider is learned, and at which its candidates are scored.
SLIDER = 0.1, 0.9
SCORED = (0.15, 0.25, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Material:
    """What a learner is made from."""

    pricing: Pricing
    settings: SearchSettings
    probe: Callable[[int], Probe]  # number of images a step -> probe


def learner(material: Material) -> Learner:
    """Make the learner that the settings name."""
    return METHODS[material.settings.method].make(material)


def check(settings: SearchSettings) -> None:
    """Refuse a method or an option that does not exist, or budgets that the method cannot learn for.

    Raises:
        SettingsError: there is none of this name, its value is out of range, or the extra of the method is missing.
    """
    if settings.method not in METHODS:
        raise SettingsError(f"the method must be one of {', '.join(METHODS)}, got {settings.method!r}")
    method = METHODS[settings.method]
    _options(method.options, settings.options)
    if method.one_budget and len(settings.budgets) != 1:
        given = len(settings.budgets) or "all"
        raise SettingsError(f"{settings.method} learns for one budget, got {given}; one search a budget: --budget 0.3")
    if method.package and find_spec(method.package.replace("-", "_")) is None:
        raise SettingsError(
            f"{settings.method} needs {method.package}, which is not installed; pip install {method.package}"
        )


def is_offered(settings: SearchSettings) -> bool:
    """Whether a search of these settings can be started or continued; earlier versions offered more methods."""
    with suppress(SettingsError):
        check(settings)
        return True
    return False


def scored_budgets(settings: SearchSettings, floor: float) -> tuple[float, ...]:
    """Fractions of the cost that candidates are scored at; of the whole slider, what lies above the floor."""
    if settings.budgets:
        return settings.budgets
    return tuple(_above(floor, budget) for budget in SCORED)


def _above(floor: float, budget: float) -> float:
    """A budget of the slider; where the floor is above its low end, the slider spans from the floor to 1."""
    return floor + (1 - floor) * budget if floor > SLIDER[0] else budget


@dataclass(frozen=True)
class _Method:
    """How a learner is made, and the dataclass of its options.

    Attributes:
        one_budget: whether a search learns for exactly one budget.
        package: that it needs and only an extra brings along; "" is none.
    """

    make: Callable[[Material], Learner]
    options: type[Any]
    one_budget: bool = False
    package: str = ""


def gradient_learner(material: Material) -> GradientLearner:
    """Make a learner by gradient."""
    settings = material.settings
    options = _options(GradientSettings, settings.options)
    probe, seed = material.probe(options.images), settings.seed
    return GradientLearner(material.pricing, probe, budgets=_budgets(material), seed=seed, settings=options)


def _budgets(material: Material) -> Budgets:
    """The budgets to learn at: those that the settings list, else the whole slider."""
    settings = material.settings
    if settings.budgets:
        return ListedBudgets(settings.budgets)
    lowest, highest = (_above(material.pricing.floor, end) for end in SLIDER)
    return BudgetRange(lowest, highest, settings.seed)


def _evolution(material: Material) -> Learner:
    options = _options(EvolutionSettings, material.settings.options)
    return Evolution(material.pricing.ranker.norms.deviations, material.settings.seed, options)


def _reinforcement(material: Material) -> Learner:
    from legr.search.ddpg import DdpgAgent  # an extra

    settings = material.settings
    options = _options(ReinforcementSettings, settings.options)
    walk = LayerWalk(material.pricing, *settings.budgets)

    def agent() -> DdpgAgent:
        return DdpgAgent(len(FEATURES), len(walk.decisions), settings.seed, options)

    return ReinforcementLearner(walk, agent, settings.seed, options)


METHODS: Mapping[str, _Method] = {
    "gradient": _Method(gradient_learner, GradientSettings),
    "evolution": _Method(_evolution, EvolutionSettings),
    "rl": _Method(_reinforcement, ReinforcementSettings, one_budget=True, package="stable-baselines3"),
}

T = TypeVar("T")


def _options(kind: type[T], options: Mapping[str, float]) -> T:
    types = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    for name in options:
        if name not in types:
            raise SettingsError(f"there is no option {name!r}; this method has {', '.join(types)}")
    return kind(**{name: _as(name, types[name], value) for name, value in options.items()})


def _as(name: str, kind: Any, value: float) -> Any:
    if not math.isfinite(value) or (kind is not float and value != int(value)):
        raise SettingsError(f"{name} must be a {'finite' if kind is float else 'whole'} number, got {value:g}")
    return kind(value)
