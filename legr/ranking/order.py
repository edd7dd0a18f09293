"""From norms to the order of removal: score the units, sort them, respect the floors.

It does not know costs or budgets; numpy only.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from legr.errors import SettingsError
from legr.ranking.types import Affine, FloatArray, Norms, Ranking
from legr.structure.types import IntArray, Structure, readonly


def rank(structure: Structure, norms: Norms, affine: Affine | None = None) -> Ranking:
    """Order the units of a network, least important first.

    A unit's importance is the sum over its filters of `alpha * norm + kappa` (coupled filters add up,
    as in LeGR's reference). Ties go by layer order, then channel. A unit whose removal would take a
    layer below its floor is held: the order never contains it.

    Args:
        affine: the learned map; None is the identity, plain global L2.

    Raises:
        SettingsError: norms or map belong to another structure.
    """
    return Ranker(structure, norms).rank(affine)


def rank_uniform(structure: Structure, norms: Norms) -> Ranking:
    """Order the units so that every group loses the same share: percentile of the norm inside the group."""
    return Ranker(structure, norms).rank_uniform()


def floor_of(total: int) -> int:
    """Filters that a layer of `total` keeps at least: a tenth, rounded up, and two (LeGR's reference)."""
    return min(total, max(2, -(-total // 10)))


@dataclass(frozen=True)
class Ranker:
    """Ranks the same network many times; what does not depend on the map is computed once."""

    structure: Structure
    norms: Norms

    def __post_init__(self) -> None:
        sizes = [len(values) for values in self.norms.values]
        if sizes != [layer.total for layer in self.structure.layers]:
            raise SettingsError("the norms belong to another network; compute them with filter_norms(model, structure)")

    def rank(self, affine: Affine | None = None) -> Ranking:
        """See `rank`."""
        layers, units, norms = self._filters
        affine = affine or Affine.identity(len(self.structure.layers))
        if len(affine.alpha) != len(self.structure.layers):
            raise SettingsError(
                f"the map must have one alpha and kappa for each of {len(self.structure.layers)} layers, "
                f"got {len(affine.alpha)}"
            )
        scores = np.bincount(
            units,
            weights=affine.alpha[layers] * norms + affine.kappa[layers],
            minlength=self.structure.n_units,
        ).astype(np.float64)
        return Ranking(self._respect_floors(np.argsort(scores, kind="stable")), scores)

    def rank_uniform(self) -> Ranking:
        """See `rank_uniform`."""
        plain = self.rank().scores
        scores = np.zeros_like(plain)
        for group in self.structure.groups:
            places = np.argsort(np.argsort(plain[group.units], kind="stable"), kind="stable")
            scores[group.units] = (places + 0.5) / len(group.units)
        return Ranking(self._respect_floors(np.argsort(scores, kind="stable")), scores)

    @cached_property
    def _filters(self) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
        """Layer, unit and norm of every filter that can go."""
        layers, units, norms = [], [], []
        for number, (layer, values) in enumerate(zip(self.structure.layers, self.norms.values, strict=True)):
            free = layer.labels > 0
            layers.append(np.full(free.sum(), number))
            units.append(layer.labels[free].astype(np.int64) - 1)
            norms.append(values[free])
        if not layers:
            empty = np.zeros(0, dtype=np.int64)
            return empty, empty, np.zeros(0)
        return np.concatenate(layers), np.concatenate(units), np.concatenate(norms)

    @cached_property
    def _spare(self) -> tuple[int, ...]:
        """For each distinct label vector, how many positions may go."""
        scored = {layer.labels.tobytes() for layer in self.structure.layers}
        return tuple(
            len(labels) - (floor_of(len(labels)) if labels.tobytes() in scored else 1)
            for labels in self.structure.vectors
        )

    @cached_property
    def _footprints(self) -> tuple[tuple[int, ...], tuple[tuple[tuple[int, int], ...], ...]]:
        """Group of each unit, and for each group the (vector, positions) that one of its units takes."""
        group_of = np.zeros(self.structure.n_units, dtype=np.int64)
        footprints = []
        for number, group in enumerate(self.structure.groups):
            group_of[group.units] = number
            label = group.units[0] + 1
            counts = [(v, int((labels == label).sum())) for v, labels in enumerate(self.structure.vectors)]
            footprints.append(tuple((v, count) for v, count in counts if count))
        return tuple(group_of.tolist()), tuple(footprints)

    def _respect_floors(self, order: NDArray[np.int64]) -> IntArray:
        """Drop from an order the units whose turn comes when their layer has none to spare."""
        group_of, footprints = self._footprints
        spare = list(self._spare)
        taken = []
        for unit in order.tolist():
            footprint = footprints[group_of[unit]]
            if all(spare[vector] >= count for vector, count in footprint):
                for vector, count in footprint:
                    spare[vector] -= count
                taken.append(unit)
        return readonly(taken)
