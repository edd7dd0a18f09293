"""The steps of a ranking that pay on a device: those after which the network is faster than after any step before.

A device does not like every number of channels, so along a ranking the milliseconds may rise. A removal that makes the
network slower is passed over until what leaves with it has made good for it: its step is joined with those that follow.

Example: five steps lead from 10.0 ms to 10.4, 10.1, 9.2, 9.3 and 8.0 ms. Two of them pay, the third and the fifth. So
the first three are one step, which leads to 9.2 ms, and the last two another, which leads to 8.0.

Dims of arrays: V distinct label vectors, T steps.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from legr.ranking.types import FloatArray, Ranking
from legr.structure.types import LatencyModel, Structure, readonly

Counts = NDArray[np.int64]


def counts_after(structure: Structure, ranking: Ranking) -> Counts:
    """Positions kept of each distinct label vector after each step of a ranking, int64[V, T + 1]."""
    vectors, order, ends = structure.vectors, ranking.order, ranking.ends
    counts = np.zeros((len(vectors), len(ends)), dtype=np.int64)
    removed = np.zeros(len(order) + 1, dtype=np.int64)  # positions after each unit of the order
    for row, labels in zip(counts, vectors, strict=True):
        positions = np.bincount(labels, minlength=structure.n_units + 1)[1:]  # int64[units]
        np.cumsum(positions[order], out=removed[1:])
        np.subtract(len(labels), removed[ends], out=row)
    return counts


def latency_after(structure: Structure, ranking: Ranking, device: LatencyModel) -> FloatArray:
    """Predicted milliseconds after each step of a ranking, float64[T + 1]; they may rise."""
    return device.milliseconds(counts_after(structure, ranking))


def with_paying_steps(structure: Structure, ranking: Ranking, device: LatencyModel) -> Ranking:
    """The same order in the steps that pay on a device. What pins remove at once is kept as it is."""
    latency = latency_after(structure, ranking, device)
    pays = np.ones(len(latency), dtype=bool)
    pays[1:] = latency[1:] < np.minimum.accumulate(latency)[:-1]
    return replace(ranking, ends=readonly(ranking.ends[pays]))
