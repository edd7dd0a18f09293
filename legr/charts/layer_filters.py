"""Why a layer keeps the filters that it keeps: each with its score, in the order in which they leave. No torch.

Dims of arrays: K filters of the layer.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legr.errors import SettingsError
from legr.ranking.budget import BudgetCurve
from legr.ranking.order import Ranker
from legr.ranking.types import Affine, FloatArray
from legr.structure.types import Layer, Structure


@dataclass(frozen=True, slots=True)
class Partner:
    """Another layer whose filters leave with those of this one."""

    layer: str
    shared: int  # filters of this layer that leave with some of the other's


@dataclass(frozen=True, slots=True, eq=False)
class LayerFilters:
    """The filters of a layer in the order in which they leave, the first to go first.

    Attributes:
        layer: as the structure has it.
        alpha, kappa: the layer's map; None for a ranking that has none.
        numbers: int64[K], of the filters in the layer, from 0.
        norms: float64[K], squared L2 norms.
        own: float64[K], what this layer adds to the score: alpha * norm + kappa; zeros without a map.
        scores: float64[K], importance of the filter's unit: the sum over all filters that leave with it, or its place
            in its group for the uniform ranking; nan of one that can never leave.
        gone_below: float64[K], fraction of the original's MACs below which it has left, also with the whole
            layer; 0 if it stays at every budget, inf if pins remove it at once.
        partners: the layers that lose filters with it, those that share most first.
    """

    layer: Layer
    alpha: float | None
    kappa: float | None
    numbers: NDArray[np.int64]
    norms: FloatArray
    own: FloatArray
    scores: FloatArray
    gone_below: FloatArray
    partners: tuple[Partner, ...]

    @property
    def stay(self) -> int:
        """How many of them, the last ones, stay at every budget."""
        return int((self.gone_below == 0).sum())


def layer_filters(ranker: Ranker, curve: BudgetCurve, name: str, affine: Affine | None) -> LayerFilters:
    """The filters of one layer under a ranking.

    Args:
        curve: of the ranking.
        name: of the layer.
        affine: the ranking's map; None: it has none, and compares places in groups.

    Raises:
        SettingsError: no layer of that name has filters that can leave.
    """
    structure = ranker.structure
    place = next((n for n, layer in enumerate(structure.layers) if layer.name == name), None)
    if place is None:
        raise SettingsError(f"{name} is no layer whose filters are ranked; see `python -m legr inspect`")
    layer, norms = structure.layers[place], ranker.norms.values[place]
    free, units = layer.labels > 0, np.maximum(layer.labels.astype(np.int64) - 1, 0)
    own = affine.alpha[place] * norms + affine.kappa[place] if affine else np.zeros(len(norms))
    scores = np.where(free, curve.ranking.scores[units], np.nan)
    gone_below = np.maximum(np.where(free, _gone_below(curve)[units], 0.0), _layer_gone_below(curve, place))
    order = np.lexsort((np.arange(len(norms)), np.nan_to_num(scores, nan=np.inf), _turns(curve, units, free)))
    return LayerFilters(
        layer=layer,
        alpha=float(affine.alpha[place]) if affine else None,
        kappa=float(affine.kappa[place]) if affine else None,
        numbers=order.astype(np.int64),
        norms=norms[order],
        own=np.where(free, own, 0.0)[order],
        scores=scores[order],
        gone_below=gone_below[order],
        partners=tuple(_partners(structure, layer)),
    )


def _turns(curve: BudgetCurve, units: NDArray[np.int64], free: NDArray[np.bool_]) -> NDArray[np.int64]:
    """When each filter leaves, as a place in the order; those that never do come last."""
    order = curve.ranking.order
    turns = np.full(curve.structure.n_units, len(order), dtype=np.int64)
    turns[order] = np.arange(len(order))
    return np.where(free, turns[units] if len(turns) else len(order), len(order) + 1)


def _gone_below(curve: BudgetCurve) -> FloatArray:
    """Fraction of the MACs below which each unit has left, float64[U]."""
    ranking, fractions = curve.ranking, curve.macs / curve.original.macs
    found = np.zeros(curve.structure.n_units)
    places = np.arange(ranking.ends[-1])
    steps = np.searchsorted(ranking.ends, places, side="right")  # that removes each unit of the order
    before = np.concatenate(([np.inf], fractions))  # a network of the step before is the last that has it
    found[ranking.order[places]] = before[steps]
    return found


def _layer_gone_below(curve: BudgetCurve, place: int) -> float:
    """Fraction of the MACs below which a layer has left with its block; 0: it never does."""
    left = np.flatnonzero(curve.kept[place] == 0)
    if not len(left):
        return 0.0
    return float(curve.macs[left[0] - 1] / curve.original.macs) if left[0] else float("inf")


def _partners(structure: Structure, layer: Layer) -> Sequence[Partner]:
    own = layer.labels[layer.labels > 0]
    found: Counter[str] = Counter()
    for other in structure.layers:
        if other is not layer:
            shared = int(np.isin(own, other.labels).sum())
            if shared:
                found[other.name] = shared
    return [Partner(name, shared) for name, shared in found.most_common()]
