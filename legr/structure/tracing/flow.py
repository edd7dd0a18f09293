"""Which operation reads what another has written, in one pass, and which of them run inside which module call.

What a storage holds is a value: an operation that writes into a storage makes another value of it, a view none.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from legr.structure.operations import Call, base_name, tensors_of
from legr.structure.tracing.storages import Storages, TrackedStorage

Window = tuple[int, int, int]  # size of a dim of the input, shift, stride: the result has (size + shift) // stride
_CONVOLUTIONS = ("convolution", "conv1d", "conv2d", "conv3d")
_POOLS = tuple(f"{kind}_pool{n}d{more}" for kind in ("avg", "max") for n in (1, 2, 3) for more in ("", "_with_indices"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, by numbers of the values that it reads and writes."""

    name: str
    module: str
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    parameters: tuple[str, ...]  # and buffers, that it reads or writes
    is_sum: bool  # of two tensors of one shape
    is_view: bool  # what it returns are storages that were there before
    windows: tuple[Window, ...]  # of a convolution or pooling, for the last dims


@dataclass(frozen=True, slots=True)
class Shape:
    """A tensor as a module call takes or returns it."""

    sizes: tuple[int, ...]
    dim: int | None  # along which channels lie
    nodes: Tensor | None  # of these channels, int64[C]


@dataclass(eq=False)
class ModuleCall:
    """One call of a module."""

    number: int
    path: str
    start: int  # number of the first operation that ran in it
    source: Shape | None  # its first argument, if that is a tensor that depends on the input
    end: int = 0
    result: Shape | None = None  # None where it returns other things than one tensor
    made_by: int = -1  # number of the operation that made the storage of its result


@dataclass
class Flow:
    """The operations and module calls of one pass."""

    operations: list[Operation] = field(default_factory=list)
    calls: list[ModuleCall] = field(default_factory=list)
    returned: set[int] = field(default_factory=set)  # values that the model returns
    _n_values: int = 0

    def note(self, call: Call, module: str, storages: Storages, parameters: Sequence[str]) -> None:
        """Note an operation that has run, whose tensors are all followed."""
        reads = [self.value_of(storage) for x in call.inputs if (storage := storages.find(x)) is not None]
        written = {x.untyped_storage()._cdata for x in _written(call)}
        writes = []
        for x in (*_written(call), *call.outputs):
            storage, key = storages.find(x), x.untyped_storage()._cdata
            if storage is None or (storage.value >= 0 and key not in written):
                continue  # a parameter or buffer, or a view of what was there before
            written.discard(key)
            if storage.value < 0:
                storage.made_by = len(self.operations)
            storage.value = self._next()
            writes.append(storage.value)
        name = base_name(call.func)
        self.operations.append(
            Operation(
                name,
                module,
                tuple(reads),
                tuple(writes),
                tuple(parameters),
                is_sum=_is_sum(name, call),
                is_view=bool(call.outputs and not writes),
                windows=_windows(call),
            )
        )

    def value_of(self, storage: TrackedStorage) -> int:
        """Number of what a storage holds."""
        if storage.value < 0:
            storage.value = self._next()
        return storage.value

    def _next(self) -> int:
        self._n_values += 1
        return self._n_values - 1

    def called_once(self) -> set[str]:
        """Paths of the modules that were called once."""
        return {path for path, n in Counter(call.path for call in self.calls).items() if n == 1}


def _written(call: Call) -> list[Tensor]:
    """Arguments that an operation writes into."""
    if not call.func._schema.is_mutable:
        return []
    names = [a.name for a in call.func._schema.arguments if a.alias_info is not None and a.alias_info.is_write]
    return [x for name in names for x in tensors_of(call[name])]


def _is_sum(name: str, call: Call) -> bool:
    if name != "add" or len(call.inputs) != 2 or not call.outputs:
        return False
    return all(x.shape == call.outputs[0].shape for x in call.inputs)


def _windows(call: Call) -> tuple[Window, ...]:
    """How the last dims of a result follow those of the input, where a window moves over these."""
    name = base_name(call.func)
    if name in _CONVOLUTIONS and not call["transposed"] and not isinstance(call["padding"], str):
        sizes, padding, dilation = call["weight"].shape[2:], call["padding"], call["dilation"]
    elif name in _POOLS and not call["ceil_mode"]:
        sizes, padding, dilation = call["kernel_size"], call["padding"], call["dilation"] or [1]
    else:
        return ()
    n = len(sizes)
    given = (sizes, padding, dilation, call["stride"] or sizes)
    sizes, padding, dilation, stride = (list(x) * n if len(x) == 1 else list(x) for x in given)
    places = call.inputs[0].shape[-n:]
    return tuple(
        (int(places[d]), int(2 * padding[d] - dilation[d] * (sizes[d] - 1) - 1 + stride[d]), int(stride[d]))
        for d in range(n)
    )
