"""Milliseconds of layers alone, one after another, so that none finds its weights in the cache."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from legr.schema import MEGABYTE
from legr.structure.latency import Counts, FloatArray

_ROUNDS = 5
_ROOM = 256 * MEGABYTE  # of weights that are timed together
_LEAST = 0.1  # of a time, that is left without what the call takes


class Alone(Protocol):
    """A layer alone with some numbers of channels."""

    @property
    def bytes(self) -> int:
        """What it takes in memory."""

    @property
    def elements(self) -> int:
        """Numbers that it reads."""


A = TypeVar("A", bound=Alone)


def time_grid(
    points: Sequence[Counts], alone: Callable[[tuple[int, ...]], A], milliseconds_of: Callable[[list[A]], FloatArray]
) -> FloatArray:
    """Median milliseconds at every combination of numbers of channels, float64[P, P], float64[P] or float64[].

    Args:
        alone: the layer with so many channels.
        milliseconds_of: times some of these together, see `time_in_turns`.
    """
    milliseconds: list[float] = []
    together: list[A] = []
    room = _ROOM
    for channels in product(*(axis.tolist() for axis in points)):
        layer = alone(channels)
        room -= layer.bytes
        if room < 0 and together:
            milliseconds += milliseconds_of(together).tolist()
            together, room = [], _ROOM - layer.bytes
        together.append(layer)
    milliseconds += milliseconds_of(together).tolist()
    return np.array(milliseconds).reshape([len(axis) for axis in points])


def time_in_turns(nothing: Callable[[], float], runs: Sequence[Callable[[], float]]) -> FloatArray:
    """Median milliseconds of each run, float64[len(runs)], without what any call takes.

    Args:
        nothing: times a call that computes nothing, in milliseconds, as the others do.
    """
    times = [[run() for run in (nothing, *runs)] for _ in range(_ROUNDS + 1)]
    call, *medians = np.median(np.array(times[1:]), axis=0).tolist()
    return np.array([max(time - call, _LEAST * time) for time in medians])


def numbers_for(layers: Sequence[Alone]) -> NDArray[np.float32]:
    """Numbers of which all layers read a part, so that it is in the cache, as what a layer before has just made."""
    most = max(1, *(layer.elements for layer in layers))
    return np.random.default_rng(0).standard_normal(most, dtype=np.float32)
