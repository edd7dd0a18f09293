"""From a ranking to the network of a budget: the cost after every step, computed once; then a binary search.

Dims of arrays: V distinct label vectors, L layers, T steps, S budgets of a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legr.errors import BudgetError
from legr.ranking.limits import METRICS, QUANTITIES, Budget, Metric, amount_of, first_within
from legr.ranking.paying import counts_after, with_paying_steps
from legr.ranking.types import FloatArray, Ranking
from legr.structure.cost import cost, counts_of, macs_by_weight, original_cost, params_of, peaks, stays, totals
from legr.structure.types import Cost, Keep, LatencyModel, Structure

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CurveTable:
    """A curve at some budgets: all that a chart needs."""

    budgets: NDArray[np.float64]  # float64[S], fractions of the original's MACs
    macs: Counts  # int64[S]
    params: Counts  # int64[S]
    kept: Counts  # int64[S, L], filters of each layer
    layer_macs: Counts  # int64[S, L]
    layer_params: Counts  # int64[S, L], of each layer's weight
    counts: Counts  # int64[V, S], positions kept of each distinct label vector (`Structure.vectors`)
    latency_ms: FloatArray | None = None  # float64[S], predicted; None: of no device


@dataclass(frozen=True, eq=False)
class BudgetCurve:
    """Cost and kept filters after each step of a ranking.

    `curve.at(macs=0.5)` is the largest network on the ranking's path that costs at most half of the
    original; one step earlier it would cost more. A step is one unit, or a block of them where the ranking
    has constraints. Arrays over steps have T + 1 entries: entry 0 is the original, less what pins remove at once.

    With a device every step pays on it (see `legr.ranking.paying`), whatever a budget limits: no network of the curve
    is slower than a larger one.

    Attributes:
        ranking: the order of removal; with a device, in the steps that pay.
        device: predicts latency; None: a budget cannot limit it.
    """

    structure: Structure
    ranking: Ranking
    device: LatencyModel | None = None

    def __post_init__(self) -> None:
        if self.device is not None:
            object.__setattr__(self, "ranking", with_paying_steps(self.structure, self.ranking, self.device))

    @cached_property
    def original(self) -> Cost:
        """Cost of the original network; fractions are of this."""
        return original_cost(self.structure, self.device)

    @cached_property
    def _counts(self) -> Counts:
        """Positions kept of each distinct label vector after each step, int64[V, T + 1]."""
        return counts_after(self.structure, self.ranking)

    @cached_property
    def _totals(self) -> tuple[Counts, Counts]:
        return totals(self.structure, self._counts)

    @property
    def macs(self) -> Counts:
        """MACs after each step, int64[T + 1]."""
        return self._totals[0]

    @property
    def params(self) -> Counts:
        """Parameters after each step, int64[T + 1]."""
        return self._totals[1]

    @cached_property
    def activation(self) -> Counts:
        """Bytes of activations at the memory peak after each step, int64[T + 1]; computed at the first use."""
        return peaks(self.structure, self._counts)

    @cached_property
    def latency(self) -> FloatArray:
        """Predicted milliseconds after each step, float64[T + 1]; they never rise.

        Raises:
            BudgetError: the curve is of no device.
        """
        if self.device is None:
            raise BudgetError("milliseconds depend on the device; give its profile, with --device-profile")
        return self.device.milliseconds(self._counts)

    @property
    def floor(self) -> float:
        """Smallest reachable fraction of the original's MACs."""
        return self.floor_of("macs")

    def floor_of(self, metric: Metric) -> float:
        """Smallest reachable fraction of one kind of cost, which must be known."""
        return float(getattr(self, metric)[-1] / amount_of(self.original, metric))

    @property
    def floors(self) -> dict[Metric, float]:
        """Smallest reachable fraction of each cost; a cost that was not counted is left out."""
        least = cost(self.structure, self.keep(-1), self.device)
        pairs = ((metric, amount_of(least, metric), amount_of(self.original, metric)) for metric in METRICS)
        return {metric: last / original for metric, last, original in pairs if last is not None and original}

    @cached_property
    def kept(self) -> Counts:
        """Filters kept of each layer after each step, int64[L, T + 1]; 0 of one that has left with its block."""
        return _kept(self.structure, self._counts)

    def step(self, budget: Budget | None = None, **limits: Any) -> int:
        """Number of steps that a budget needs.

        Args:
            budget: what the network may cost; None: the budget that has `limits` alone.
            limits: those of `Budget`, by name, such as `macs=0.5, weight_mb=2`; they replace the budget's.

        Raises:
            BudgetError: no limit given, one out of range, or below the floor, which it names.
        """
        budget = Budget(**limits) if budget is None else replace(budget, **limits) if limits else budget
        return max(self._first_within(name, limit) for name, limit in budget.limits())

    def at(self, budget: Budget | None = None, **limits: Any) -> Keep:
        """Return the units that stay within a budget; arguments and errors as for `step`."""
        return self.keep(self.step(budget, **limits))

    def keep(self, step: int) -> Keep:
        """Return the units that are left after `step` steps."""
        units = np.ones(self.structure.n_units, dtype=bool)
        units[self.ranking.order[: self.ranking.ends[step]]] = False
        units.setflags(write=False)
        return Keep(units)

    def table(self, budgets: Sequence[float] | None = None) -> CurveTable:
        """Read the curve at many budgets at once.

        Args:
            budgets: fractions of the original's MACs; by default 256 from the original down to the floor.

        Raises:
            BudgetError: one is out of range or below the floor.
        """
        rows = np.linspace(1.0, self.floor, 256).clip(self.floor) if budgets is None else np.array(budgets)
        steps = np.array([self._first_within("macs", budget) for budget in rows.tolist()])
        table = _table(self.structure, rows, self._counts[:, steps])
        return table if self.device is None else replace(table, latency_ms=self.latency[steps])

    def _first_within(self, name: str, limit: float) -> int:
        metric = QUANTITIES[name].metric
        end = "where every layer is at its smallest" if self.device is None else "below which nothing makes it faster"
        return first_within(name, limit, getattr(self, metric), amount_of(self.original, metric), end)


def table_of(structure: Structure, keep: Keep) -> CurveTable:
    """One network, which need not lie on any curve, as a table with one row; its budget is what it costs."""
    counts = counts_of(structure, keep)
    macs, _ = totals(structure, counts)
    return _table(structure, macs / original_cost(structure).macs, counts)


def _kept(structure: Structure, counts: Counts) -> Counts:
    """Filters of each layer, int64[L, T], from positions kept of each distinct label vector, int64[V, T]."""
    layers = structure.layers
    rows = [counts[structure.vector_index[x.labels.tobytes()]] * stays(structure, x.parameter, counts) for x in layers]
    return np.array(rows, dtype=np.int64).reshape(len(layers), counts.shape[1])


def _table(structure: Structure, budgets: NDArray[np.float64], counts: Counts) -> CurveTable:
    """Networks as a table.

    Args:
        counts: int64[V, S], positions kept of each distinct label vector.
    """
    layers, (macs, params) = structure.layers, totals(structure, counts)
    by_weight, nothing = macs_by_weight(structure, counts), np.zeros(counts.shape[1], dtype=np.int64)
    kept = _kept(structure, counts)
    layer_macs = [by_weight.get(layer.parameter, nothing) for layer in layers]
    layer_params = [params_of(structure, counts, layer.parameter) for layer in layers]
    shape = (len(layers), counts.shape[1])
    return CurveTable(
        budgets=budgets,
        macs=macs,
        params=params,
        kept=kept.T,
        layer_macs=np.array(layer_macs).reshape(shape).T,
        layer_params=np.array(layer_params).reshape(shape).T,
        counts=counts,
    )
