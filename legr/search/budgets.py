"""The budgets that a learner goes through, as fractions of the original's MACs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

_GOLDEN = 0.6180339887498949  # 1 / golden ratio; its multiples modulo 1 are a low-discrepancy sequence
_SAMPLES = 5  # budgets that stand for a range


class Budgets(Protocol):
    """A budget for every iteration."""

    def at(self, iteration: int) -> float:
        """The budget of an iteration."""

    def samples(self) -> Sequence[float]:
        """The few budgets that stand for all."""


@dataclass(frozen=True)
class ListedBudgets:
    """Given budgets, taken in turn."""

    fractions: tuple[float, ...]

    def at(self, iteration: int) -> float:
        """The budget of an iteration."""
        return self.fractions[iteration % len(self.fractions)]

    def samples(self) -> Sequence[float]:
        """All of them."""
        return self.fractions


@dataclass(frozen=True)
class BudgetRange:
    """All budgets from the lowest to the highest: a golden-ratio low-discrepancy sequence.

    It covers the range evenly after any number of iterations.

    Args:
        seed: draws the first budget.
    """

    lowest: float
    highest: float
    seed: int

    @cached_property
    def _start(self) -> float:
        return float(np.random.default_rng(self.seed).random())

    def at(self, iteration: int) -> float:
        """The budget of an iteration."""
        share = (self._start + iteration * _GOLDEN) % 1
        return self.lowest + (self.highest - self.lowest) * share

    def samples(self) -> Sequence[float]:
        """Evenly spaced ones, both ends included."""
        return [float(fraction) for fraction in np.linspace(self.lowest, self.highest, num=_SAMPLES)]
