"""From the layers of a network, whatever runtime it was taken apart for, to the table of their times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from legr.deploy.layer_grid import Points
from legr.structure.latency import Fit, FloatArray, LatencyTable, LayerTimes, Passage, Size, TimedLayer

_UNFITTED = Fit(scale=1.0, overhead_ms=0.0, saved_ms=0.0)


class Kind(Protocol):
    """What a layer does, and the sizes by which it varies."""

    @property
    def key(self) -> bytes:
        """Equal for layers that take the same time."""

    @property
    def sizes(self) -> tuple[Size, ...]:
        """At most two."""

    def points(self, quantum: int) -> Sequence[Points]:
        """Where it is timed, for each size.

        Args:
            quantum: as in `LayerTimes`.
        """


K = TypeVar("K", bound=Kind)


@dataclass(frozen=True, slots=True)
class Placed(Generic[K]):
    """A layer where it stands in a network; see `TimedLayer`."""

    layer: K
    name: str
    parameter: str | None
    inside: tuple[int, ...]


@dataclass(frozen=True)
class NetworkLayers(Generic[K]):
    """The layers of one network in the order in which they run.

    Attributes:
        passages: where activations pass between them.
        replaced: as in `LatencyTable`.
    """

    placed: tuple[Placed[K], ...]
    passages: tuple[Passage, ...] = ()
    replaced: bool = False

    @cached_property
    def distinct(self) -> Mapping[bytes, K]:
        """One layer of each kind, by its key."""
        return {placed.layer.key: placed.layer for placed in reversed(self.placed)}

    def table(self, times: Mapping[bytes, FloatArray], quantum: int, fit: Fit = _UNFITTED) -> LatencyTable:
        """The table of these layers.

        Args:
            times: milliseconds of each kind at its points, by its key.
        """
        numbers = {key: number for number, key in enumerate(self.distinct)}
        return LatencyTable(
            layers=tuple(
                TimedLayer(x.name, numbers[x.layer.key], x.layer.sizes, x.parameter, x.inside) for x in self.placed
            ),
            times=tuple(_times(layer.points(quantum), times[key], quantum) for key, layer in self.distinct.items()),
            passages=self.passages,
            quantum=quantum,
            fit=fit,
            replaced=self.replaced,
        )


def _times(points: Sequence[Points], milliseconds: FloatArray, quantum: int) -> LayerTimes:
    periods = tuple(of_one.period for of_one in points)
    channels = tuple(of_one.channels for of_one in points)
    return LayerTimes(channels, milliseconds, quantum, periods if any(periods) else ())
