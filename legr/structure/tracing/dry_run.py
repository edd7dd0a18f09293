"""Rehearse pruning: run a pruned network beside the zeroed one and find the first operation where they part.

It does not know rules. A trace says what every operation returns when channels are missing; the constants
in a model's forward may say otherwise.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from legr.structure.copies import at_least_one, without_statistics, zeroed
from legr.structure.surgery import prune
from legr.structure.tracing import rules
from legr.structure.tracing.hypotheses import Site
from legr.structure.tracing.tracer import Result, Trail
from legr.structure.types import BoolArray, IntArray, Keep, Structure

_TOLERANCE = {torch.float64: 1e-9, torch.complex128: 1e-9, torch.float32: 1e-3, torch.complex64: 1e-3}  # relative
_KEPT = (0.5, 0.75)  # share of the units that the plans keep
_HALVES = ((0.1, 0.85), (0.85, 0.1))  # of larger networks: in the front half of every layer, and in the back one
_SUMMED = 200_000  # elements of a result that are looked at
_FEW = 200  # units up to which every share is tried several times


@dataclass(frozen=True, slots=True)
class Failure:
    """The first operation that does not survive pruning."""

    place: tuple[int, int]  # pass, operation
    site: Site
    trail: Trail
    problem: str


class _Parted(Exception):
    """Stops a forward pass at the operation where it parts from what was expected."""

    def __init__(self, operation: int, problem: str) -> None:
        super().__init__(problem)
        self.operation, self.problem = operation, problem


@dataclass(frozen=True)
class Rehearsal:
    """What a trace expects.

    Attributes:
        trails: what every operation returned, in evaluation mode and perhaps a second pass in training mode.
        labels_of: nodes -> labels of units.
        passes: inputs of each pass.
        shapes_only: whether to leave values alone: nothing is then written into the network.
    """

    trails: Sequence[Sequence[Trail]]
    labels_of: Callable[[Tensor], IntArray]
    passes: Sequence[tuple[Any, ...]]
    shapes_only: bool = False


def rehearse(network: nn.Module, structure: Structure, expected: Rehearsal) -> Failure | None:
    """Compare zeroed and pruned networks, operation by operation, for a few plans.

    Args:
        network: a private copy in evaluation mode, with random values in its norms.

    Returns:
        The first failure, or None.
    """
    for first, keep in enumerate(_plans(structure)):
        for number, (trail, inputs) in enumerate(zip(expected.trails, expected.passes, strict=False)):
            network.train(number > 0)
            try:
                kept, exempt = _kept_by(keep, expected.labels_of), structure.exempt
                if first == 0 or expected.shapes_only:  # most failures are of shapes, and these cost least to find
                    _run_pruned(network, structure, keep, inputs, _Walk(trail, kept, exempt))
                if not expected.shapes_only:
                    noting = _Noting(trail, kept, exempt)
                    with zeroed(network, structure, keep):
                        _run(network, inputs, noting)
                    _run_pruned(network, structure, keep, inputs, _Comparing(noting))
            except _Parted as parted:
                at = trail[min(parted.operation, len(trail) - 1)]
                return Failure((number, parted.operation), at.site, at, parted.problem)
            finally:
                network.eval()
    return None


def _plans(structure: Structure) -> Iterator[Keep]:
    """Many plans of few units; of many, two that thin the front and the back of every layer: a forward that counts
    channels by halves or quarters is found out by layers whose parts lose unlike numbers."""
    if not structure.n_units:
        return
    if structure.n_units <= _FEW:
        shares = [np.full(structure.n_units, _KEPT[seed % len(_KEPT)]) for seed in range(6 * len(_KEPT))]
    else:
        places = _places(structure)
        shares = [np.where(places < 0.5, front, back) for front, back in _HALVES]
    for seed, share in enumerate(shares):
        yield Keep(at_least_one(structure, np.random.default_rng(seed).random(structure.n_units) < share))


def _places(structure: Structure) -> NDArray[np.float64]:
    """How far back every unit lies in the channels of a layer, in [0, 1]."""
    places = np.full(structure.n_units, 0.5)
    for labels in sorted(structure.vectors, key=len):  # the longest has the last word: others read a part of it
        inside = labels > 0
        places[labels[inside] - 1] = np.linspace(0.0, 1.0, len(labels))[inside]
    return places


def _kept_by(keep: Keep, labels_of: Callable[[Tensor], IntArray]) -> Callable[[Tensor], BoolArray]:
    return lambda nodes: keep.kept(labels_of(nodes))


def _run_pruned(network: nn.Module, structure: Structure, keep: Keep, inputs: tuple[Any, ...], walk: "_Walk") -> None:
    try:
        _run(prune(network, structure, keep), inputs, walk)
    except _Parted:
        raise
    except Exception as failure:
        raise _Parted(walk.operation, str(failure).strip().split("\n")[0][:200]) from failure


def _run(network: nn.Module, inputs: tuple[Any, ...], walk: "_Walk") -> None:
    private = tree_map_only(Tensor, torch.clone, inputs)
    torch.default_generator.manual_seed(0)
    with torch.inference_mode(), walk:
        network(*private)


class _Walk(TorchDispatchMode):
    """Goes through a forward pass beside a trail, and compares shapes."""

    def __init__(self, trail: Sequence[Trail], kept: Callable[[Tensor], BoolArray], exempt: Collection[str]) -> None:
        super().__init__()
        self.trail, self.kept, self.exempt = trail, kept, exempt
        self.operation = 0  # number of the next operation

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, number = rules.base_name(func), self._next(rules.base_name(func))
        if number is None:
            if rules.is_view(name):  # a slice of everything is no operation at all, and the other way round
                return func(*args, **(kwargs or {}))
            raise _Parted(self.operation, "the forward takes another way there")
        output = without_statistics(func, args, kwargs or {}, exempt=self.trail[number].module in self.exempt)
        if output is None:
            output = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
        for place, (shape, tensor) in enumerate(zip(self.trail[number].outputs, tensors, strict=True)):
            if shape is not None:
                self.look(number, place, shape, tensor)
        self.operation = number + 1
        return output

    def _next(self, name: str) -> int | None:
        """Number of the next operation of this name, where only views lie between."""
        for number in range(self.operation, len(self.trail)):
            if self.trail[number].name == name:
                return number
            if not rules.is_view(self.trail[number].name):
                break
        return None

    def look(self, number: int, place: int, shape: Result, tensor: Tensor) -> None:
        """Look at one result of an operation."""
        sizes, dim, nodes = shape
        if dim is not None and nodes is not None:
            sizes = (*sizes[:dim], int(self.kept(nodes).sum()), *sizes[dim + 1 :])
        if tuple(tensor.shape) != sizes:
            raise _Parted(number, f"its result is {_size(tensor.shape)} where {_size(sizes)} was expected")


class _Noting(_Walk):
    """Notes what the kept channels of every result of the zeroed network add up to."""

    def __init__(self, trail: Sequence[Trail], kept: Callable[[Tensor], BoolArray], exempt: Collection[str]) -> None:
        super().__init__(trail, kept, exempt)
        self.results: dict[tuple[int, int], tuple[Tensor, float]] = {}

    def look(self, number: int, place: int, shape: Result, tensor: Tensor) -> None:
        _, dim, nodes = shape
        if dim is not None and nodes is not None:
            kept = torch.from_numpy(self.kept(nodes))
            if rules.may_have_no_number(self.trail[number].name):
                removed = tensor.index_select(dim, (~kept).nonzero().squeeze(1))
                if not bool(removed.isfinite().all()):
                    raise _Parted(number, "a removed channel has no number there")
            tensor = tensor.index_select(dim, kept.nonzero().squeeze(1))
        scale = _sums(tensor.abs() if tensor.dtype != torch.bool else tensor, dim)
        self.results[number, place] = _sums(tensor, dim), float(scale.max()) if len(scale) else 0.0


class _Comparing(_Walk):
    """Compares the pruned network with what was noted."""

    def __init__(self, noted: _Noting) -> None:
        super().__init__(noted.trail, noted.kept, noted.exempt)
        self.noted = noted

    def look(self, number: int, place: int, shape: Result, tensor: Tensor) -> None:
        super().look(number, place, shape, tensor)
        if (number, place) not in self.noted.results:
            return
        sums, scale = self.noted.results[number, place]
        difference = (_sums(tensor, shape[1]) - sums).abs()
        if not bool((difference <= _TOLERANCE.get(tensor.dtype, 0.0) * scale).all()):
            raise _Parted(number, "zeroing and removing channels give different values there")


def _sums(tensor: Tensor, dim: int | None) -> Tensor:
    """Sum of every channel, or of everything, float64; of large tensors an evenly spread part."""
    tensor = tensor.abs() if tensor.is_complex() else tensor
    others = [d for d in range(tensor.dim()) if d != dim]
    for d in sorted(others, key=lambda d: -tensor.shape[d]):
        step = min(tensor.shape[d], tensor.numel() // _SUMMED)
        if step > 1:
            tensor = tensor[tuple(slice(None, None, step) if i == d else slice(None) for i in range(tensor.dim()))]
    found = tensor.sum(others, dtype=torch.float64) if others else tensor.double()
    return found.reshape(-1)


def _size(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "a number"
