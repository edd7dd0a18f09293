"""Follow the storages of activations: which channels their elements are, and from when to when they live.

Labels lie on storages, not on tensors: views, in-place operations and memory formats then need no rule of
their own. Following a storage does not keep it alive, as its end is part of what is measured.
"""

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

FLOAT_BYTES = 4  # activations are counted in float32, whatever the traced model computes in


@dataclass(eq=False)
class TrackedStorage:
    """One storage: the labels of its elements, and the operations between which it lives."""

    shape: torch.Size  # of the tensor it was made for
    stride: tuple[int, ...]
    offset: int
    element_bytes: int
    n_elements: int
    depends_on_input: bool  # whether its values depend on the model's input
    created_empty: bool  # whether it was made without the input: the forward fills it later
    existed_before: bool  # whether it was there before the pass
    born: int | None  # number of the operation that returned it; None: it is not counted
    end: int | None = None  # number of the last operation it was alive after; None: it is alive still
    as_made: Tensor | None = None  # nodes in `shape`, repetitions with stride 0; None: all fixed, or see `flat`
    flat: Tensor | None = None  # nodes, int64[n_elements]: once it was read or written in another shape

    def labels(self) -> Tensor | None:
        """Nodes in the shape of the tensor it was made for."""
        return self.as_made if self.flat is None else self.flat.as_strided(self.shape, self.stride, self.offset)

    def is_made_for(self, tensor: Tensor) -> bool:
        """Whether a tensor has the shape, strides and offset of the tensor that the storage was made for."""
        geometry = tensor.shape, tensor.stride(), tensor.storage_offset()
        return geometry == (self.shape, self.stride, self.offset)

    def flatten(self) -> Tensor:
        """Write the nodes of every element out."""
        if self.flat is None:
            self.flat = torch.zeros(self.n_elements, dtype=torch.int64)
            if self.as_made is not None:
                self.flat.as_strided(self.shape, self.stride, self.offset).copy_(self.as_made)
            self.as_made = None
        return self.flat


class Storages:
    """Every living storage that an operation has made or labelled.

    Attributes:
        clock: number of the operation that runs.
        ended: counted storages that were freed since this list was last cleared.
    """

    def __init__(self) -> None:
        self.clock = 0
        self.ended: list[TrackedStorage] = []
        self._tracked: dict[int, tuple[weakref.ref[Any], TrackedStorage]] = {}

    def of(self, tensor: Tensor) -> TrackedStorage | None:
        """What is known of a tensor's storage, if it is followed."""
        entry = self._tracked.get(tensor.untyped_storage()._cdata)
        return entry[1] if entry else None

    def follow(
        self, tensor: Tensor, *, depends_on_input: bool, born: int | None = None, existed_before: bool = False
    ) -> TrackedStorage:
        """Begin to follow the storage of a tensor."""
        storage = tensor.untyped_storage()
        key = storage._cdata

        def end(_: Any) -> None:  # may run anywhere: no tensor operation here
            _, tracked = self._tracked.pop(key)
            tracked.end = self.clock
            if tracked.born is not None:
                self.ended.append(tracked)

        tracked = TrackedStorage(
            shape=tensor.shape,
            stride=tensor.stride(),
            offset=int(tensor.storage_offset()),
            element_bytes=_bytes_counted(tensor),
            n_elements=storage.nbytes() // max(tensor.element_size(), 1),
            depends_on_input=depends_on_input,
            created_empty=not depends_on_input,
            existed_before=existed_before,
            born=born,
        )
        self._tracked[key] = (weakref.ref(storage, end), tracked)
        return tracked

    def read(self, tensor: Tensor) -> Tensor | None:
        """Nodes of a tensor's elements, in its shape; None where all are fixed."""
        tracked = self.of(tensor)
        if tracked is None or (tracked.as_made is None and tracked.flat is None):
            return None
        if tracked.flat is None and tracked.is_made_for(tensor):
            return tracked.as_made
        return tracked.flatten().as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())

    def write(self, tensor: Tensor, labels: Tensor) -> None:
        """Label a tensor's elements; `labels` is broadcast to its shape."""
        tracked = self.of(tensor)
        if tracked is None:
            tracked = self.follow(tensor, depends_on_input=True)
        if tracked.is_made_for(tensor):
            tracked.as_made, tracked.flat = (labels.expand(tensor.shape) if labels.any() else None), None
        elif labels.any() or tracked.labels() is not None:
            tracked.flatten().as_strided(tensor.size(), tensor.stride(), tensor.storage_offset()).copy_(labels)

    def alive(self) -> list[TrackedStorage]:
        """Every counted storage that has not ended."""
        return [tracked for _, tracked in self._tracked.values() if tracked.born is not None]


def _bytes_counted(tensor: Tensor) -> int:
    """Bytes of an element: that of float32 for numbers of any floating width."""
    if tensor.is_complex():
        return 2 * FLOAT_BYTES
    return FLOAT_BYTES if tensor.is_floating_point() else tensor.element_size()
