"""Devices whose milliseconds can be worked out on paper."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from legr.structure.types import Structure


@dataclass(frozen=True)
class Listed:
    """A device for networks with one label vector: milliseconds by the number of channels that are kept."""

    ms: Mapping[int, float]

    def milliseconds(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([self.ms[kept] for kept in counts[0].tolist()])


@dataclass(frozen=True)
class Lanes:
    """A device that takes channels `lanes` at a time, and longer for the last ones where they fill no lane.

    A layer takes a microsecond for each pair of an output and an input lane; an odd end costs half a lane more.
    """

    structure: Structure
    lanes: int = 8
    beside_ms: float = 0.01  # what a network takes beside its layers

    def milliseconds(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        total = np.full(counts.shape[1], self.beside_ms)
        for op in self.structure.ops:
            if op.parameter is None:
                continue
            sides = [self._lanes(op.parameter, dim, counts) for dim in (op.out_dim, op.in_dim)]
            total += 1e-3 * sides[0] * sides[1]
        return total

    def _lanes(self, parameter: str, dim: int, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        axis = self.structure.axis_of.get((parameter, dim))
        if axis is None:
            return np.full(counts.shape[1], self.structure.shapes[parameter][dim] / self.lanes)
        kept = counts[self.structure.vector_index[axis.labels.tobytes()]]
        return -(-kept // self.lanes) + 0.5 * (kept % self.lanes > 0)
