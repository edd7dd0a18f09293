"""Numbers of a layer that follow the kept set: which label vector each follows, as pruned networks tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from legr.errors import ExportError
from legr.structure.latency import Size
from legr.structure.types import IntArray, Keep, Structure

REMEDY = "the layers of this network cannot be timed alone; time whole networks with `legr measure`"


@dataclass(frozen=True, slots=True)
class Following:
    """A number of a layer that is `whole` in the original, and elsewhere follows one of the layer's sizes."""

    whole: int
    size: int | None  # position in the layer's sizes; None: it is always the same

    def at(self, sizes: Sequence[Size], channels: Sequence[int]) -> int:
        """Its value where the sizes have so many channels."""
        return self.whole if self.size is None else self.whole * channels[self.size] // sizes[self.size].whole


class Follower:
    """Says which label vector a number follows, from its values in the original and in some pruned networks.

    Args:
        keeps: of these networks, the original first; see `legr.deploy.numbers.telling_kept_sets`.
    """

    def __init__(self, structure: Structure, keeps: Sequence[Keep]) -> None:
        self._vectors, self._keeps = structure.vectors, keeps
        self._kept = [self.counts(labels) for labels in self._vectors]

    def counts(self, labels: IntArray, divisor: int = 1) -> tuple[int, ...]:
        """How many positions of a label vector each network has, by a divisor."""
        return tuple(int(keep.kept(labels).sum()) // divisor for keep in self._keeps)

    def sizes(self, values: Iterable[tuple[int, ...]], known: Sequence[int] = ()) -> dict[int, Size]:
        """The sizes that vary, by label vector, each as large as the largest number that follows it.

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
        return sizes

    def following(self, value: tuple[int, ...], sizes: Mapping[int, Size], known: Sequence[int] = ()) -> Following:
        """A number that follows one of these sizes; all beyond the second are taken to follow the second."""
        if len(set(value)) == 1:
            return Following(value[0], None)
        return Following(value[0], min(list(sizes).index(self._vector(value, known)), 1))

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
