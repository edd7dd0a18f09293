"""A budget: how much of which cost a network may have. Several limits hold together."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from legr.errors import BudgetError
from legr.structure.types import Cost

Metric = Literal["macs", "params", "activation", "latency"]
METRICS: tuple[Metric, ...] = ("macs", "params", "activation", "latency")
METRIC_NAMES: dict[Metric, str] = {
    "macs": "MACs",
    "params": "parameters",
    "activation": "activation memory",
    "latency": "latency",
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a limit counts in, such as megabytes of weights."""

    metric: Metric
    size: float | None  # in multiply-adds, parameters, bytes or milliseconds; None: that of the original, so a fraction
    words: str  # such as "MB of weights"
    is_rate: bool = False  # so many of them in a second: a budget is at least as many, and `size` is a second

    def of(self, cost: float, original: float) -> float:
        """A cost of its metric in this quantity."""
        return self.size / cost if self.size and self.is_rate else cost / (self.size or original)

    def holds(self, cost: float, original: float, limit: float) -> bool:
        """Whether a cost of its metric is within a limit."""
        amount = self.of(cost, original)
        return bool(amount >= limit if self.is_rate else amount <= limit)


PROFILE = "device_profile"  # name of what a budget may state beside its limits
LARGEST = 1_000_000_000  # of a limit that is no fraction; no network costs as much

#: Limits by name. A megabyte is 1e6 bytes; weights are float32, 4 bytes a parameter. Latency is predicted, of a device.
QUANTITIES: dict[str, Quantity] = {
    "macs": Quantity("macs", None, "the MACs"),
    "params": Quantity("params", None, "the parameters"),
    "activation": Quantity("activation", None, "the activation memory"),
    "latency": Quantity("latency", None, "the latency"),
    "mmacs": Quantity("macs", 1e6, "million MACs"),
    "weight_mb": Quantity("params", 1e6 / 4, "MB of weights"),
    "activation_mb": Quantity("activation", 1e6, "MB of activation memory"),
    "latency_ms": Quantity("latency", 1.0, "ms"),
    "fps": Quantity("latency", 1e3, "frames a second", is_rate=True),
}


def amount_of(cost: Cost, metric: Metric) -> float | None:
    """One kind of a cost, in multiply-adds, parameters, bytes or milliseconds; None where it is not known."""
    amounts = {"macs": cost.macs, "params": cost.params, "activation": cost.activation, "latency": cost.latency_ms}
    return amounts[metric]


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a network may cost at most; at least one limit, and all that are given hold together.

    Attributes:
        macs, params, activation, latency: fractions of the original's, in (0, 1].
        mmacs: million multiply-adds of one forward pass.
        weight_mb: megabytes (1e6 bytes) of float32 weights.
        activation_mb: megabytes of float32 activations at the memory peak.
        latency_ms: milliseconds of one forward pass, as predicted for the device.
        fps: forward passes in a second, at least: the same as 1000 / fps milliseconds.
        device_profile: the study's profile of that device, by name; "" is none. With one, every network of a curve
            pays on the device, whatever is limited (see `BudgetCurve`).

    Raises:
        BudgetError: no limit is given, or one is out of range.
    """

    macs: float | None = None
    params: float | None = None
    activation: float | None = None
    latency: float | None = None
    mmacs: float | None = None
    weight_mb: float | None = None
    activation_mb: float | None = None
    latency_ms: float | None = None
    fps: float | None = None
    device_profile: str = ""

    def __post_init__(self) -> None:
        limits = self.limits()
        if not limits:
            raise BudgetError("a budget needs a limit, such as macs=0.5")
        for name, limit in limits:
            quantity = QUANTITIES[name]
            if quantity.size is None and not (_is_real(limit) and 0 < limit <= 1):
                raise BudgetError(
                    f"a budget is a fraction of the original's {METRIC_NAMES[quantity.metric]} in (0, 1], got {limit}"
                )
            if not (_is_real(limit) and 0 < limit <= LARGEST):
                raise BudgetError(f"a budget in {quantity.words} must be in (0, {LARGEST}], got {limit}")

    @property
    def words(self) -> str:
        """For people: "50 % of the MACs and 3 MB of weights"."""
        given = [(QUANTITIES[name], limit) for name, limit in self.limits()]
        return " and ".join(
            f"{limit:g} {quantity.words}" if quantity.size else f"{100 * limit:g} % of {quantity.words}"
            for quantity, limit in given
        ) + (f" on {self.device_profile}" if self.device_profile else "")

    def limits(self) -> list[tuple[str, float]]:
        """The limits that are given, by name."""
        return [(name, limit) for name in QUANTITIES if (limit := getattr(self, name)) is not None]

    @property
    def stated(self) -> dict[str, float | str]:
        """All that it says, by name: its limits, and the profile where there is one."""
        profile = {PROFILE: self.device_profile} if self.device_profile else {}
        return {**dict(self.limits()), **profile}

    @property
    def needs_device(self) -> bool:
        """Whether it depends on a device."""
        return bool(self.device_profile) or any(QUANTITIES[name].metric == "latency" for name, _ in self.limits())


def budget_of(texts: Mapping[str, str]) -> Budget:
    """A budget from what it states, as texts by name.

    Raises:
        ValueError: a limit is no number.
        BudgetError: it is no budget.
    """
    profile = texts.get(PROFILE, "")
    return Budget(**{name: float(text) for name, text in texts.items() if name != PROFILE}, device_profile=profile)


def first_within(name: str, limit: float, costs: NDArray[Any], original: float | None, end: str) -> int:
    """First step whose cost is within a limit; costs never rise along a curve.

    Args:
        name: which limit, a key of `QUANTITIES`.
        costs: cost of its metric after each step, [T + 1].
        original: the original's cost.
        end: what is said of the last step, such as "where every layer is at its smallest".

    Raises:
        BudgetError: the limit is below the floor.
    """
    quantity = QUANTITIES[name]
    if not original:
        raise BudgetError(f"a budget cannot limit {quantity.words}: nothing is known of it for this network")
    last = float(costs[-1])
    if not quantity.holds(last, original, limit):
        asked, reached = _in_words(limit, quantity), quantity.of(last, original)
        raise BudgetError(
            f"a budget of {asked} is above the most that is reached, {_in_words(_round_down(reached), quantity)}, "
            f"{end}; choose fewer"
            if quantity.is_rate
            else f"a budget of {asked} is below the floor of {_in_words(_round_up(reached), quantity)}, {end}; "
            "choose one above it",
            last / original,
        )
    return bisect_left(range(len(costs)), True, key=lambda step: quantity.holds(float(costs[step]), original, limit))


def _in_words(limit: float, quantity: Quantity) -> str:
    return f"{limit:.4g} {quantity.words}" if quantity.size else f"{100 * limit:.4g} % of {quantity.words}"


def _round_up(value: float) -> float:
    """Round up to four digits: a budget at the floor that a message names is then within reach."""
    return math.ceil(value * _scale(value)) / _scale(value)


def _round_down(value: float) -> float:
    return math.floor(value * _scale(value)) / _scale(value)


def _scale(value: float) -> float:
    """The power of ten that leaves four digits in front of the point."""
    return float(10.0 ** (3 - math.floor(math.log10(value))))


def _is_real(value: object) -> bool:
    """Whether a value is an int or a float, not a bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
