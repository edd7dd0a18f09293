"""Numbers of a layer that follow the kept set: which label vector each follows, as pruned networks tell."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from legr.deploy.numbers import composition_of, telling_kept_sets
from legr.errors import ExportError
from legr.structure.copies import at_least_one
from legr.structure.latency import Size
from legr.structure.types import IntArray, Keep, Structure

REMEDY = "the layers of this network cannot be timed alone; time whole networks with `legr measure`"
_FEWEST_PRUNED, _MOST_PRUNED = 2, 8  # networks that tell which label vector a number follows
_MOST_SIZES = 2  # by which a layer is timed


@dataclass(frozen=True, slots=True)
class Following:
    """A number of a layer that is `whole` in the original, and elsewhere follows one of the layer's sizes."""

    whole: int
    size: int | None  # position in the layer's sizes; None: it is always the same

    def at(self, sizes: Sequence[Size], channels: Sequence[int]) -> int:
        """Its value where the sizes have so many channels."""
        return self.whole if self.size is None else self.whole * channels[self.size] // sizes[self.size].whole


def kept_sets_to_follow(structure: Structure) -> list[Keep]:
    """All units, and kept sets under which no two label vectors keep the same shares that could keep others."""
    keeps = [Keep(np.ones(structure.n_units, dtype=bool))]
    different = len({composition_of(labels) for labels in structure.vectors})
    told = islice(chain(islice(telling_kept_sets(structure), _FEWEST_PRUNED), _drawn(structure)), _MOST_PRUNED)
    for keep in told if structure.n_units else ():
        keeps.append(keep)
        shares = {tuple(keep.kept(labels).mean() for keep in keeps) for labels in structure.vectors}
        if len(shares) == different and len(keeps) > _FEWEST_PRUNED:
            break
    return keeps


def _drawn(structure: Structure) -> Iterator[Keep]:
    """Kept sets of any number of units of each group: groups of two or three leave no other choice to tell apart."""
    rng = np.random.default_rng(0)
    while True:
        units = np.ones(structure.n_units, dtype=bool)
        for group in structure.groups:
            units[rng.permutation(group.units)[rng.integers(1, len(group.units) + 1) :]] = False
        yield Keep(at_least_one(structure, units))


class Follower:
    """Says which label vector a number follows, from its values in the original and in some pruned networks.

    Args:
        keeps: of these networks, the original first; see `kept_sets_to_follow`.
    """

    def __init__(self, structure: Structure, keeps: Sequence[Keep]) -> None:
        self._vectors, self._keeps = structure.vectors, keeps
        self._kept = [self.counts(labels) for labels in self._vectors]

    def counts(self, labels: IntArray, divisor: int = 1) -> tuple[int, ...]:
        """How many positions of a label vector each network has, by a divisor."""
        return tuple(int(keep.kept(labels).sum()) // divisor for keep in self._keeps)

    def sizes(self, values: Iterable[tuple[int, ...]], known: Sequence[int] = ()) -> dict[int, Size]:
        """The sizes that vary, by label vector, each as large as the largest number that follows it; two at most.

        Where more vary, as in a join of four layers, the largest stands for all.

        Args:
            values: of each number in every network.
            known: label vectors that the layer surely has; they are taken where they fit as well as others.

        Raises:
            ExportError: a number follows the kept set in a way that is not understood.
        """
        sizes: dict[int, Size] = {}
        for value in values:
            if len(set(value)) > 1:
                vector = self._vector(value, known)
                if vector not in sizes or sizes[vector].whole < value[0]:
                    sizes[vector] = Size(vector, value[0], len(self._vectors[vector]))
        return sizes if len(sizes) <= _MOST_SIZES else dict([max(sizes.items(), key=lambda item: item[1].whole)])

    def following(self, value: tuple[int, ...], sizes: Mapping[int, Size], known: Sequence[int] = ()) -> Following:
        """A number that follows one of these sizes; the first, where its own stands for no size."""
        if len(set(value)) == 1:
            return Following(value[0], None)
        vector = self._vector(value, known)
        return Following(value[0], list(sizes).index(vector) if vector in sizes else 0)

    def _vector(self, value: tuple[int, ...], known: Sequence[int]) -> int:
        for number in (*known, *range(len(self._kept))):
            kept = self._kept[number]
            if all(value[0] * k == v * kept[0] for k, v in zip(kept, value, strict=True)):
                return int(number)
        raise ExportError(f"a size of {value[0]} follows the kept set in a way that is not understood, so {REMEDY}")


def steps_of(
    sizes: Sequence[Size], numbers: Iterable[Following], groups: Iterable[tuple[int, int]] = ()
) -> tuple[int, ...]:
    """For each size, the smallest number of channels of which all possible numbers are multiples.

    Args:
        numbers: all that follow the sizes.
        groups: (a size, convolution groups that it has to be a multiple of).
    """
    numbers, groups, steps = list(numbers), list(groups), []
    for place, size in enumerate(sizes):
        wholes = [f.whole for f in numbers if f.size == place]
        step = size.whole // int(np.gcd.reduce([size.whole, *wholes]))
        steps.append(int(np.lcm.reduce([step, *(count for of, count in groups if of == place)])))
    return tuple(steps)
