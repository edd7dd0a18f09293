"""What the networks of a table keep of each layer, told in little: many layers share an axis, and few change in a row.

A cost of a layer is a number times the sizes of the axes of its weight, so a browser computes it from those exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from app.budget_dial.types import LayerData
from legr.ranking.budget import CurveTable
from legr.structure.branches import vectors_around
from legr.structure.cost import Product, macs_products, params_product
from legr.structure.types import Layer, Structure


@dataclass(frozen=True, slots=True)
class LayerSizes:
    """Sizes of W axes in S networks, and for each layer which of them its costs are products of."""

    layers: list[LayerData]
    totals: list[int]  # int64[W], in the original
    sizes: NDArray[np.int64]  # int64[W, S]


def layer_sizes(structure: Structure, networks: CurveTable) -> LayerSizes:
    """Find the axes that the layers of some networks have, and their sizes.

    Of a layer in a block that leaves some of them, whether the block is there is an axis as well, of size 1 or 0; and
    so are its filters, of which none is left then.
    """
    place: dict[Product, int] = {}  # among the axes

    def number(vectors: tuple[int, ...], within: tuple[int, ...] = ()) -> int:
        return place.setdefault(Product(1, vectors, within), len(place))

    def product(cost: Product) -> list[int]:
        within = _leaving(cost.within, networks)
        return [cost.factor, *(number((vector,)) for vector in cost.vectors), *([number((), within)] if within else [])]

    def filters(layer: Layer) -> int:
        vector = structure.vector_index[layer.labels.tobytes()]
        within = _leaving(vectors_around(structure, layer.parameter), networks)
        return number((vector,), () if vector in within else within)

    layers: list[LayerData] = [
        {
            "name": layer.name,
            "filters": filters(layer),
            "params": product(params_product(structure, layer.parameter)),
            "macs": [product(cost) for cost in macs_products(structure, layer.parameter)],
        }
        for layer in structure.layers
    ]
    totals = [prod(len(structure.vectors[vector]) for vector in axis.vectors) for axis in place]
    sizes = np.array([axis.at(networks.counts) for axis in place], dtype=np.int64)
    return LayerSizes(layers, totals, sizes.reshape(len(place), networks.counts.shape[1]))


def _leaving(within: tuple[int, ...], networks: CurveTable) -> tuple[int, ...]:
    """The label vectors of a block, if it is not in all of some networks."""
    return within if (networks.counts[list(within)] == 0).any() else ()


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
