"""A budget: how much of which cost a network may have. Several limits hold together."""

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from legr.errors import BudgetError

Metric = Literal["macs", "params", "activation"]
METRICS: tuple[Metric, ...] = ("macs", "params", "activation")
METRIC_NAMES: dict[Metric, str] = {"macs": "MACs", "params": "parameters", "activation": "activation memory"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a limit counts in, such as megabytes of weights."""

    metric: Metric
    size: float | None  # in multiply-adds, parameters or bytes; None: that of the original, so a limit is a fraction
    words: str  # such as "MB of weights"


LARGEST = 1_000_000_000  # of a limit that is no fraction; no network costs as much

#: Limits by name. A megabyte is 1e6 bytes; weights are float32, 4 bytes a parameter.
QUANTITIES: dict[str, Quantity] = {
    "macs": Quantity("macs", None, "the MACs"),
    "params": Quantity("params", None, "the parameters"),
    "activation": Quantity("activation", None, "the activation memory"),
    "mmacs": Quantity("macs", 1e6, "million MACs"),
    "weight_mb": Quantity("params", 1e6 / 4, "MB of weights"),
    "activation_mb": Quantity("activation", 1e6, "MB of activation memory"),
}


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a network may cost at most; at least one limit, and all that are given hold together.

    Attributes:
        macs, params, activation: fractions of the original's, in (0, 1].
        mmacs: million multiply-adds of one forward pass.
        weight_mb: megabytes (1e6 bytes) of float32 weights.
        activation_mb: megabytes of float32 activations at the memory peak.

    Raises:
        BudgetError: no limit is given, or one is out of range.
    """

    macs: float | None = None
    params: float | None = None
    activation: float | None = None
    mmacs: float | None = None
    weight_mb: float | None = None
    activation_mb: float | None = None

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
        )

    def limits(self) -> list[tuple[str, float]]:
        """The limits that are given, by name."""
        return [(name, limit) for name in QUANTITIES if (limit := getattr(self, name)) is not None]


def first_within(name: str, limit: float, costs: NDArray[np.int64], original: int) -> int:
    """First step whose cost is within a limit; costs never rise along a curve.

    Args:
        name: which limit, a key of `QUANTITIES`.
        costs: cost of its metric after each step, int64[T + 1].
        original: the original's cost.

    Raises:
        BudgetError: the limit is below the floor.
    """
    quantity = QUANTITIES[name]
    if original == 0:
        raise BudgetError(f"a budget cannot limit {quantity.words}: nothing is known of it for this network")
    size = quantity.size or original
    floor = float(costs[-1] / size)
    if floor > limit:
        raise BudgetError(
            f"a budget of {_in_words(limit, quantity)} is below the floor of {_in_words(_round_up(floor), quantity)}, "
            "where every layer is at its smallest; choose one above it",
            float(costs[-1] / original),
        )
    return bisect_left(range(len(costs)), True, key=lambda step: bool(costs[step] / size <= limit))


def _in_words(limit: float, quantity: Quantity) -> str:
    return f"{limit:.4g} {quantity.words}" if quantity.size else f"{100 * limit:.4g} % of {quantity.words}"


def _round_up(value: float) -> float:
    """Round up to four digits: a budget at the floor that a message names is then within reach."""
    scale = 10.0 ** (3 - math.floor(math.log10(value)))
    return math.ceil(value * scale) / scale


def _is_real(value: object) -> bool:
    """Whether a value is an int or a float, not a bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
