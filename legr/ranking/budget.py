"""From a ranking to the network of a budget: the cost after every single removal, computed once.

It does not know how the ranking came about; numpy only. After that a budget is a binary search.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from legr.errors import BudgetError
from legr.ranking.types import Ranking
from legr.structure.cost import totals
from legr.structure.types import Keep, Structure

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CurveTable:
    """A curve sampled at evenly spaced budgets, largest first: all that a chart needs."""

    budgets: NDArray[np.float64]  # [S], fractions of the original's MACs asked for
    macs: Counts  # [S]
    params: Counts  # [S]
    kept: Counts  # [S, L]


@dataclass(frozen=True, eq=False)
class BudgetCurve:
    """MACs, parameters and kept filters after each removal of a ranking.

    `curve.at(macs=0.5)` is the largest network on the ranking's path that costs at most half of the
    original; one removal earlier it would cost more.

    Attributes:
        macs, params: int64[N + 1]; entry t is the cost after t removals, entry 0 the original's.
    """

    structure: Structure
    ranking: Ranking

    @cached_property
    def _counts(self) -> Counts:
        """Positions kept of each distinct label vector after each removal, int64[V, N + 1]."""
        vectors, order = self.structure.vectors, self.ranking.order
        counts = np.zeros((len(vectors), len(order) + 1), dtype=np.int64)
        for row, labels in zip(counts, vectors, strict=True):
            positions = np.bincount(labels, minlength=self.structure.n_units + 1)[1:]
            row[1:] = positions[order]
            np.cumsum(row, out=row)
            np.subtract(len(labels), row, out=row)
        return counts

    @cached_property
    def _totals(self) -> tuple[Counts, Counts]:
        return totals(self.structure, self._counts)

    @property
    def macs(self) -> Counts:
        """MACs after each removal."""
        return self._totals[0]

    @property
    def params(self) -> Counts:
        """Parameters after each removal."""
        return self._totals[1]

    @property
    def floor(self) -> float:
        """Smallest reachable fraction of the original's MACs."""
        return float(self.macs[-1] / self.macs[0])

    @cached_property
    def kept(self) -> Counts:
        """Filters kept of each layer after each removal, int64[L, N + 1]."""
        rows = [self.structure.vector_index[layer.labels.tobytes()] for layer in self.structure.layers]
        return self._counts[rows]

    def step(self, *, macs: float | None = None, params: float | None = None) -> int:
        """Number of removals that a budget needs; several limits hold together.

        Args:
            macs: largest fraction of the original's MACs, in (0, 1].
            params: largest fraction of the original's parameters, in (0, 1].

        Raises:
            BudgetError: no limit given, one out of range, or below the floor, which it names.
        """
        limits = [("MACs", macs, self.macs), ("parameters", params, self.params)]
        steps = [_first_within(name, limit, costs) for name, limit, costs in limits if limit is not None]
        if not steps:
            raise BudgetError("a budget needs a limit, such as macs=0.5")
        return max(steps)

    def at(self, *, macs: float | None = None, params: float | None = None) -> Keep:
        """Return the units that stay within a budget; arguments and errors as for `step`."""
        return self.keep(self.step(macs=macs, params=params))

    def keep(self, step: int) -> Keep:
        """Return the units that are left after `step` removals."""
        units = np.ones(self.structure.n_units, dtype=bool)
        units[self.ranking.order[:step]] = False
        units.setflags(write=False)
        return Keep(units)

    def table(self, samples: int = 256) -> CurveTable:
        """Sample the curve at evenly spaced budgets from the original down to the floor."""
        budgets = np.linspace(1.0, self.floor, samples).clip(self.floor)
        steps = np.array([_first_within("MACs", b, self.macs) for b in budgets.tolist()])
        return CurveTable(budgets, self.macs[steps], self.params[steps], self.kept[:, steps].T)


def _first_within(name: str, limit: float, costs: Counts) -> int:
    """First step whose cost is within `limit`; costs never rise along the curve."""
    if not (isinstance(limit, (int, float)) and 0 < limit <= 1):
        raise BudgetError(f"a budget is a fraction of the original's {name} in (0, 1], got {limit}")
    fractions = costs / costs[0]
    floor = float(fractions[-1])
    if floor > limit:
        raise BudgetError(
            f"a budget of {100 * limit:.4g} % of the {name} is below the floor of {100 * floor:.4g} %, "
            "where every layer is at its smallest; choose one above it",
            floor,
        )
    return int(np.searchsorted(-fractions, -limit, side="left"))
