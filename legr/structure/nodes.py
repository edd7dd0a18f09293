"""Union-find over channel nodes: which channels of which axes are one and the same unit.

It does not know tensors of the network, only integers. Node 0 is "fixed" and wins every union.
"""

import torch
from torch import Tensor


class Nodes:
    """Integer nodes with a union operation; the smallest node of a set represents it.

    Every chain is flattened after a union, so that finding is one gather.
    """

    def __init__(self) -> None:
        self._parent = torch.zeros(1, dtype=torch.int64)

    def new(self, count: int) -> Tensor:
        """Add `count` nodes, each alone in its set; return them, int64[count]."""
        start = len(self._parent)
        fresh = torch.arange(start, start + count)
        self._parent = torch.cat((self._parent, fresh))
        return fresh

    def find(self, nodes: Tensor) -> Tensor:
        """Return the representative of each node, in the shape given."""
        return self._parent[nodes]

    def unite(self, left: Tensor, right: Tensor) -> None:
        """Unite `left` and `right` element by element (same shape)."""
        count = len(self._parent)
        codes = (left.reshape(-1) * count + right.reshape(-1)).unique()  # one number a pair: sorts far faster
        pairs = torch.stack((codes // count, codes % count))
        while True:
            roots = self._parent[pairs]
            low, high = roots.min(dim=0).values, roots.max(dim=0).values
            differ = low != high
            if not differ.any():
                return
            self._parent.scatter_reduce_(0, high[differ], low[differ], "amin")
            while not torch.equal(shorter := self._parent[self._parent], self._parent):
                self._parent = shorter
