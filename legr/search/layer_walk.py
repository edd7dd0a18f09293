"""A walk through a network's layers: what share of its filters each may keep at a budget, and the map that keeps it.

Layers that share units are decided together, by the first of them in order of execution. A decision is a whole number:
how many units stay of the largest group of these layers; of their other groups the same share stays.

Dims of arrays: G groups, V distinct label vectors, L layers, D decisions, F features, T networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from legr.errors import SettingsError
from legr.ranking.constraints import Constraints
from legr.ranking.footprints import Footprints
from legr.ranking.types import Affine, FloatArray
from legr.search.pricing import Pricing
from legr.structure.cost import macs_by_weight
from legr.structure.types import Structure

Counts = NDArray[np.int64]

#: What an agent sees of each decision, each in [0, 1]: see `LayerWalk.states`.
FEATURES = ("place", "filters", "inputs", "kernel", "positions", "macs", "removed", "left", "last share")


@dataclass(frozen=True)
class Decision:
    """Layers that share units, and how many units may stay of their largest group.

    Attributes:
        layers: places in `Structure.layers`, in order; the first one decides.
        groups: places in `Structure.groups`, the largest first.
        least: units of the largest group that stay at any budget.
        total: units of that group.
    """

    layers: tuple[int, ...]
    groups: tuple[int, ...]
    least: int
    total: int


class LayerWalk:
    """Decides layer by layer so that the network costs as much as a budget allows.

    Args:
        pricing: what networks cost.
        budget: fraction of the original's cost, in (0, 1].

    Raises:
        SettingsError: no layer of the network can lose a filter.
    """

    def __init__(self, pricing: Pricing, budget: float) -> None:
        self._pricing, self._ranker = pricing, pricing.ranker
        footprints = pricing.ranker.footprints
        self._positions, self._lengths, self._sizes = footprints.positions, footprints.lengths, footprints.sizes
        order = pricing.ranker.rank(None, Constraints(pricing.multiple)).order
        self._least: Counts = self._sizes - np.bincount(footprints.group_of[order], minlength=len(self._sizes))
        self.decisions = _decisions(footprints, self._least)
        if not self.decisions:
            raise SettingsError(
                "rl needs layers that can lose filters, and this network has none; choose another network"
            )
        self._limit = budget * float(self._costs(self._sizes[None])[0])

    def bounds(self, numbers: Sequence[int]) -> tuple[int, int]:
        """The fewest and the most units that may stay in the next decision.

        At most so many that the network is within the budget where all later layers are at their floors (AMC,
        algorithm 1). At least so many that it is not below the budget where the later ones stay whole: the ranking
        would fill up a network that is smaller than it may be, and its loss would not be that of these decisions.

        Args:
            numbers: the decisions before it.
        """
        decision = self.decisions[len(numbers)]
        options = np.arange(decision.least, decision.total + 1)
        fits = self._costs(self._options(numbers, options, self._least)) <= self._limit
        reaches = self._costs(self._options(numbers, options, self._sizes)) >= self._limit
        most = int(options[fits].max(initial=decision.least))
        fewest = int(options[reaches].min(initial=decision.total))
        return min(fewest, most), most

    def states(self, numbers: Sequence[int]) -> FloatArray:
        """What an agent sees before each of the decisions made and before the next one, float64[len(numbers) + 1, F].

        As in AMC, each in [0, 1]: the decision's place; of its first layer the filters, what each reads, the size of
        the kernel and the positions of the output, of the largest in the network; the share of the MACs that its layers
        have, that was removed so far, and that later layers have; the last share. A structure knows no strides.

        Args:
            numbers: decisions so far; all of them give D states.
        """
        n_states = min(len(numbers) + 1, len(self.decisions))
        kept = np.array([self._kept(numbers[:place], self._sizes) for place in range(n_states)])
        macs = self._macs(kept)
        shares = [1.0, *self.shares(numbers)]
        removed = 1 - macs / macs[0]
        return np.column_stack((self._fixed[:n_states, :-1], removed, self._fixed[:n_states, -1], shares[:n_states]))

    def shares(self, numbers: Sequence[int]) -> FloatArray:
        """Decisions as shares of the largest group, float64[len(numbers)]."""
        return np.array([n / d.total for n, d in zip(numbers, self.decisions, strict=False)], dtype=np.float64)

    def affine(self, numbers: Sequence[int]) -> Affine:
        """The map by which every unit that stays has a score above 0, and every other one a score below it.

        With alpha = 1 / threshold a score is how far the norm is above the threshold, in units of it; the threshold
        lies midway between the last unit that stays and the first one that leaves. So the ranking of the map passes
        through the decided network; where the budget has room left, units just below their thresholds stay as well.

        Three things are lost. An affine map never reorders the filters of a layer, so the largest norms stay. Other
        budgets get what these thresholds make of them: nothing was decided there. Layers that share several groups have
        one kappa each; where these cannot meet all of the groups' thresholds, they meet them by least squares.

        Args:
            numbers: all decisions.
        """
        alpha, kappa = np.ones(len(self._structure.layers)), np.zeros(len(self._structure.layers))
        kept = self._kept(numbers, self._sizes)
        for decision in self.decisions:
            layers, groups = list(decision.layers), list(decision.groups)
            thresholds = np.array([_threshold(self._scores[group], int(kept[group])) for group in groups])
            scale = float(thresholds.mean()) or 1.0  # 0 only where no filter has a weight
            filters = self._positions[groups][:, [self._vectors[layer] for layer in layers]].astype(np.float64)
            alpha[layers] = 1 / scale
            kappa[layers] = np.linalg.lstsq(filters, -thresholds / scale, rcond=None)[0]
        return Affine(alpha, kappa)

    @property
    def _structure(self) -> Structure:
        return self._ranker.structure

    @cached_property
    def _vectors(self) -> list[int]:
        """Label vector of the filters of each layer."""
        return [self._ranker.footprints.vector_of[layer.name] for layer in self._structure.layers]

    @cached_property
    def _scores(self) -> list[FloatArray]:
        """Scores of each group's units at the identity, largest first."""
        scores = self._ranker.scores()
        return [-np.sort(-scores[group.units]) for group in self._structure.groups]

    @cached_property
    def _fixed(self) -> FloatArray:
        """What `states` says whatever was decided, float64[D, F - 2]: all but what was removed, and the last share."""
        ops = {op.parameter: op for op in reversed(self._structure.ops)}  # the first of each weight
        sizes = []
        for decision in self.decisions:
            layer = self._structure.layers[decision.layers[0]]
            shape, op = self._structure.shapes[layer.parameter], ops.get(layer.parameter)
            kernel = prod(shape[2:])
            # An operation has the MACs of each pair of an output and an input: kernel times positions.
            inputs, positions = (shape[op.in_dim], op.macs / kernel) if op else (0, 0.0)
            sizes.append((layer.total, inputs, kernel, positions))
        by_weight = macs_by_weight(self._structure, self._lengths[:, None])
        original = sum(int(macs[0]) for macs in by_weight.values())
        names = [{self._structure.layers[layer].parameter for layer in d.layers} for d in self.decisions]
        macs = np.array([sum(int(by_weight.get(name, [0])[0]) for name in own) for own in names]) / original
        left = macs[::-1].cumsum()[::-1] - macs
        places = np.linspace(0, 1, len(self.decisions))
        table = np.array(sizes, dtype=np.float64).reshape(-1, 4)
        return np.column_stack((places, table / table.max(axis=0, initial=1e-12), macs, left.clip(0)))

    def _kept(self, numbers: Sequence[int], rest: Counts) -> Counts:
        """Units of each group after some decisions, int64[G], where the others keep `rest`, int64[G]."""
        kept = rest.copy()
        for decision, number in zip(self.decisions, numbers, strict=False):
            kept[list(decision.groups)] = self._of_groups(decision, np.array([number]))[0]
        return kept

    def _options(self, numbers: Sequence[int], options: Counts, rest: Counts) -> Counts:
        """Units of each group where the next decision is one of `options`, int64[T, G]."""
        kept = np.repeat(self._kept(numbers, rest)[None], len(options), axis=0)
        decision = self.decisions[len(numbers)]
        kept[:, list(decision.groups)] = self._of_groups(decision, options)
        return kept

    def _of_groups(self, decision: Decision, numbers: Counts) -> Counts:
        """Units of each group of a decision, int64[T, groups]; each group keeps its own floor."""
        groups = list(decision.groups)
        shares = numbers[:, None] / decision.total
        return np.clip(np.rint(shares * self._sizes[groups]).astype(np.int64), self._least[groups], self._sizes[groups])

    def _macs(self, kept: Counts) -> FloatArray:
        """MACs of networks by units of each group, float64[T] of int64[T, G]."""
        counts = self._counts(kept)
        macs: FloatArray = np.array([*macs_by_weight(self._structure, counts).values()], dtype=np.float64).sum(axis=0)
        return macs

    def _costs(self, kept: Counts) -> FloatArray:
        """The same as budgets count it."""
        device = self._pricing.device
        return self._macs(kept) if device is None else device.milliseconds(self._counts(kept))

    def _counts(self, kept: Counts) -> Counts:
        counts: Counts = self._lengths[:, None] - ((self._sizes - kept) @ self._positions).T
        return counts


def _threshold(scores: FloatArray, kept: int) -> float:
    """What the first `kept` of some scores are above, and the others below; they are sorted, largest first."""
    after = scores[kept] if kept < len(scores) else 0.0
    return float(scores[kept - 1] + after) / 2


def _decisions(footprints: Footprints, least: Counts) -> tuple[Decision, ...]:
    """The layers of which units may leave, joined where they share groups, by the first of each."""
    stands_in = footprints.positions[:, [footprints.vector_of[layer.name] for layer in footprints.structure.layers]] > 0
    decisions, seen = [], np.zeros(stands_in.shape[1], dtype=bool)
    for first in range(stands_in.shape[1]):
        if seen[first]:
            continue
        layers = np.zeros_like(seen)
        layers[first] = True
        while True:  # until no group of these layers stands in another layer
            groups = stands_in[:, layers].any(axis=1)
            joined = stands_in[groups].any(axis=0)
            if (joined <= layers).all():
                break
            layers |= joined
        seen |= layers
        sizes = footprints.sizes
        numbers = sorted(np.flatnonzero(groups).tolist(), key=lambda group: -sizes[group])
        if any(least[group] < sizes[group] for group in numbers):
            places = tuple(np.flatnonzero(layers).tolist())
            decisions.append(Decision(places, tuple(numbers), max(int(least[numbers[0]]), 1), int(sizes[numbers[0]])))
    return tuple(decisions)
