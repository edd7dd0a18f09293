"""What a pruned network costs: MACs, parameters and activation memory from kept channels, without building it.

Dims of arrays: U units, V distinct label vectors, T kept sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from legr.structure.branches import emptied_branches, freed_by_branches, vectors_around, vectors_around_op
from legr.structure.types import Cost, Keep, LatencyModel, Structure, Uncounted

_NAMED = 3  # uncounted operations in a sentence
Counts = NDArray[np.int64]


def cost(structure: Structure, keep: Keep, device: LatencyModel | None = None) -> Cost:
    """Count MACs, parameters and activation memory of the network that `keep` leaves.

    MACs are multiply-adds of convolutions, linear layers and matrix products in one forward pass with the traced
    input; every other operation counts 0, and one that may be such a product and has no formula is not in the sum:
    `structure.uncounted` names it. Activation memory is the largest sum of the bytes of all tensors that
    are alive after an operation of that pass, the input included: float32, views free, without what an operation
    allocates and frees inside itself. These are the numbers that a count on the built network gives. Only memory
    may differ from that: where the forward casts between float32 and float64, and where a view becomes a copy
    as soon as there is more than one channel.

    Args:
        device: predicts latency, which no count gives; None leaves it out.
    """
    counts = counts_of(structure, keep)
    macs, params = totals(structure, counts)
    latency_ms = None if device is None else float(device.milliseconds(counts)[0])
    return Cost(int(macs[0]), int(params[0]), int(peaks(structure, counts)[0]), latency_ms)


def original_cost(structure: Structure, device: LatencyModel | None = None) -> Cost:
    """Count what the original network costs."""
    return cost(structure, everything(structure), device)


def uncounted_note(uncounted: Sequence[Uncounted]) -> str:
    """A sentence on the operations that no number of MACs includes, to stand beside one; "" where there are none."""
    if not uncounted:
        return ""
    named = ", ".join(f"{x.operation} in {x.module or 'the model'}" for x in uncounted[:_NAMED])
    more = f" and {len(uncounted) - _NAMED} more" if len(uncounted) > _NAMED else ""
    which = "1 operation is" if len(uncounted) == 1 else f"{len(uncounted)} operations are"
    return f"{which} not counted in the MACs: {named}{more}."


def original_layer_macs(structure: Structure) -> dict[str | None, int]:
    """MACs by weight in the original network, as `layer_macs` gives them."""
    return layer_macs(structure, everything(structure))


def everything(structure: Structure) -> Keep:
    """The kept set of the original."""
    return Keep(np.ones(structure.n_units, dtype=bool))


def unit_macs(structure: Structure, keep: Keep) -> NDArray[np.float64]:
    """MACs that each unit adds to the network that `keep` leaves, float64[U]."""
    macs = np.zeros(structure.n_units + 1)  # by label
    gone = {number for branch in emptied_branches(structure, keep) for number in branch.ops}
    for number, op in enumerate(structure.ops):
        if op.parameter is None or number in gone:
            continue
        for dim, other in ((op.out_dim, op.in_dim), (op.in_dim, op.out_dim)):
            axis = structure.axis_of.get((op.parameter, dim))
            if axis is not None:
                np.add.at(macs, axis.labels, op.macs * _size(structure, keep, op.parameter, other))
    return macs[1:]


def layer_macs(structure: Structure, keep: Keep) -> dict[str | None, int]:
    """MACs by weight in the network that `keep` leaves; those of operations without a weight stand under None."""
    return {name: int(macs[0]) for name, macs in macs_by_weight(structure, counts_of(structure, keep)).items()}


def counts_of(structure: Structure, *keeps: Keep) -> Counts:
    """Positions that each of some kept sets leaves of each distinct label vector, int64[V, T]."""
    counts = [[keep.kept(vector).sum() for keep in keeps] for vector in structure.vectors]
    return np.array(counts, dtype=np.int64).reshape(-1, len(keeps))


def _size(structure: Structure, keep: Keep, parameter: str, dim: int) -> int:
    axis = structure.axis_of.get((parameter, dim))
    return _original_size(structure, parameter, dim) if axis is None else int(keep.kept(axis.labels).sum())


def _original_size(structure: Structure, parameter: str, dim: int) -> int:
    shape = structure.shapes.get(parameter) or structure.filters[parameter]
    return shape[dim]


def totals(structure: Structure, counts: Counts) -> tuple[Counts, Counts]:
    """MACs and parameters for many kept sets at once.

    Args:
        counts: positions that each of T kept sets leaves of each distinct label vector, int64[V, T].

    Returns:
        MACs and parameters, int64[T] each.
    """
    zero = np.zeros(counts.shape[1], dtype=np.int64)
    macs = sum(macs_by_weight(structure, counts).values(), start=zero)
    params = sum((params_of(structure, counts, name) for name in structure.shapes), start=zero)
    return macs, params


@dataclass(frozen=True, slots=True)
class Product:
    """A cost that is a number times the sizes of some axes, which pruning makes smaller."""

    factor: int
    vectors: tuple[int, ...]  # positions in `Structure.vectors`, one for each axis
    within: tuple[int, ...] = ()  # those of its branch: the cost is 0 where one of them is empty

    def at(self, counts: Counts) -> Counts:
        """Compute it for many kept sets at once, int64[T]; `counts` as for `totals`."""
        stays = _none_empty(counts, self.within).astype(np.int64)
        return self.factor * prod((counts[v] for v in self.vectors), start=stays)


def macs_products(structure: Structure, name: str) -> tuple[Product, ...]:
    """MACs of a weight: the sum of these products; they are none where no example runs it."""
    factors: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    for number, op in enumerate(structure.ops):
        if op.parameter == name:
            product = _macs_product(structure, number)
            key = product.vectors, product.within
            factors[key] = factors.get(key, 0) + product.factor
    return tuple(Product(factor, *key) for key, factor in factors.items())


def params_product(structure: Structure, name: str) -> Product:
    """Number of elements of a parameter."""
    within = vectors_around(structure, name)
    return _product(structure, name, range(len(structure.shapes[name])), 1, within)


def stays(structure: Structure, name: str, counts: Counts) -> NDArray[np.bool_]:
    """Whether a parameter is still in the network, for many kept sets at once, bool[T]; `counts` as for `totals`."""
    return _none_empty(counts, vectors_around(structure, name))


def _none_empty(counts: Counts, vectors: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether each of some label vectors keeps a position, bool[T]."""
    kept: NDArray[np.bool_] = np.all(counts[list(vectors)] > 0, axis=0)
    return kept


def _macs_product(structure: Structure, number: int) -> Product:
    """MACs of one of the structure's operations."""
    op = structure.ops[number]
    dims = (op.out_dim, op.in_dim) if op.parameter else ()
    return _product(structure, op.parameter or "", dims, op.macs, vectors_around_op(structure, number))


def _product(structure: Structure, name: str, dims: Sequence[int], factor: int, within: tuple[int, ...]) -> Product:
    axes = {dim: structure.axis_of.get((name, dim)) for dim in dims}
    fixed = prod(_original_size(structure, name, dim) for dim in dims if axes[dim] is None)
    cut = (axis for dim in dims if (axis := axes[dim]) is not None)
    vectors = tuple(structure.vector_index[axis.labels.tobytes()] for axis in cut)
    return Product(factor * fixed, vectors, () if set(vectors) & set(within) else within)


def macs_by_weight(structure: Structure, counts: Counts) -> dict[str | None, Counts]:
    """MACs by weight for many kept sets at once, int64[T] each; those without a weight stand under None."""
    macs: dict[str | None, Counts] = {}
    for number, op in enumerate(structure.ops):
        macs[op.parameter] = macs.get(op.parameter, 0) + _macs_product(structure, number).at(counts)
    return macs


def params_of(structure: Structure, counts: Counts, name: str) -> Counts:
    """Number of elements of one parameter for many kept sets at once, int64[T]."""
    return params_product(structure, name).at(counts)


def peaks(structure: Structure, counts: Counts) -> Counts:
    """Bytes at the peak of activation memory for many kept sets at once, int64[T]; `counts` as for `totals`."""
    peak = np.zeros(counts.shape[1], dtype=np.int64)
    freed = freed_by_branches(structure, counts)
    for number, live_set in enumerate(structure.live_sets):
        alive = np.full(counts.shape[1], live_set.fixed, dtype=np.int64)
        for labels, size in live_set.parts:
            alive += size * counts[structure.vector_index[labels.tobytes()]]
        alive -= freed.get(number, 0)
        np.maximum(peak, alive, out=peak)
    return peak
