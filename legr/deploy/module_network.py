"""A network as PyTorch runs it in eager mode, to be profiled: its layers alone, and pruned networks whole."""

import statistics
from collections.abc import Sequence

import torch
from torch import nn

from legr.deploy.latency import images_on, in_channels_last, time_forward, use_threads
from legr.deploy.layer_timing import time_grid
from legr.deploy.module_layer import ModuleLayer
from legr.deploy.module_layers import module_layers
from legr.deploy.module_timing import Alone, convolution, milliseconds_of
from legr.deploy.quantum import Convolution
from legr.structure.latency import Counts, FloatArray
from legr.structure.surgery import prune
from legr.structure.types import Keep, Structure


class ModuleNetwork:
    """Times a network in PyTorch; see `legr.deploy.profile_passes.Network`.

    Raises:
        ExportError: the network cannot be taken apart.
    """

    def __init__(
        self,
        model: nn.Module,
        structure: Structure,
        input_shape: tuple[int, int, int],
        device: torch.device,
        *,
        threads: int,
        batch: int,
    ) -> None:
        self._model, self._structure, self._input_shape = model, structure, input_shape
        self._device, self._threads, self._batch = device, threads, batch
        images = images_on(device, batch, input_shape)
        self.layers = module_layers(in_channels_last(model, device), structure, images)

    def time_convolutions(self, kind: Convolution, channels: Counts) -> FloatArray:
        """Milliseconds of convolutions that read so many channels."""
        return self._milliseconds_of([convolution(kind, n, self._batch, self._device) for n in channels.tolist()])

    def time_layer(self, layer: ModuleLayer, points: Sequence[Counts]) -> FloatArray:
        """Milliseconds of a layer alone, float64[P, P], float64[P] or float64[].

        Raises:
            ExportError: the module cannot be called alone.
        """

        def alone(channels: Sequence[int]) -> Alone:
            return Alone(layer.alone(channels), layer.call, tuple(layer.reads_at(channels)))

        return time_grid(points, alone, self._milliseconds_of)

    def time_whole(self, keep: Keep, seconds: float) -> float:
        """Median milliseconds of a pruned network, run for so many seconds."""
        times = time_forward(
            prune(self._model, self._structure, keep),
            self._input_shape,
            device=self._device,
            batch=self._batch,
            threads=self._threads,
            seconds=seconds,
        )
        return 1e3 * statistics.median(times)

    def _milliseconds_of(self, layers: Sequence[Alone]) -> FloatArray:
        with torch.inference_mode(), use_threads(self._threads):
            return milliseconds_of(layers, self._device)
