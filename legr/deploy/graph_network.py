"""A network as ONNX Runtime runs it, to be profiled: its layers alone, and pruned networks whole."""

import statistics
from collections.abc import Sequence

from torch import nn

from legr.deploy.graph_layers import GraphLayer
from legr.deploy.graph_timing import Alone, convolution, milliseconds_of
from legr.deploy.latency import time_session
from legr.deploy.layer_timing import time_grid
from legr.deploy.network_layers import network_layers
from legr.deploy.quantum import Convolution
from legr.deploy.sessions import Sessions
from legr.deploy.template_cache import template_of
from legr.structure.latency import Counts, FloatArray
from legr.structure.types import Keep, Structure


class GraphNetwork:
    """Times a network in ONNX Runtime; see `legr.deploy.profile_passes.Network`.

    Raises:
        ExportError: the network cannot be exported, or not be taken apart.
    """

    def __init__(
        self, model: nn.Module, structure: Structure, input_shape: tuple[int, int, int], *, threads: int, batch: int
    ) -> None:
        template = template_of(model, structure, input_shape)
        self.layers, self._opsets = network_layers(model, structure, template, batch)
        self._sessions = Sessions(model, structure, input_shape, template, threads=threads, batch=batch)
        self._input_shape, self._threads, self._batch = input_shape, threads, batch

    def time_convolutions(self, kind: Convolution, channels: Counts) -> FloatArray:
        """Milliseconds of convolutions that read so many channels."""
        return self._milliseconds_of([convolution(kind, n, self._batch) for n in channels.tolist()])

    def time_layer(self, layer: GraphLayer, points: Sequence[Counts]) -> FloatArray:
        """Milliseconds of a layer alone, float64[P, P], float64[P] or float64[].

        Raises:
            ExportError: ONNX Runtime cannot run it alone.
        """

        def alone(channels: Sequence[int]) -> Alone:
            return Alone(layer.alone(channels, self._opsets), layer.input_shapes(channels))

        return time_grid(points, alone, self._milliseconds_of)

    def time_whole(self, keep: Keep, seconds: float) -> float:
        """Median milliseconds of a pruned network, run for so many seconds."""
        session = self._sessions.of(keep)
        return 1e3 * statistics.median(time_session(session, self._input_shape, batch=self._batch, seconds=seconds))

    def _milliseconds_of(self, layers: Sequence[Alone]) -> FloatArray:
        return milliseconds_of(layers, threads=self._threads, batch=self._batch)
