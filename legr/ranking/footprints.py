"""Where units stand: how many positions of each label vector go with one unit of a group.

Computed once for a network, used by every ranking of it. Dims: U units, G groups, V distinct label vectors.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from legr.structure.types import BoolArray, Structure

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Footprints:
    """The footprint of every group: all units of a group have the same one."""

    structure: Structure

    @cached_property
    def group_of(self) -> Counts:
        """Group of each unit, int64[U]."""
        groups = np.zeros(self.structure.n_units, dtype=np.int64)
        for number, group in enumerate(self.structure.groups):
            groups[group.units] = number
        return groups

    @cached_property
    def sizes(self) -> Counts:
        """Units of each group, int64[G]."""
        return np.array([len(group.units) for group in self.structure.groups], dtype=np.int64)

    @cached_property
    def positions(self) -> Counts:
        """Positions that one unit takes in each distinct label vector, int64[G, V]."""
        first = np.array([group.units[0] + 1 for group in self.structure.groups], dtype=np.int64)
        n_labels = self.structure.n_units + 1
        columns = [np.bincount(labels, minlength=n_labels)[first] for labels in self.structure.vectors]
        return np.array(columns, dtype=np.int64).reshape(len(columns), len(first)).T

    @cached_property
    def lengths(self) -> Counts:
        """Positions of each distinct label vector, int64[V]."""
        return np.array([len(labels) for labels in self.structure.vectors], dtype=np.int64)

    @cached_property
    def vector_of(self) -> Mapping[str, int]:
        """The label vector of each layer's filters."""
        return {layer.name: self.structure.vector_index[layer.labels.tobytes()] for layer in self.structure.layers}

    @cached_property
    def is_scored(self) -> BoolArray:
        """Whether a label vector is that of some layer's filters, bool[V]."""
        scored = np.zeros(len(self.lengths), dtype=bool)
        scored[list(self.vector_of.values())] = True
        return scored

    def block_sizes(self, multiple: int) -> Counts:
        """The fewest units of each group with which every layer loses a multiple of so many filters, int64[G]."""
        filters = self.positions[:, self.is_scored]
        return np.asarray((multiple // np.gcd(filters, multiple)).max(axis=1, initial=1))

    def taken(self, units: Counts) -> Counts:
        """Positions that some units take in each label vector together, int64[V]."""
        units_of_group = np.bincount(self.group_of[units], minlength=len(self.sizes))
        positions: Counts = units_of_group @ self.positions
        return positions

    def groups_in(self, layers: Iterable[str]) -> BoolArray:
        """Groups with a unit in one of these layers, bool[G]."""
        vectors = [self.vector_of[name] for name in layers]
        return np.asarray((self.positions[:, vectors] > 0).any(axis=1))
