"""Find the branches of a network: layers beside a shortcut, up to an addition, that leave together where one is empty.

At an addition, what one operand was computed from is followed back, as long as nothing else reads it. What is found is
a guess, and tried out (see `trying.py`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from posixpath import commonpath

import numpy as np
from torch import Tensor, nn

from legr.structure.tracing.flow import Flow, ModuleCall
from legr.structure.tracing.memory import Lifetime
from legr.structure.tracing.tracer import Tracer
from legr.structure.types import Axis, Branch, IntArray, Removed, readonly

_SUMS, _PRODUCTS = ("add", "sub", "cat", "stack"), ("mul",)
#: Operations of one tensor that are zero where it is.
_ODD = (
    *("relu", "relu6", "hardtanh", "leaky_relu", "elu", "gelu", "silu", "hardswish", "tanh", "neg", "abs", "square"),
    *("dropout", "feature_dropout", "clone", "_to_copy", "contiguous", "mean", "sum", "avg_pool2d", "max_pool2d"),
    *("adaptive_avg_pool2d", "upsample_nearest2d", "upsample_bilinear2d"),
)
LabelsOf = Callable[[Tensor], IntArray]


@dataclass(frozen=True, slots=True)
class Found:
    """A branch, and the calls of the modules that leave with it."""

    branch: Branch
    calls: tuple[ModuleCall, ...]


def find_branches(network: nn.Module, tracer: Tracer, axes: Sequence[Axis], labels_of: LabelsOf) -> list[Found]:
    """Find the innermost branches; each has a layer whose units stand in no layer outside."""
    flow, names = tracer.flow, _Names(network)
    readers: dict[int, list[int]] = {value: [-1] for value in flow.returned}
    producer: dict[int, int] = {}
    for number, operation in enumerate(flow.operations):
        for value in () if operation.is_view else operation.reads:
            readers.setdefault(value, []).append(number)
        producer.update((value, number) for value in operation.writes)
    found: list[Found] = []
    taken: set[int] = set()  # operations of branches, and their additions
    for number, operation in enumerate(flow.operations):
        if not operation.is_sum or len(set(operation.reads)) != 2:
            continue
        candidates = []
        for value in operation.reads:
            members = _members(flow, value, number, readers, producer)
            if members and not members & taken:
                candidates.append((members, _branch(tracer, names, number, value, members, axes, labels_of)))
        usable = [(members, branch) for members, branch in candidates if branch is not None]
        if usable:
            members, branch = max(usable, key=lambda pair: len(pair[1].branch.units))
            if branch.branch.name not in {other.branch.name for other in found}:
                found.append(branch)
                taken |= members | {number}
    return found


def storages_of(branches: Sequence[Found], flow: Flow, labels_of: LabelsOf) -> Callable[[Lifetime], int]:
    """Which branch a storage leaves with: one that was made in a module that leaves, and is not its result."""
    branch_of = np.full(len(flow.operations) + 1, -1)
    results = set()
    for number, found in enumerate(branches):
        for call in found.calls:
            branch_of[call.start : call.end] = number
            results.add(call.number)

    def find(lifetime: Lifetime) -> int:
        number = int(branch_of[lifetime.made_by])
        if number < 0 or not results.isdisjoint(lifetime.returned_by):
            return -1
        labels = None if lifetime.nodes is None else labels_of(lifetime.nodes)
        own = labels is not None and bool(np.isin(labels, branches[number].branch.units + 1).all())
        return -1 if own else number  # of its own units none is left

    return find


def _members(flow: Flow, value: int, end: int, readers: dict[int, list[int]], producer: dict[int, int]) -> set[int]:
    """The operations that one operand of an addition was computed by, and that nothing else reads."""
    members: set[int] = set()
    todo = [value]
    while todo:
        number = producer.get(todo.pop())
        if number is None or number in members:
            continue
        operation = flow.operations[number]
        if all(
            reader in members or (reader == end and written == value)
            for written in operation.writes
            for reader in readers.get(written, ())
        ):
            members.add(number)
            todo += operation.reads
    return members


def _branch(
    tracer: Tracer,
    names: "_Names",
    end: int,
    value: int,
    members: set[int],
    axes: Sequence[Axis],
    labels_of: LabelsOf,
) -> Found | None:
    """The branch that ends at the addition `end` of a value, if its members are one."""
    flow = tracer.flow
    pairs = _removed(flow, members, names, labels_of)
    calls = tuple(call for call, _ in pairs)
    inside = {number for call in calls for number in range(call.start, call.end)}
    parameters = names.under([call.path for call in calls])
    if not calls or parameters is None:
        return None
    read_outside = {name for n, x in enumerate(flow.operations) if n not in members for name in x.parameters}
    loose = {name for number in members - inside for name in flow.operations[number].parameters}
    dropped = sorted(name for name in loose - read_outside - parameters if names.is_single(name))
    if parameters & read_outside or not _adds_nothing(flow, members, inside, value, dropped):
        return None
    buffers = names.buffers_under([call.path for call in calls])
    units = _units_inside(axes, {*parameters, *dropped, *buffers})
    own = [axis for axis in axes if axis.parameter in parameters and np.isin(axis.labels, units + 1).all()]
    if not own:
        return None
    branch = Branch(
        name=_name(flow.operations[end].module, [call.path for call in calls]),
        units=units,
        removed=tuple(removed for _, removed in pairs),
        parameters=tuple(name for name in names.order if name in parameters or name in dropped),
        dropped=tuple(dropped),
        ops=tuple(n for n, operation in enumerate(tracer.operation_of_op) if operation in inside),
        activations=(),
    )
    return Found(branch, calls)


def _adds_nothing(flow: Flow, members: set[int], inside: set[int], value: int, dropped: Collection[str]) -> bool:
    """Whether a value is zero where all that leaves gives zeros: what stays of a branch must not add anything."""
    zeros: set[int] = set()
    for number in sorted(members):
        operation = flow.operations[number]
        known = [read in zeros for read in operation.reads]
        n_tensors = len(known) + len(operation.parameters)
        if operation.name in _SUMS:
            zero = n_tensors > 1 and all(known) and set(operation.parameters) <= set(dropped)
        elif operation.name in _PRODUCTS:
            zero = any(known)
        else:
            zero = operation.name in _ODD and bool(known) and all(known) and n_tensors == len(known)
        if zero or number in inside:
            zeros.update(operation.writes)
    return value in zeros


def _units_inside(axes: Sequence[Axis], tensors: Collection[str]) -> IntArray:
    """Units that stand in no other parameters and buffers than these, int32[units]."""
    labels = {inside: [a.labels for a in axes if (a.parameter in tensors) == inside] for inside in (True, False)}
    here, there = (np.unique(np.concatenate(labels[x])) if labels[x] else np.zeros(0, int) for x in (True, False))
    alone = np.setdiff1d(here, there)
    return readonly(alone[alone > 0] - 1)


def _name(module: str, paths: Sequence[str]) -> str:
    """The module that adds, if it is around all that leaves; else what is around that."""
    if module and all(path.startswith(f"{module}.") for path in paths):
        return module
    return commonpath([path.replace(".", "/") for path in paths]).replace("/", ".") or paths[-1]


def _removed(flow: Flow, members: set[int], names: "_Names", labels_of: LabelsOf) -> list[tuple[ModuleCall, Removed]]:
    """The outermost modules all of whose operations are members, where they compute more than element by element."""
    once, found, covered = flow.called_once(), [], 0
    inside = members | {number for number, operation in enumerate(flow.operations) if operation.is_view}
    for call in flow.calls:
        numbers = range(call.start, call.end)
        if call.start < covered or members.isdisjoint(numbers) or not inside.issuperset(numbers):
            continue
        if not names.has_tensors(call.path) and not any(flow.operations[number].windows for number in numbers):
            continue
        removed = _as_zeros(flow, call, labels_of) if call.path in once else None
        if removed is not None:
            found.append((call, removed))
            covered = call.end
    return found


def _as_zeros(flow: Flow, call: ModuleCall, labels_of: LabelsOf) -> Removed | None:
    """How zeros in the shape of a module's result are made from its input; None where that is not known."""
    source, result = call.source, call.result
    if source is None or result is None or len(source.sizes) != len(result.sizes) or call.made_by < call.start:
        return None
    windows = [_window(flow, call, d, source.sizes, result.sizes) for d in range(len(result.sizes))]
    dim = source.dim if result.dim is None else result.dim
    unknown = [d for d, window in enumerate(windows) if window is None and d != dim]
    if dim is None and len(unknown) == 1:
        dim, unknown = unknown[0], []
    if unknown:
        return None
    of_result = result.nodes is not None and dim == result.dim
    labels = readonly(np.zeros(0 if dim is None else result.sizes[dim], int))
    return Removed(
        call.path,
        dim,
        labels_of(result.nodes) if of_result and result.nodes is not None else labels,
        tuple((0, 1) if window is None or d == dim else window for d, window in enumerate(windows)),
    )


def _window(
    flow: Flow, call: ModuleCall, dim: int, sizes: Sequence[int], results: Sequence[int]
) -> tuple[int, int] | None:
    """How a dim of a module's result follows that of its input, as the windows in between tell; None: another way.

    One window after another is one window: ((n + a) // s + b) // t is (n + a + b * s) // (s * t).
    """
    now, shift, stride = sizes[dim], 0, 1
    for operation in flow.operations[call.start : call.end]:
        place = dim - (len(sizes) - len(operation.windows))
        if not operation.windows or place < 0 or operation.windows[place][0] != now:
            continue
        _, more, times = operation.windows[place]
        now, shift, stride = (now + more) // times, shift + more * stride, stride * times
    if now == results[dim]:
        return shift, stride
    return (0, 1) if sizes[dim] == results[dim] else None


class _Names:
    """Parameters and buffers of a network by where they lie."""

    def __init__(self, network: nn.Module) -> None:
        self.order = [name for name, _ in network.named_parameters()]
        self._buffers = [name for name, _ in network.named_buffers()]
        all_names: dict[int, list[str]] = {}
        for name, parameter in network.named_parameters(remove_duplicate=False):
            all_names.setdefault(id(parameter), []).append(name)
        self._names = {names[0]: names for names in all_names.values()}  # all names by the first

    def has_tensors(self, path: str) -> bool:
        """Whether a module has parameters or buffers."""
        return any(name.startswith(f"{path}.") for name in (*self.order, *self._buffers))

    def under(self, paths: Sequence[str]) -> set[str] | None:
        """The parameters of some modules; None where another module has one of them as well."""
        starts = tuple(f"{path}." for path in paths)
        touched = [names for names in self._names.values() if any(name.startswith(starts) for name in names)]
        if any(not name.startswith(starts) for names in touched for name in names):
            return None
        return {names[0] for names in touched}

    def buffers_under(self, paths: Sequence[str]) -> set[str]:
        """The buffers of some modules."""
        starts = tuple(f"{path}." for path in paths)
        return {name for name in self._buffers if name.startswith(starts)}

    def is_single(self, name: str) -> bool:
        """Whether it is a parameter that one module alone has."""
        return len(self._names.get(name, ())) == 1
