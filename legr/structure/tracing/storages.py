"""Follow the storages of activations: which channels their elements are, and from when to when they live.

It does not know operations. Labels lie on storages, not on tensors: views, in-place operations and
memory formats then need no rule of their own. No storage is kept alive: its end is part of what is learned.
"""

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

FLOAT_BYTES = 4  # activations are counted in float32, whatever the traced model computes in


@dataclass(eq=False)
class Life:
    """One storage: the labels of its elements, and the operations between which it lives."""

    shape: torch.Size  # of the tensor it was made for
    stride: tuple[int, ...]
    offset: int
    element_bytes: int
    elements: int
    active: bool  # whether its values depend on the model's input
    blank: bool  # whether it was made without the input: a tensor to be filled
    foreign: bool  # whether it was there before the pass
    born: int | None  # number of the operation that returned it; None: it is not counted
    end: int | None = None  # number of the last operation it was alive after; None: it never died
    made: Tensor | None = None  # nodes in `shape`, repetitions with stride 0; None: all fixed, or see `flat`
    flat: Tensor | None = None  # int64[elements], nodes: where somebody has looked at it in another shape

    def labels(self) -> Tensor | None:
        """Nodes in the shape of the tensor it was made for."""
        return self.made if self.flat is None else self.flat.as_strided(self.shape, self.stride, self.offset)

    def is_made_for(self, tensor: Tensor) -> bool:
        """Whether a tensor looks at the storage as the tensor did that it was made for."""
        geometry = tensor.shape, tensor.stride(), tensor.storage_offset()
        return geometry == (self.shape, self.stride, self.offset)

    def flatten(self) -> Tensor:
        """Write the nodes of every element out."""
        if self.flat is None:
            self.flat = torch.zeros(self.elements, dtype=torch.int64)
            if self.made is not None:
                self.flat.as_strided(self.shape, self.stride, self.offset).copy_(self.made)
            self.made = None
        return self.flat


class Storages:
    """Every living storage that an operation has made or labelled; `ended` collects those that were freed."""

    def __init__(self) -> None:
        self.clock = 0
        self.ended: list[Life] = []
        self._lives: dict[int, tuple[weakref.ref[Any], Life]] = {}

    def of(self, tensor: Tensor) -> Life | None:
        """The life of a tensor's storage, if it is known."""
        found = self._lives.get(tensor.untyped_storage()._cdata)
        return found[1] if found else None

    def open(self, tensor: Tensor, *, active: bool, born: int | None = None, foreign: bool = False) -> Life:
        """Begin to follow the storage of a tensor."""
        storage = tensor.untyped_storage()
        key = storage._cdata

        def end(_: Any) -> None:  # may run anywhere: no tensor operation here
            _, life = self._lives.pop(key)
            life.end = self.clock
            if life.born is not None:
                self.ended.append(life)

        element = tensor.element_size()
        life = Life(
            shape=tensor.shape,
            stride=tensor.stride(),
            offset=int(tensor.storage_offset()),
            element_bytes=_bytes_counted(tensor),
            elements=storage.nbytes() // max(element, 1),
            active=active,
            blank=not active,
            foreign=foreign,
            born=born,
        )
        self._lives[key] = (weakref.ref(storage, end), life)
        return life

    def read(self, tensor: Tensor) -> Tensor | None:
        """Nodes of a tensor's elements, in its shape; None where all are fixed."""
        life = self.of(tensor)
        if life is None or (life.made is None and life.flat is None):
            return None
        if life.flat is None and life.is_made_for(tensor):
            return life.made
        return life.flatten().as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())

    def write(self, tensor: Tensor, labels: Tensor) -> None:
        """Label a tensor's elements; `labels` is broadcast to its shape."""
        life = self.of(tensor)
        if life is None:
            life = self.open(tensor, active=True)
        if life.is_made_for(tensor):
            life.made, life.flat = (labels.expand(tensor.shape) if labels.any() else None), None
        elif labels.any() or life.labels() is not None:
            life.flatten().as_strided(tensor.size(), tensor.stride(), tensor.storage_offset()).copy_(labels)

    def alive(self) -> list[Life]:
        """Every counted storage that has not ended."""
        return [life for _, life in self._lives.values() if life.born is not None]


def _bytes_counted(tensor: Tensor) -> int:
    """Bytes of an element: that of float32 for numbers of any floating width."""
    if tensor.is_complex():
        return 2 * FLOAT_BYTES
    return FLOAT_BYTES if tensor.is_floating_point() else tensor.element_size()
