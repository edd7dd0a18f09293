"""Times what a profile needs, pass by pass; what was timed is noted as it comes, so that an interrupted one goes on."""

import hashlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from legr.deploy.layer_table import NetworkLayers
from legr.deploy.profile_notes import Notes
from legr.deploy.quantum import Convolution, quantum_of
from legr.progress import Progress, Report
from legr.structure.latency import Counts, FloatArray
from legr.structure.types import Keep
from legr.study.kept_sets import keep_id

FEWEST_PASSES, MOST_PASSES = 3, 8  # over all that is timed; the fastest counts, as other work only makes one longer
_SECONDS_OF_ALL = 150.0  # that more than the fewest passes may take
_SECONDS = 0.05  # that a whole network is timed in one pass


class Network(Protocol):
    """A network in the runtime that is profiled."""

    @property
    def layers(self) -> NetworkLayers[Any]:
        """Its layers."""

    def time_convolutions(self, kind: Convolution, channels: Counts) -> FloatArray:
        """Milliseconds of convolutions that read so many channels, see `legr.deploy.quantum`."""

    def time_layer(self, layer: Any, points: Sequence[Counts]) -> FloatArray:
        """Milliseconds of one of its layers alone at these numbers of channels, float64[P, P], float64[P] or float64[].

        Raises:
            ExportError: it cannot be timed alone.
        """

    def time_whole(self, keep: Keep, seconds: float) -> float:
        """Median milliseconds of a pruned network, run for so many seconds."""


class Timer:
    """Times layers and whole networks, pass by pass."""

    def __init__(self, network: Network, notes: Notes) -> None:
        self._network, self._layers, self._notes = network, network.layers, notes
        found = notes.value("quantum", lambda: np.array([quantum_of(network.time_convolutions)]))
        self.quantum = int(found[0])

    def run(self, keeps: Sequence[Keep], report: Report) -> tuple[dict[bytes, FloatArray], FloatArray]:
        """Milliseconds of every layer at its points, by key, and of every network; the fastest of all passes."""
        layers = {f"layer {hashlib.sha256(key).hexdigest()[:16]}": key for key in self._layers.distinct}
        networks = {f"network {keep_id(keep)}": keep for keep in keeps}
        work = {name: partial(self._time_layer, key) for name, key in layers.items()}
        work |= {name: partial(self._time_network, keep) for name, keep in networks.items()}
        passes = FEWEST_PASSES
        started, timed, turn = time.monotonic(), 0, 0
        while turn < passes:
            forth = list(work.items())
            # Every second pass goes back, as a machine that slows down for a while slows what comes last.
            for number, (name, compute) in enumerate(forth[::-1] if turn % 2 else forth, 1):
                timed += not self._notes.knows(f"{name} {turn}")
                self._timed(f"{name} {turn}", compute)
                done = turn * len(work) + number
                left = (time.monotonic() - started) / timed * (passes * len(work) - done) if timed else None
                report(Progress("timing layers and networks", done, passes * len(work), left))
            if turn == 0:
                spent = sum(float(self._notes.value(f"{name} 0 took", _missing)[0]) for name in work)
                passes = int(np.clip(_SECONDS_OF_ALL / spent, FEWEST_PASSES, MOST_PASSES))
            turn += 1
        fastest = {
            name: np.min([self._notes.value(f"{name} {t}", _missing) for t in range(passes)], axis=0) for name in work
        }
        times = {key: fastest[name].reshape([len(axis) for axis in self._points(key)]) for name, key in layers.items()}
        return times, np.array([fastest[f"network {keep_id(keep)}"][0] for keep in keeps])

    def _timed(self, name: str, compute: Callable[[], FloatArray]) -> None:
        """Note values, and before them how many seconds they took."""
        if not self._notes.knows(name):
            began = time.monotonic()
            values = compute()
            self._notes.value(f"{name} took", lambda: np.array([max(time.monotonic() - began, 1e-6)]))
            self._notes.value(name, lambda: values)

    def _points(self, key: bytes) -> Sequence[Counts]:
        return [points.channels for points in self._layers.distinct[key].points(self.quantum)]

    def _time_layer(self, key: bytes) -> FloatArray:
        return self._network.time_layer(self._layers.distinct[key], self._points(key))

    def _time_network(self, keep: Keep) -> FloatArray:
        return np.array([self._network.time_whole(keep, _SECONDS)])


def _missing() -> FloatArray:
    raise AssertionError("it was timed")
