"""The facts about a network that pruning needs: which channels go together, and what they cost.

Numpy arrays, names and integers only, so that a page can load them in milliseconds. A label vector says of every
position of an axis which unit it belongs to: 0 = unprunable (it always stays), u + 1 = unit u.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]


def readonly(values: Sequence[int] | NDArray[np.integer]) -> IntArray:
    """Copy `values` into a read-only array."""
    array = np.array(values, dtype=np.int32)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension of one parameter or buffer, and the unit that each of its positions belongs to."""

    parameter: str
    dim: int
    labels: IntArray  # int32[size of the dim]


@dataclass(frozen=True, slots=True)
class Layer:
    """The filters of one convolution or linear layer: an output axis whose units are scored."""

    name: str  # module path, such as "layer1.0.conv1"
    parameter: str  # its weight
    dim: int
    labels: IntArray  # int32[filters]

    @property
    def total(self) -> int:
        """Number of filters before pruning."""
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Op:
    """One multiplication by a weight: `macs` for every pair of an output and an input channel."""

    parameter: str | None  # None: no weight that can be cut; `macs` is the whole cost
    out_dim: int
    in_dim: int
    macs: int
    module: str


@dataclass(frozen=True, slots=True)
class Uncounted:
    """An operation that may multiply by weights, and whose MACs nobody knows: they are missing in every cost."""

    module: str
    operation: str


@dataclass(frozen=True, slots=True)
class Gather:
    """An index buffer whose entries name input channels (see `GatherChannels`)."""

    buffer: str
    in_labels: IntArray  # int32[input channels]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A number of channels that a module keeps beside its weights, divided by `divisor`."""

    module: str
    name: str  # such as "out_channels"
    labels: IntArray  # int32[channels that it counts]
    divisor: int = 1
    place: int | None = None  # where it stands in a tuple, such as `normalized_shape`


@dataclass(frozen=True, slots=True)
class Group:
    """Units with the same footprint: each takes as many positions in every axis, so all of them cost the same."""

    name: str
    units: IntArray  # int32[units]
    layers: tuple[str, ...]  # the layers whose filters score these units


@dataclass(frozen=True, slots=True)
class Remark:
    """Why an operation of the model's forward makes some channels unprunable, or couples them."""

    module: str
    operation: str
    reason: str
    channels: int


@dataclass(frozen=True, slots=True)
class Removed:
    """A module that leaves with a branch; zeros of the shape that it returned stand in its place (see `Zeros`).

    Attributes:
        dim: along which the channels of its result lie; None: along none.
        labels: of these channels.
        windows: how each other dim follows that of its input: (size + shift) // stride, for (shift, stride).
    """

    module: str
    dim: int | None
    labels: IntArray  # int32[channels]
    windows: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """Layers beside a shortcut, up to the addition: where they are emptied all of them leave, and nothing is added.

    Attributes:
        name: module path of the block, such as "layer1.0".
        units: units that stand in no layer outside; a layer of theirs that is empty empties the branch.
        removed: modules that leave.
        parameters: all that leave.
        dropped: those of them that modules which stay read by themselves, such as a layer scale.
        ops: places in `Structure.ops` of what is computed no more.
        activations: (live set, its channels or None, bytes of each one, or of all): what is kept in memory no more,
            beside channels of the branch's own units.
    """

    name: str
    units: IntArray
    removed: tuple[Removed, ...]
    parameters: tuple[str, ...]
    dropped: tuple[str, ...]
    ops: tuple[int, ...]
    activations: tuple[tuple[int, IntArray | None, int], ...]


UNREACHED = "unreached"  # the operation of a remark on channels that layers could read which no example runs
UNREACHED_CODE = "unreached code"  # of one on a module without tensors that no example runs: nothing is known about it


@dataclass(frozen=True, slots=True)
class LiveSet:
    """The tensors that are alive after an operation of the forward pass, where memory may be fullest."""

    module: str
    fixed: int  # bytes that stay, whatever is kept
    parts: tuple[tuple[IntArray, int], ...]  # (label vector of some channels, bytes of each one that stays)


@dataclass(frozen=True)
class Structure:
    """Everything about a network that ranking, budgets and surgery need.

    A unit is the smallest set of channels that can be removed: always together, never in part.
    Made by `legr.trace`; holds no weights.

    Attributes:
        input_shapes: shapes of the traced inputs; MACs are those of one forward pass with them.
        n_units: number of removable units, numbered by layer order, then channel.
        axes: axes with at least one unit; any other axis is never cut.
        layers: layers with at least one unit, in order of execution.
        shapes: shape of every parameter; one that two modules share is listed once.
        unprunable: channels that are never removed, and why.
        coupled: channels that a constant of the forward forces to leave together, and why.
        exempt: modules that normalise over channels; the proof leaves their statistics out, which are those of the
            channels that stay.
        training_only: parameters that the forward reads in training mode only (auxiliary heads).
        pieces: label vectors of activations that are not an axis of a parameter, such as a part of a split; one of
            its channels has to stay.
        uncounted: operations whose MACs are missing in `ops`.
        branches: layers beside a shortcut that may leave together; no unit is in two of them.
        filters: shape of every buffer that is used as a weight.
        untouched: parameters that no example read, in evaluation mode or training mode; remarks with the operation
            `UNREACHED` say which channels stay because their layers could read them.
        live_sets: the tensors alive after an operation, for every operation where activation memory may peak.
    """

    input_shapes: tuple[tuple[int, ...], ...]
    n_units: int
    axes: tuple[Axis, ...]
    layers: tuple[Layer, ...]
    ops: tuple[Op, ...]
    gathers: tuple[Gather, ...]
    attributes: tuple[Attribute, ...]
    groups: tuple[Group, ...]
    shapes: Mapping[str, tuple[int, ...]]
    filters: Mapping[str, tuple[int, ...]]
    unprunable: tuple[Remark, ...]
    coupled: tuple[Remark, ...]
    exempt: tuple[str, ...]
    training_only: tuple[str, ...]
    untouched: tuple[str, ...]
    live_sets: tuple[LiveSet, ...]
    pieces: tuple[IntArray, ...]
    uncounted: tuple[Uncounted, ...] = ()
    branches: tuple[Branch, ...] = ()

    @cached_property
    def axis_of(self) -> Mapping[tuple[str, int], Axis]:
        """Axes by (parameter, dim)."""
        return {(axis.parameter, axis.dim): axis for axis in self.axes}

    @cached_property
    def vectors(self) -> tuple[IntArray, ...]:
        """Distinct label vectors of axes and activations; many share one (a ResNet-50: 321 axes, 39 vectors)."""
        axes = [axis.labels for axis in self.axes]
        activations = [labels for live_set in self.live_sets for labels, _ in live_set.parts]
        return tuple({labels.tobytes(): labels for labels in (*axes, *activations, *self.pieces)}.values())

    @cached_property
    def vector_index(self) -> Mapping[bytes, int]:
        """Position in `vectors` by the bytes of a label vector."""
        return {vector.tobytes(): i for i, vector in enumerate(self.vectors)}

    @cached_property
    def vectors_of_branches(self) -> tuple[tuple[int, ...], ...]:
        """For each branch, positions in `vectors` of those that hold its units alone: where one is empty it leaves."""
        branch_of = np.full(self.n_units + 1, -1)  # by label
        for number, branch in enumerate(self.branches):
            branch_of[branch.units + 1] = number
        found: list[list[int]] = [[] for _ in self.branches]
        for place, labels in enumerate(self.vectors):
            numbers = branch_of[labels]
            if len(numbers) and numbers[0] >= 0 and (numbers == numbers[0]).all():
                found[numbers[0]].append(place)
        return tuple(map(tuple, found))

    @cached_property
    def branch_of_parameter(self) -> Mapping[str, tuple[int, ...]]:
        """By parameter that may leave with a branch, the branch's entry in `vectors_of_branches`."""
        pairs = zip(self.branches, self.vectors_of_branches, strict=True)
        return {name: places for branch, places in pairs for name in branch.parameters}

    @cached_property
    def branch_of_op(self) -> Mapping[int, tuple[int, ...]]:
        """The same by place in `ops`."""
        pairs = zip(self.branches, self.vectors_of_branches, strict=True)
        return {number: places for branch, places in pairs for number in branch.ops}


@dataclass(frozen=True, slots=True, eq=False)
class Keep:
    """Which units stay."""

    units: BoolArray  # bool[U]

    def kept(self, labels: IntArray) -> BoolArray:
        """For every position of a label vector, whether it stays, bool[size]; unprunable positions always do."""
        return np.concatenate(([True], self.units))[labels]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keep) and np.array_equal(self.units, other.units)


@dataclass(frozen=True, slots=True)
class Plan:
    """What surgery slices, as names and numbers: enough to rebuild the pruned network without the structure."""

    slices: tuple[tuple[str, int, IntArray], ...]  # parameter or buffer, dim, positions that stay: int32[kept]
    attributes: tuple[tuple[str, str, int | None, int], ...]  # module, attribute, place in a tuple, new value
    indexes: tuple[tuple[str, IntArray], ...]  # index buffer, new contents
    #: modules that zeros replace: module, dim of channels (-1: none), channels, (shift, stride) of each dim
    removed: tuple[tuple[str, int, int, tuple[tuple[int, int], ...]], ...] = ()
    dropped: tuple[str, ...] = ()  # parameters of modules that stay, which the number 0 replaces


@dataclass(frozen=True, slots=True)
class Cost:
    """What one forward pass costs; see `legr.cost` for the method."""

    macs: int  # multiply-adds of one forward pass with the traced input
    params: int  # all parameters; buffers not counted
    activation: int  # bytes of the tensors alive at the memory peak of the same pass, in float32
    latency_ms: float | None = None  # predicted milliseconds of the same pass on a device; None: of no device


class LatencyModel(Protocol):
    """Predicts how long the networks of one structure take on one device."""

    def milliseconds(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Milliseconds of one forward pass for many kept sets at once, float64[T].

        Args:
            counts: positions that each of T kept sets leaves of each distinct label vector, int64[V, T].
        """
