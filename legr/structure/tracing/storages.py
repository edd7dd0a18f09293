"""Follow the storages of activations: which channels their elements are, and from when to when they live.

The label of an element is the node of its channel (see `nodes`); 0 is unprunable. Labels lie on storages, not on
tensors: views, in-place operations and memory formats then need no rule of their own. Following a storage does not
keep it alive, as its end is part of what is measured.
"""

import weakref
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from legr.structure.tracing.nodes import repeat_thinly

FLOAT_BYTES = 4  # activations are counted in float32, whatever the traced model computes in


@dataclass(eq=False)
class TrackedStorage:
    """One storage: the labels of its elements, and the operations between which it lives."""

    shape: torch.Size  # of the tensor it was made for
    stride: tuple[int, ...]
    offset: int
    element_bytes: int
    n_elements: int
    depends_on_input: bool  # whether its values depend on the model's input by now; a later write may make it true
    created_empty: bool  # whether they did not depend on it when it was created, as the forward fills it later
    existed_before: bool  # whether it was there before the pass
    counted: bool  # whether it counts as activation memory, from `first_op` on
    first_op: int = 0  # number of the operation that returned it; 0 for an input
    last_op: int | None = None  # number of the last operation it was alive after; None: it is not freed yet
    shaped: Tensor | None = None  # labels in `shape`, broadcast (stride 0) where repeated; None: unprunable, or `flat`
    flat: Tensor | None = None  # labels, int64[n_elements]: once it was read or written in another shape
    value: int = -1  # number of what it holds, which every operation that writes into it makes another; see `flow.py`
    made_by: int = -1  # number of the operation that made it, in the same count
    returned_by: tuple[int, ...] = ()  # numbers of the module calls that returned it
    read: dict[Any, Tensor] = field(default_factory=dict)  # labels as they were read since the last write, by geometry

    def labels(self) -> Tensor | None:
        """Labels in the shape of the tensor it was made for; None where all are unprunable."""
        return self.shaped if self.flat is None else self.flat.as_strided(self.shape, self.stride, self.offset)

    def is_made_for(self, tensor: Tensor) -> bool:
        """Whether a tensor has the shape, strides and offset of the tensor that the storage was made for."""
        geometry = tensor.shape, tensor.stride(), tensor.storage_offset()
        return geometry == (self.shape, self.stride, self.offset)

    def flatten(self) -> Tensor:
        """Write the label of every element out, and return all, int64[n_elements]."""
        if self.flat is None:
            self.flat = torch.zeros(self.n_elements, dtype=torch.int64)
            if self.shaped is not None:
                self.flat.as_strided(self.shape, self.stride, self.offset).copy_(self.shaped)
            self.shaped = None
        return self.flat


class Storages:
    """Every living storage that an operation has made or labelled.

    Attributes:
        current_op: number of the operation that runs.
        ended: counted storages that were freed since this list was last cleared.
    """

    def __init__(self) -> None:
        self.current_op = 0
        self.ended: list[TrackedStorage] = []
        self._tracked: dict[int, tuple[weakref.ref[Any], TrackedStorage]] = {}

    def find(self, tensor: Tensor) -> TrackedStorage | None:
        """The storage of a tensor, if it is followed."""
        entry = self._tracked.get(tensor.untyped_storage()._cdata)
        return entry[1] if entry else None

    def follow(
        self, tensor: Tensor, *, depends_on_input: bool, counted: bool = False, existed_before: bool = False
    ) -> TrackedStorage:
        """Begin to follow the storage of a tensor."""
        storage = tensor.untyped_storage()
        key = storage._cdata

        def end(_: Any) -> None:  # may run anywhere: no tensor operation here
            _, tracked = self._tracked.pop(key)
            tracked.last_op = self.current_op
            if tracked.counted:
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
            counted=counted,
        )
        self._tracked[key] = (weakref.ref(storage, end), tracked)
        return tracked

    def read(self, tensor: Tensor) -> Tensor | None:
        """Labels of a tensor's elements, in its shape, broadcast where repeated; None where all are unprunable."""
        tracked = self.find(tensor)
        if tracked is None or (tracked.shaped is None and tracked.flat is None):
            return None
        geometry = tensor.shape, tensor.stride(), tensor.storage_offset(), tensor.element_size()
        if geometry not in tracked.read:
            if tracked.shaped is not None and tracked.is_made_for(tensor):
                labels = tracked.shaped
            else:
                labels = _viewed(_by_number(tracked, tensor), tensor)
            tracked.read[geometry] = repeat_thinly(labels)
        return tracked.read[geometry]

    def write(self, tensor: Tensor, labels: Tensor) -> None:
        """Label a tensor's elements; `labels` is broadcast to its shape."""
        tracked = self.find(tensor)
        if tracked is None:
            tracked = self.follow(tensor, depends_on_input=True)
        tracked.read.clear()
        if tracked.is_made_for(tensor):
            tracked.shaped, tracked.flat = (labels.expand(tensor.shape) if labels.any() else None), None
        elif labels.any() or tracked.labels() is not None:
            flat = _by_number(tracked, tensor)
            _viewed(flat, tensor).copy_(labels)
            if len(flat) > tracked.n_elements:
                numbers = flat.view(tracked.n_elements, -1)
                tracked.flat = numbers[:, 0] * (numbers == numbers[:, :1]).all(1)

    def still_counted(self) -> list[TrackedStorage]:
        """Every counted storage that is not freed yet."""
        return [tracked for _, tracked in self._tracked.values() if tracked.counted]


def _by_number(tracked: TrackedStorage, tensor: Tensor) -> Tensor:
    """Labels of all numbers in a storage; complex elements are two, where a tensor has their parts."""
    n_numbers = tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)
    flat = tracked.flatten()
    return flat.repeat_interleave(n_numbers // len(flat)) if len(flat) and n_numbers > len(flat) else flat


def _viewed(flat: Tensor, tensor: Tensor) -> Tensor:
    return flat.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())


def _bytes_counted(tensor: Tensor) -> int:
    """Bytes of an element: that of float32 for numbers of any floating width."""
    if tensor.is_complex():
        return 2 * FLOAT_BYTES
    return FLOAT_BYTES if tensor.is_floating_point() else tensor.element_size()
