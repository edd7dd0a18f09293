"""What the networks of a table keep of each layer, told in little: many layers share an axis, and few change in a row.

A cost of a layer is a number times the sizes of the axes of its weight, so a browser computes it from those exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.budget_dial.types import LayerData
from legr.ranking.budget import CurveTable
from legr.structure.cost import Product, macs_products, params_product
from legr.structure.types import Structure


@dataclass(frozen=True, slots=True)
class LayerSizes:
    """Sizes of W axes in S networks, and for each layer which of them its costs are products of."""

    layers: list[LayerData]
    totals: list[int]  # int64[W], in the original
    sizes: NDArray[np.int64]  # int64[W, S]


def layer_sizes(structure: Structure, networks: CurveTable) -> LayerSizes:
    """Find the axes that the layers of some networks have, and their sizes.

    Of a layer in a block that may leave as a whole, whether the block is there is an axis as well: its size is 1 or 0.
    """
    place: dict[int | tuple[int, ...], int] = {}  # of a label vector, or of those of a block, among the axes

    def product(cost: Product) -> list[int]:
        axes: list[int | tuple[int, ...]] = [*cost.vectors, *([cost.within] if cost.within else [])]
        return [cost.factor, *(place.setdefault(axis, len(place)) for axis in axes)]

    layers: list[LayerData] = [
        {
            "name": layer.name,
            "filters": place.setdefault(structure.vector_index[layer.labels.tobytes()], len(place)),
            "params": product(params_product(structure, layer.parameter)),
            "macs": [product(cost) for cost in macs_products(structure, layer.parameter)],
        }
        for layer in structure.layers
    ]
    totals = [len(structure.vectors[axis]) if isinstance(axis, int) else 1 for axis in place]
    counts = networks.counts
    sizes = [counts[axis] if isinstance(axis, int) else (counts[list(axis)] > 0).all(axis=0) for axis in place]
    return LayerSizes(layers, totals, np.array(sizes, dtype=np.int64).reshape(len(place), counts.shape[1]))


def run_lengths(sizes: Sequence[int]) -> list[int]:
    """Sizes that never fall, as the first, then by how much each is above the one before; -n: n times not at all."""
    told, still = [sizes[0]], 0
    for before, size in pairwise(sizes):
        if size == before:
            still += 1
            continue
        told += [-still, size - before] if still else [size - before]
        still = 0
    return [*told, -still] if still else told
