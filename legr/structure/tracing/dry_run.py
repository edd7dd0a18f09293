"""Dry run: a pruned network runs beside the zeroed one, and the first operation where they diverge is named.

A trace says what every operation returns when channels are missing; the constants in a model's forward may
say otherwise. A pruned network has to return, operation by operation, results of the expected shapes, with
the values that the network has whose removed channels are zeroed.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from legr.structure.copies import at_least_one, run_comparably, zeroed
from legr.structure.differences import largest
from legr.structure.examples import Example
from legr.structure.kept_sets import lopsided_kept_sets
from legr.structure.model_io import first_line, reseed
from legr.structure.operations import base_name, tensors_of
from legr.structure.precision import OnePrecision
from legr.structure.state import State
from legr.structure.surgery import prune
from legr.structure.tracing import rules
from legr.structure.tracing.assemble import LabelsOf
from legr.structure.tracing.hypotheses import Site
from legr.structure.tracing.records import OperationRecord, Place, Result
from legr.structure.types import BoolArray, Keep, Structure

_TOLERANCE = {torch.float64: 1e-9, torch.complex128: 1e-9, torch.float32: 1e-3, torch.complex64: 1e-3}  # relative
_KEPT_SHARES = (0.5, 0.75)  # of the units of a small network
_SUMMED = 200_000  # elements of a result that are looked at
_UNWRITTEN = ("empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided")  # values by chance
_SMALL = 200  # units up to which a network is small: every share is tried several times

KeptOf = Callable[[Tensor], BoolArray]
"""Nodes -> whether each stays."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The first operation that does not survive pruning."""

    place: Place
    site: Site
    record: OperationRecord
    problem: str


class _Diverged(Exception):
    """Stops a forward pass at the operation where it diverges from what was expected."""

    def __init__(self, operation: int, problem: str) -> None:
        super().__init__(problem)
        self.operation, self.problem = operation, problem


@dataclass(frozen=True)
class Expectation:
    """What a trace says of the operations of a pruned network.

    Attributes:
        passes: records of every operation, a list for each call.
        calls: how the network was called in each pass.
        likely: whether all of it is likely to be right, so that shapes need no check of their own before values.
        shapes_only: whether to leave values alone: nothing is then written into the network.
    """

    passes: Sequence[Sequence[OperationRecord]]
    labels_of: LabelsOf
    calls: Sequence[Example]
    likely: bool = False
    shapes_only: bool = False


def dry_run(state: State, structure: Structure, expected: Expectation) -> Failure | None:
    """Compare zeroed and pruned networks, operation by operation, for a few kept sets.

    Args:
        state: of a private copy in evaluation mode, with random values in its norms. Every run starts from it.

    Returns:
        The first failure, or None.
    """
    for n_tried, keep in enumerate(_kept_sets(structure)):
        kept_of = _kept_of(keep, expected.labels_of)
        for number, (records, call) in enumerate(zip(expected.passes, expected.calls, strict=True)):
            known = _Known(records, kept_of, structure.exempt, call.training)
            too_coarse = call.training and torch.get_default_dtype() != torch.float64  # for statistics of a small batch
            shapes_only = expected.shapes_only or too_coarse
            try:
                if shapes_only or (n_tried == 0 and not expected.likely):  # most failures are of shapes: found sooner
                    _run_pruned(state, structure, keep, call, _CheckShapes(known))
                if not shapes_only:
                    zeroed_run = _RecordSums(known)
                    with zeroed(state.model, structure, keep), state.running() as watch:
                        with watch:
                            state.model.train(call.training)
                        _run(state.model, call, zeroed_run, watch)
                    _run_pruned(state, structure, keep, call, _CheckSums(zeroed_run))
            except _Diverged as diverged:
                record = records[min(diverged.operation, len(records) - 1)]
                return Failure(Place(number, diverged.operation), record.site, record, diverged.problem)
    return None


def _kept_sets(structure: Structure) -> Iterator[Keep]:
    """Random kept sets: many for a small network, else two that thin the front and the back of every layer."""
    if structure.n_units > _SMALL:
        yield from lopsided_kept_sets(structure)
    elif structure.n_units:
        for seed in range(6 * len(_KEPT_SHARES)):
            share = _KEPT_SHARES[seed % len(_KEPT_SHARES)]
            yield Keep(at_least_one(structure, np.random.default_rng(seed).random(structure.n_units) < share))


def _kept_of(keep: Keep, labels_of: LabelsOf) -> KeptOf:
    return cache(lambda nodes: keep.kept(labels_of(nodes)))  # every run asks for the nodes of the same records


def _run_pruned(state: State, structure: Structure, keep: Keep, call: Example, check: "_CheckShapes") -> None:
    try:
        _run(prune(state.model, structure, keep).train(call.training), call, check)
    except _Diverged:
        raise
    except Exception as failure:
        raise _Diverged(check.operation, first_line(failure)) from failure


def _run(
    network: nn.Module, call: Example, check: "_CheckShapes", watch: AbstractContextManager[Any] | None = None
) -> None:
    private = call.map(torch.clone)
    reseed()
    with torch.inference_mode(), check, watch or nullcontext(), OnePrecision():
        private.run(network)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the pass that a run is compared with.

    Attributes:
        exempt: paths of the modules with norms over channels.
    """

    records: Sequence[OperationRecord]
    kept_of: KeptOf
    exempt: Collection[str]
    training: bool


class _CheckShapes(TorchDispatchMode):
    """Follows a forward pass beside the records of a trace, and checks the shapes of its results."""

    def __init__(self, known: _Known) -> None:
        super().__init__()
        self.known, self.records, self.kept_of = known, known.records, known.kept_of
        self.operation = 0  # number of the next operation

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, base_name(func)
        number = self._next(name)
        if number is None:
            if rules.is_view(name):  # a full slice runs no operation, so one run may have a view more than the other
                return func(*args, **kwargs)
            raise _Diverged(self.operation, "the forward takes another way there")
        record = self.records[number]
        exempt = record.module in self.known.exempt
        output = run_comparably(func, args, kwargs, exempt=exempt, training=self.known.training)
        for position, (result, tensor) in enumerate(zip(record.results, tensors_of(output), strict=True)):
            if result is not None:
                self.check(number, position, result, tensor)
        self.operation = number + 1
        return output

    def _next(self, name: str) -> int | None:
        """Number of the next operation of this name, if only views lie between."""
        for number in range(self.operation, len(self.records)):
            if self.records[number].name == name:
                return number
            if not rules.is_view(self.records[number].name):
                break
        return None

    def check(self, number: int, position: int, result: Result, tensor: Tensor) -> None:
        """Check one tensor that an operation returned.

        Args:
            number: of the operation.
            position: of the tensor among those it returned.
        """
        shape, dim, nodes = result
        if dim is not None and nodes is not None:
            shape = (*shape[:dim], int(self.kept_of(nodes).sum()), *shape[dim + 1 :])
        if tuple(tensor.shape) != shape:
            raise _Diverged(number, f"its result is {_shape(tensor.shape)} where {_shape(shape)} was expected")


class _RecordSums(_CheckShapes):
    """Records, of the zeroed network, the sum of every kept channel of every result."""

    def __init__(self, known: _Known) -> None:
        super().__init__(known)
        self.sums: dict[tuple[int, int], tuple[Tensor, float]] = {}  # (operation, tensor) -> sums, scale

    def check(self, number: int, position: int, result: Result, tensor: Tensor) -> None:
        _, dim, nodes = result
        if self.records[number].name in _UNWRITTEN:
            return
        if dim is not None and nodes is not None:
            kept = torch.from_numpy(self.kept_of(nodes))
            if rules.may_be_nonfinite(self.records[number].name):
                removed = tensor.index_select(dim, (~kept).nonzero().squeeze(1))
                if not bool(removed.isfinite().all()):
                    raise _Diverged(number, "a removed channel is NaN or infinite there")
            tensor = tensor.index_select(dim, kept.nonzero().squeeze(1))
        scale = _sums(tensor.abs() if tensor.dtype != torch.bool else tensor, dim)
        self.sums[number, position] = _sums(tensor, dim), largest(scale)


class _CheckSums(_CheckShapes):
    """Checks, of the pruned network, shapes and sums against those of the zeroed one."""

    def __init__(self, zeroed_run: _RecordSums) -> None:
        super().__init__(zeroed_run.known)
        self.expected = zeroed_run.sums

    def check(self, number: int, position: int, result: Result, tensor: Tensor) -> None:
        super().check(number, position, result, tensor)
        if (number, position) not in self.expected:
            return
        expected, scale = self.expected[number, position]
        sums = _sums(tensor, result.dim)
        close = (sums - expected).abs() <= _TOLERANCE.get(tensor.dtype, 0.0) * scale
        if not bool((close | (sums == expected)).all()):  # infinite ones are equal and not close
            raise _Diverged(number, "zeroing and removing channels give different values there")


def _sums(tensor: Tensor, dim: int | None) -> Tensor:
    """Sum of every channel along `dim`, or of everything, float64[C] or float64[1]; of large tensors an even sample."""
    tensor = tensor.abs() if tensor.is_complex() else tensor
    others = [d for d in range(tensor.dim()) if d != dim]
    for d in sorted(others, key=lambda d: -tensor.shape[d]):
        step = min(tensor.shape[d], tensor.numel() // _SUMMED)
        if step > 1:
            tensor = tensor[tuple(slice(None, None, step) if i == d else slice(None) for i in range(tensor.dim()))]
    sums = tensor.sum(others, dtype=torch.float64) if others else tensor.double()
    return sums.reshape(-1)


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "a number"
