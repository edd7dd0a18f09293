"""Predicted time of one forward pass on a device, from a table of its layers, without running anything; numpy only.

Dims of arrays: V distinct label vectors, T kept sets, P numbers of channels that were timed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
FloatArray = NDArray[np.float64]
_MEGABYTES = 4e-6  # of one float32
_LEAST = 1e-3  # milliseconds


@dataclass(frozen=True, slots=True)
class Size:
    """A number of channels that follows the kept set."""

    vector: int  # position in `Structure.vectors`
    whole: int  # channels in the original
    labels: int  # positions of the vector there; as large a share of `whole` stays as of these

    def at(self, counts: Counts) -> FloatArray:
        """Channels under many kept sets, float64[T]; `counts` as for `legr.structure.cost.totals`."""
        return np.asarray(self.whole * counts[self.vector] / self.labels)


@dataclass(frozen=True, eq=False)
class LayerTimes:
    """Milliseconds of one layer, timed alone, by its numbers of channels.

    Attributes:
        points: for each number that varies (none, one or two), those that were timed, rising: int64[P] each.
        milliseconds: float64[P, P], float64[P] or float64[].
        quantum: numbers that are multiples of it are interpolated between such, all others between others: a runtime
            has faster ways for multiples.
        periods: for each number that varies, 0, or how many kinds of numbers there are in place of these two: a number
            is then interpolated between those that leave the same remainder. () stands for 0s.
    """

    points: tuple[Counts, ...]
    milliseconds: FloatArray
    quantum: int
    periods: tuple[int, ...] = ()

    def at(self, channels: list[FloatArray]) -> FloatArray:
        """Milliseconds, float64[T], linear between the numbers that were timed; 0 where a layer has no channels.

        Args:
            channels: for each number that varies, float64[T].
        """
        if not channels:
            return self.milliseconds
        periods = self.periods or (0,) * len(channels)
        kinds = [partial(_kinds, quantum=self.quantum, period=period) for period in periods]
        corners = [_between(*of_one) for of_one in zip(self.points, channels, kinds, strict=True)]
        if len(corners) == 1:
            low, high, weight = corners[0]
            time = self.milliseconds[low] * (1 - weight) + self.milliseconds[high] * weight
        else:
            (low, high, weight), (left, right, across) = corners
            first = self.milliseconds[low, left] * (1 - across) + self.milliseconds[low, right] * across
            second = self.milliseconds[high, left] * (1 - across) + self.milliseconds[high, right] * across
            time = first * (1 - weight) + second * weight
        some = np.all([asked > 0 for asked in channels], axis=0)
        return np.where(some, np.maximum(time, self.milliseconds.min()), 0.0)


def _kinds(numbers: Counts | FloatArray, quantum: int, period: int) -> Counts:
    """Of which kind each number of channels is."""
    return np.asarray(numbers // 1 % period if period else numbers % quantum == 0, dtype=np.int64)


def _between(
    points: Counts, asked: FloatArray, kinds: Callable[[Counts | FloatArray], Counts]
) -> tuple[Counts, Counts, FloatArray]:
    """The points on both sides of each number, of its own kind, and how far it lies between them."""
    low, high = np.zeros((2, len(asked)), dtype=np.int64)
    weight = np.zeros(len(asked))
    kind_of_point, kind_of_asked = kinds(points), kinds(asked)
    for kind in np.unique(kind_of_asked):
        own = np.flatnonzero(kind_of_point == kind)
        chosen = kind_of_asked == kind
        if not len(own):  # a layer so small that it has none
            own = np.arange(len(points))
        places = np.clip(np.searchsorted(points[own], asked[chosen], side="right") - 1, 0, max(len(own) - 2, 0))
        after = np.minimum(places + 1, len(own) - 1)
        low[chosen], high[chosen] = own[places], own[after]
        width = np.maximum(points[own[after]] - points[own[places]], 1)
        weight[chosen] = (asked[chosen] - points[own[places]]) / width
    return low, high, weight


@dataclass(frozen=True, slots=True)
class TimedLayer:
    """A layer of a network: operations that stand together, such as a convolution and what follows it."""

    name: str  # of its first result in the graph
    times: int  # which of the table's
    sizes: tuple[Size, ...]  # one for each number of channels that varies in it
    parameter: str | None  # its weight; None where it has none
    inside: tuple[int, ...] = ()  # places of label vectors of the branch that it is in: with one empty it is left out


@dataclass(frozen=True, slots=True)
class Passage:
    """An activation that one layer hands to another."""

    elements: int  # of each channel
    channels: Size
    before: tuple[Size, ...]  # what the layer that makes it reads
    inside: tuple[int, ...] = ()  # places of label vectors: with one empty, an end of it has left with its branch


@dataclass(frozen=True, slots=True)
class Fit:
    """How the layers' times become a network's, fitted to some whole networks of the device.

    milliseconds = scale * sum of the layers + overhead * layers - saved * megabytes of passages whose channels, on both
    sides of the layer that makes them, are multiples of the quantum: alone, each of those layers rearranges its
    activations for itself.
    """

    scale: float
    overhead_ms: float
    saved_ms: float  # a megabyte


@dataclass(frozen=True, eq=False)
class LatencyTable:
    """The layers of a network with their times on one device, in one runtime.

    Attributes:
        replaced: a layer that has left is called all the same, as one that returns zeros: it still takes what each
            layer takes beside its own time.
    """

    layers: tuple[TimedLayer, ...]
    times: tuple[LayerTimes, ...]
    passages: tuple[Passage, ...]
    quantum: int
    fit: Fit
    replaced: bool = False

    def milliseconds(self, counts: Counts) -> FloatArray:
        """Predict many kept sets at once, float64[T]; `counts` as for `legr.structure.cost.totals`."""
        alone, layers, megabytes = self.features(counts)
        fit = self.fit
        predicted = fit.scale * alone + fit.overhead_ms * layers - fit.saved_ms * megabytes
        return np.maximum(predicted, _LEAST)  # a table of other weights than were fitted to could fall below 0

    def features(self, counts: Counts) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What `Fit` weighs, float64[T] each: milliseconds of the layers alone, their number, megabytes of passages."""
        layer_times = self._alone(counts)
        megabytes = np.zeros(counts.shape[1])
        for passage in self.passages:
            channels = passage.channels.at(counts)
            kept_as_it_is = channels % self.quantum == 0
            for size in passage.before:  # one that is empty hands on nothing
                kept_as_it_is &= (size.at(counts) % self.quantum == 0) & (size.at(counts) > 0)
            if passage.inside:
                kept_as_it_is &= (counts[list(passage.inside)] > 0).all(axis=0)
            megabytes += np.where(kept_as_it_is, channels * passage.elements * _MEGABYTES, 0.0)
        total = np.zeros(counts.shape[1])
        for row in layer_times:  # one after another: a sum by numpy hangs on how many kept sets there are
            total += row
        called = (layer_times > 0) | self.replaced
        return total, called.sum(axis=0).astype(np.float64), megabytes

    def by_layer(self, counts: Counts) -> FloatArray:
        """Milliseconds of every layer, float64[layers, T]: its share of the sum alone, of the whole network's time.

        Args:
            counts: as for `milliseconds`.
        """
        alone = self._alone(counts)
        return np.asarray(alone * (self.milliseconds(counts) / np.maximum(alone.sum(axis=0), _LEAST)))

    def _alone(self, counts: Counts) -> FloatArray:
        """Milliseconds of every layer alone, float64[layers, T]; 0 where it has left."""
        alone = np.zeros((len(self.layers), counts.shape[1]))
        channels = {size: size.at(counts) for layer in self.layers for size in layer.sizes}
        for times, places in self._places.items():  # all layers of a kind at once
            layers = [self.layers[place] for place in places]
            sizes = zip(*(layer.sizes for layer in layers), strict=True)
            asked = [np.concatenate([channels[size] for size in column]) for column in sizes]
            alone[places] = np.broadcast_to(self.times[times].at(asked), len(places) * counts.shape[1]).reshape(
                len(places), -1
            )
        for row, layer in zip(alone, self.layers, strict=True):
            if layer.inside:
                row[(counts[list(layer.inside)] == 0).any(axis=0)] = 0.0
        return alone

    @cached_property
    def _places(self) -> dict[int, list[int]]:
        """Places of the layers of each kind."""
        places: dict[int, list[int]] = {}
        for place, layer in enumerate(self.layers):
            places.setdefault(layer.times, []).append(place)
        return places
