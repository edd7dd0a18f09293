"""From norms to the order of removal: the importance of every unit, by a learned map or by share of its group."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from legr.errors import SettingsError
from legr.ranking.blocks import order_blocks
from legr.ranking.constraints import UNCONSTRAINED, Constraints
from legr.ranking.footprints import Footprints
from legr.ranking.types import Affine, FloatArray, Norms, Ranking
from legr.structure.types import Structure


def rank(
    structure: Structure, norms: Norms, affine: Affine | None = None, constraints: Constraints = UNCONSTRAINED
) -> Ranking:
    """Order the units of a network, least important first.

    A unit's importance is the sum over its filters of `alpha * norm + kappa` (coupled filters add up, as in
    LeGR's reference). Ties go by layer order, then channel. A unit whose removal would take a layer below its
    floor is never in the order.

    Args:
        affine: the learned map; None is the identity, plain global L2.
        constraints: multiples, floors, excluded and pinned layers; by default none.

    Raises:
        SettingsError: norms, map or constraints belong to another structure, or a pin cannot be met.
    """
    return Ranker(structure, norms).rank(affine, constraints)


def rank_uniform(structure: Structure, norms: Norms, constraints: Constraints = UNCONSTRAINED) -> Ranking:
    """Order the units so that every group loses the same share: percentile of the norm inside the group."""
    return Ranker(structure, norms).rank_uniform(constraints)


@dataclass(frozen=True)
class Ranker:
    """Ranks one network many times; what depends neither on the map nor on the constraints is computed once."""

    structure: Structure
    norms: Norms

    def __post_init__(self) -> None:
        sizes = [len(values) for values in self.norms.values]
        if sizes != [layer.total for layer in self.structure.layers]:
            raise SettingsError("the norms belong to another network; compute them with filter_norms(model, structure)")

    def rank(self, affine: Affine | None = None, constraints: Constraints = UNCONSTRAINED) -> Ranking:
        """See `rank`."""
        return self.rank_by(self.scores(affine), constraints)

    def rank_by(self, scores: FloatArray, constraints: Constraints = UNCONSTRAINED) -> Ranking:
        """Order the units by scores of another kind, float64[U], least important first."""
        return order_blocks(self.footprints, scores, constraints)

    def rank_uniform(self, constraints: Constraints = UNCONSTRAINED) -> Ranking:
        """See `rank_uniform`."""
        importance = self.scores(None)
        percentiles = np.zeros_like(importance)
        for group in self.structure.groups:
            places = np.argsort(np.argsort(importance[group.units], kind="stable"), kind="stable")
            percentiles[group.units] = (places + 0.5) / len(group.units)
        return self.rank_by(percentiles, constraints)

    def scores(self, affine: Affine | None = None) -> FloatArray:
        """Importance of every unit, float64[U]."""
        layers, units, norms = self.filters
        affine = affine or Affine.identity(len(self.structure.layers))
        if len(affine.alpha) != len(self.structure.layers):
            raise SettingsError(
                f"the map must have one alpha and kappa for each of {len(self.structure.layers)} layers, "
                f"got {len(affine.alpha)}; learn the ranking of this network again"
            )
        weights = affine.alpha[layers] * norms + affine.kappa[layers]
        return np.bincount(units, weights=weights, minlength=self.structure.n_units).astype(np.float64)

    @cached_property
    def footprints(self) -> Footprints:
        """Where its units stand."""
        return Footprints(self.structure)

    @cached_property
    def filters(self) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
        """Layer, unit and norm of each of the F filters that can go: int64[F], int64[F], float64[F]."""
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
