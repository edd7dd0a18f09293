"""Numbers of a graph that follow the kept set: convolution groups, sizes that a reshape or a split was written with.

They are found by experiment: the graph of a pruned network says which numbers are others there. Each must be its value
in the original times the share that stays of the channels of one label vector.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from legr.errors import ExportError
from legr.structure.copies import at_least_one
from legr.structure.types import IntArray, Keep, Structure

_DRAWS = 16  # kept sets, the best of which is taken


class TemplateError(ExportError):
    """No graph of the original serves its pruned networks: each has to be exported by itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an integer of a graph stands."""

    owner: str  # name of a constant, or of the first output of a node
    attribute: str | None  # of the node; None: in the constant
    index: int


@dataclass(frozen=True, slots=True)
class Number:
    """An integer that is `whole` in the original, and elsewhere as large a share of it as stays of `labels`."""

    place: Place
    whole: int
    labels: IntArray  # int32[channels]

    def at(self, keep: Keep) -> int:
        """Its value in a pruned network.

        Raises:
            TemplateError: that is no integer.
        """
        value, rest = divmod(self.whole * int(keep.kept(self.labels).sum()), len(self.labels))
        if rest:
            raise TemplateError(f"{self.place.owner} cannot be as large a share of {self.whole} as its channels are")
        return value


def vectors_of(structure: Structure) -> tuple[IntArray, ...]:
    """The distinct label vectors of all channels and of the attributes that count them."""
    vectors = (*structure.vectors, *(attribute.labels for attribute in structure.attributes))
    return tuple({labels.tobytes(): labels for labels in vectors}.values())


def telling_kept_sets(structure: Structure) -> Iterator[Keep]:
    """Kept sets under which layers keep different shares, so that a number says which one it follows.

    A second one tells apart what the first does not; the same structure gives the same ones.
    """
    vectors, rng = vectors_of(structure), np.random.default_rng(0)
    shares: list[tuple[float, ...]] = [() for _ in vectors]
    while True:
        best: list[tuple[float, ...]] | None = None
        for _ in range(_DRAWS):
            drawn = _drawn(structure, rng)
            told = [(*before, _share(labels, drawn)) for before, labels in zip(shares, vectors, strict=True)]
            if best is None or len(set(told)) > len(set(best)):
                best, keep = told, drawn
        assert best is not None
        shares = best
        yield keep


def _drawn(structure: Structure, rng: np.random.Generator) -> Keep:
    """A random kept set that leaves of every group another share, two units at least and never all, where it can."""
    units = np.ones(structure.n_units, dtype=bool)
    shares: set[float] = set()
    for group in sorted(structure.groups, key=lambda group: len(group.units)):  # the smallest have the least choice
        n = len(group.units)
        possible = rng.permutation(np.arange(max(1, min(2, n - 1), n // 3), max(n, 2))).tolist()
        kept = next((k for k in possible if k / n not in shares), possible[0])
        shares.add(kept / n)
        units[rng.permutation(group.units)[kept:]] = False
    return Keep(at_least_one(structure, units))


def _share(labels: IntArray, keep: Keep) -> float:
    return int(keep.kept(labels).sum()) / len(labels)


def numbers_of(
    structure: Structure, whole: onnx.ModelProto, pruned: Sequence[tuple[Keep, onnx.ModelProto]]
) -> tuple[tuple[Number, ...], bool]:
    """The numbers of a graph that are others in graphs of pruned networks, and whether each can follow one thing only.

    Raises:
        TemplateError: a graph has other operations, or a number follows no label vector.
    """
    vectors, original = vectors_of(structure), integers_of(whole)
    found, certain = [], True
    values = [(keep, integers_of(graph)) for keep, graph in pruned]
    if any(there.keys() != original.keys() for _, there in values):
        raise TemplateError("a smaller network has other operations than the original")
    for place, value in original.items():
        if all(there[place] == value for _, there in values):
            continue
        fitting = [
            labels
            for labels in vectors
            if all(value * int(keep.kept(labels).sum()) == there[place] * len(labels) for keep, there in values)
        ]
        if not fitting:
            raise TemplateError(f"{place.owner} follows the kept set in a way that is not understood")
        certain = certain and len({composition_of(labels) for labels in fitting}) == 1
        found.append(Number(place, value, fitting[0]))
    return tuple(found), certain


def composition_of(labels: IntArray) -> bytes:
    """Equal for label vectors that keep the same share under every kept set."""
    units, counts = np.unique(labels, return_counts=True)
    return bytes(np.stack((units, counts // np.gcd.reduce(counts))).astype(np.int64).tobytes())


def integers_of(model: onnx.ModelProto) -> dict[Place, int]:
    """Every integer in attributes and constants, by its place."""
    found = {}
    for node in model.graph.node:
        for attribute in node.attribute:
            for index, value in enumerate(_integers(attribute)):
                found[Place(node.output[0], attribute.name, index)] = value
    for tensor in model.graph.initializer:
        for index, value in enumerate(_flat(tensor).tolist()):
            found[Place(tensor.name, None, index)] = value
    return found


def set_integers(model: onnx.ModelProto, values: dict[Place, int]) -> None:
    """Write integers into a graph, in place."""
    nodes = {node.output[0]: node for node in model.graph.node}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for place, value in values.items():
        if place.attribute is None:
            tensor = constants[place.owner]
            entries = numpy_helper.to_array(tensor).copy()
            entries.flat[place.index] = value
            tensor.CopyFrom(numpy_helper.from_array(entries, tensor.name))
        else:
            attribute = next(a for a in nodes[place.owner].attribute if a.name == place.attribute)
            if attribute.type == onnx.AttributeProto.INT:
                attribute.i = value
            else:
                attribute.ints[place.index] = value


def _integers(attribute: onnx.AttributeProto) -> Sequence[int]:
    if attribute.type == onnx.AttributeProto.INT:
        return (attribute.i,)
    return tuple(attribute.ints) if attribute.type == onnx.AttributeProto.INTS else ()


def _flat(tensor: onnx.TensorProto) -> NDArray[np.integer]:
    """The entries of a constant of sizes; none where it holds other things."""
    sizes = tensor.data_type == onnx.TensorProto.INT64 and len(tensor.dims) <= 1
    return numpy_helper.to_array(tensor).reshape(-1) if sizes else np.zeros(0, dtype=np.int64)
