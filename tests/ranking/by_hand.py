"""Structures written by hand, so that what a ranking does can be worked out on paper.

A layer is a 1x1 convolution, given by the labels of its outputs and inputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from legr.ranking.types import Norms
from legr.structure.types import Axis, Group, Layer, LiveSet, Op, Structure, readonly

Labels = Sequence[int]


def network(
    layers: Mapping[str, tuple[Labels, Labels]], live_sets: Sequence[tuple[int, list[tuple[Labels, int]]]] = ()
) -> Structure:
    """A network of layers with (labels of the outputs, labels of the inputs); 0 is never removed.

    Every layer costs one multiply-add and one parameter for each pair of an output and an input.

    Args:
        live_sets: (fixed bytes, [(labels, bytes of each channel)]).
    """
    shared: dict[bytes, Any] = {}

    def vector(labels: Labels) -> Any:
        array = readonly(list(labels))
        return shared.setdefault(array.tobytes(), array)

    n_units = max(label for outputs, inputs in layers.values() for label in (*outputs, *inputs))
    axes = [
        Axis(f"{name}.weight", dim, vector(labels))
        for name, pair in layers.items()
        for dim, labels in enumerate(pair)
        if any(labels)
    ]
    values: dict[str, Any] = {
        "n_units": n_units,
        "axes": tuple(axes),
        "layers": tuple(Layer(name, f"{name}.weight", 0, vector(o)) for name, (o, _) in layers.items() if any(o)),
        "ops": tuple(Op(f"{name}.weight", 0, 1, 1, name) for name in layers),
        "groups": tuple(_groups(axes, n_units)),
        "shapes": {f"{name}.weight": (len(o), len(i)) for name, (o, i) in layers.items()},
        "live_sets": tuple(
            LiveSet("", fixed, tuple((vector(v), size) for v, size in parts)) for fixed, parts in live_sets
        ),
    }
    return Structure(**{field.name: values.get(field.name, ()) for field in fields(Structure)})


def norms(structure: Structure, seed: int) -> Norms:
    """Random norms."""
    rng = np.random.default_rng(seed)
    return Norms(tuple(rng.random(layer.total) for layer in structure.layers))


def chain(a: int = 10, b: int = 12) -> Structure:
    """3 inputs -> a -> b -> 5 outputs; units 0 … a - 1, then b more. Two live sets: at `a` and at `b`."""
    first, second = range(1, a + 1), range(a + 1, a + b + 1)
    layers = {"a": (first, [0] * 3), "b": (second, first), "head": ([0] * 5, second)}
    return network(layers, [(300, [(first, 100)]), (0, [(first, 25), (second, 100)])])


def lumps() -> Structure:
    """An expanding layer of 6, and a depthwise one in which each of its units has two channels: 12."""
    units, twice = range(1, 7), [label for label in range(1, 7) for _ in range(2)]
    return network({"expand": (units, [0] * 3), "depthwise": (twice, [0]), "head": ([0] * 2, twice)})


def with_unprunable() -> Structure:
    """A layer of 10 channels, 3 of which are never removed."""
    labels = [0, 0, 0, *range(1, 8)]
    return network({"a": (labels, [0] * 2), "head": ([0] * 2, labels)})


def split(width: int = 8) -> Structure:
    """A layer whose first half one head reads, and the second half another: two groups."""
    labels = list(range(1, width + 1))
    left, right = labels[: width // 2], labels[width // 2 :]
    return network({"s": (labels, [0] * 3), "left": ([0] * 2, left), "right": ([0] * 2, right)})


def residual() -> Structure:
    """Two layers whose 8 channels are added, and one of 6 between them."""
    stream, inner = range(1, 9), range(9, 15)
    layers = {"stem": (stream, [0] * 3), "inner": (inner, stream), "outer": (stream, inner), "head": ([0] * 2, stream)}
    return network(layers, [(10, [(stream, 8), (inner, 4)]), (0, [(stream, 20)])])


def random_network(seed: int) -> Structure:
    """A chain of layers, some with channels that never go, with lumps, or with the labels of the one before."""
    rng = np.random.default_rng(seed)
    layers: dict[str, tuple[Labels, Labels]] = {}
    before: list[int] = [0] * 3
    n_units = 0
    for number in range(int(rng.integers(2, 7))):
        kind = rng.choice(["plain", "unprunable", "lumps", "mixed", "again"]) if number else "plain"
        own = list(range(n_units + 1, n_units + 1 + int(rng.integers(3, 40))))
        if kind == "again":
            own = list(before)
        elif kind == "unprunable":
            own = [0] * int(rng.integers(1, 5)) + own
        elif kind == "lumps":
            own = np.repeat(own, rng.integers(2, 4)).tolist()
        elif kind == "mixed":
            own = np.repeat(own, rng.integers(1, 4, len(own))).tolist()
        n_units = max(n_units, *own)
        layers[f"layer{number}"] = (own, before)
        before = own
    layers["head"] = ([0] * 4, before)
    parts = [(labels, int(rng.integers(1, 50))) for labels, _ in layers.values() if any(labels)]
    live_sets = [(int(rng.integers(0, 999)), parts[i : i + 2]) for i in range(len(parts))]
    return network(layers, live_sets)


def _groups(axes: Sequence[Axis], n_units: int) -> list[Group]:
    """Units with as many positions in each axis."""
    units_of: dict[tuple[int, ...], list[int]] = {}
    for unit in range(n_units):
        footprint = tuple(int((axis.labels == unit + 1).sum()) for axis in axes)
        units_of.setdefault(footprint, []).append(unit)
    return [Group(str(units[0]), readonly(units), ()) for units in units_of.values()]
