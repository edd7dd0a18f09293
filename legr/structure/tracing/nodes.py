"""Union-find over channels: which channels of which axes are one and the same unit.

Every channel of every axis is a node, an integer. Node 0 stands for all unprunable channels and wins every union.

The labels of an activation are nodes in its shape. They are often one value repeated over space: such dims
are broadcast (stride 0), and work is done once for all their positions.
"""

import torch
from torch import Tensor


def thin(labels: Tensor, *others: Tensor) -> list[Tensor]:
    """Narrow every dim that is broadcast (stride 0) in all of these tensors of one shape to size 1."""
    tensors = [labels, *others]
    strides = zip(*(t.stride() for t in tensors), strict=True)
    shape = [size if size <= 1 or any(along) else 1 for size, along in zip(labels.shape, strides, strict=True)]
    return [t.as_strided(shape, t.stride()) for t in tensors]


def repeat_thinly(labels: Tensor) -> Tensor:
    """The same labels, broadcast (stride 0) along every dim in which they do not differ."""
    few = labels
    for d in range(labels.dim()):
        if few.size(d) > 1 and (few.stride(d) == 0 or not (few != few.narrow(d, 0, 1)).any()):
            few = few.narrow(d, 0, 1)
    return few.expand(labels.shape)


class Nodes:
    """Integer nodes with a union operation; the smallest node of a set represents it.

    Every chain of parents is flattened after a union, so that finding is one gather.
    """

    def __init__(self) -> None:
        self._parent = torch.zeros(1, dtype=torch.int64)  # int64[nodes]

    @property
    def count(self) -> int:
        """Number of nodes, node 0 included."""
        return len(self._parent)

    def new(self, count: int) -> Tensor:
        """Add `count` nodes, each alone in its set; return them, int64[count]."""
        start = len(self._parent)
        fresh = torch.arange(start, start + count)
        self._parent = torch.cat((self._parent, fresh))
        return fresh

    def find(self, nodes: Tensor) -> Tensor:
        """The representative of every node, in the same shape."""
        return self._parent.take(thin(nodes)[0]).expand(nodes.shape)

    def distinct(self, nodes: Tensor) -> Tensor:
        """The representatives that occur among `nodes`, each once, without node 0."""
        representatives: Tensor = self.find(thin(nodes)[0]).unique()
        return representatives[representatives != 0]

    def unite(self, left: Tensor, right: Tensor) -> None:
        """Unite `left` and `right` element by element (same shape)."""
        left, right = thin(left, right)
        count = len(self._parent)
        codes = (left.reshape(-1) * count + right.reshape(-1)).unique()  # one number a pair: sorts far faster
        left, right = codes // count, codes % count
        while True:
            left, right = self._parent[left], self._parent[right]
            differ = left != right
            if not differ.any():
                return
            left, right = left[differ], right[differ]
            self._parent.scatter_reduce_(0, torch.maximum(left, right), torch.minimum(left, right), "amin")
            while not torch.equal(shorter := self._parent[self._parent], self._parent):
                self._parent = shorter


def lay_along(vector: Tensor, dim: int, n_dims: int) -> Tensor:
    """A vector as a tensor of `n_dims` dims: its length along `dim`, 1 along the others."""
    return vector.view([-1 if d == dim else 1 for d in range(n_dims)])


def varying(labels: Tensor) -> list[int]:
    """Dims along which representative labels differ."""
    (few,) = thin(labels)
    return [d for d in range(few.dim()) if few.size(d) > 1 and bool((few != few.narrow(d, 0, 1)).any())]
