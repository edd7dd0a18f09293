"""The layers of a network that a table has to know, each once, and where activations pass between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import prod

import numpy as np
import onnx
from torch import nn

from legr.deploy.graph import finished
from legr.deploy.graph_layers import GraphLayer, Tensor, layers_of
from legr.deploy.layer_grid import points_of
from legr.deploy.numbers import telling_kept_sets
from legr.deploy.onnx_file import with_batch
from legr.deploy.template import Template, arrays_at, fill
from legr.structure.branches import vectors_around
from legr.structure.latency import Counts, Fit, FloatArray, LatencyTable, LayerTimes, Passage, Size, TimedLayer
from legr.structure.types import Keep, Structure

_PRUNED = 2  # networks that tell which sizes follow the kept set
_UNFITTED = Fit(scale=1.0, overhead_ms=0.0, saved_ms=0.0)


@dataclass(frozen=True)
class NetworkLayers:
    """The layers of one network in the order in which they run."""

    layers: tuple[GraphLayer, ...]
    opsets: tuple[onnx.OperatorSetIdProto, ...]
    structure: Structure

    @cached_property
    def distinct(self) -> dict[bytes, GraphLayer]:
        """One layer of each kind, by its key."""
        return {layer.key: layer for layer in reversed(self.layers)}

    def points(self, layer: GraphLayer, quantum: int) -> list[Counts]:
        """Numbers of channels at which a layer is timed."""
        return [points_of(size, step, quantum) for size, step in zip(layer.sizes, layer.steps, strict=True)]

    def table(self, times: dict[bytes, FloatArray], quantum: int, fit: Fit = _UNFITTED) -> LatencyTable:
        """The table of these layers.

        Args:
            times: milliseconds of each kind at its points, as `time_layer` returns them.
        """
        numbers = {key: number for number, key in enumerate(self.distinct)}
        return LatencyTable(
            layers=tuple(
                TimedLayer(x.nodes[0].output[0], numbers[x.key], x.sizes, self._parameter(x), self._inside(x))
                for x in self.layers
            ),
            times=tuple(
                LayerTimes(tuple(self.points(layer, quantum)), times[key], quantum)
                for key, layer in self.distinct.items()
            ),
            passages=tuple(self._passages()),
            quantum=quantum,
            fit=fit,
        )

    def _parameter(self, layer: GraphLayer) -> str | None:
        return next((t.name for t in layer.weights if t.name in self.structure.shapes), None)

    def _inside(self, layer: GraphLayer) -> tuple[int, ...]:
        """Label vectors of the branch that a layer leaves with; an addition leaves with the branch that it ends."""
        parameter = self._parameter(layer)
        if parameter is not None:
            return vectors_around(self.structure, parameter)
        makers = [self._maker[tensor.name] for tensor in layer.inputs if tensor.name in self._maker]
        around = [self._inside(maker) for maker in makers if self._parameter(maker) is not None]
        return next((places for places in around if places), ())

    @cached_property
    def _maker(self) -> dict[str, GraphLayer]:
        return {name: layer for layer in self.layers for name in layer.outputs}

    def _passages(self) -> list[Passage]:
        maker, passages = self._maker, []
        for layer in self.layers:
            for tensor in layer.inputs:
                size = _channels(layer, tensor)
                if tensor.name in maker and size is not None:
                    made_by = maker[tensor.name]
                    before = (_channels(made_by, read) for read in made_by.inputs)
                    elements = prod(f.whole for f in tensor.shape) // size.whole
                    read_of = tuple(dict.fromkeys(s for s in before if s is not None))
                    # An addition that has left hands on what it read, so only layers with weights end a passage.
                    ends = self._inside(made_by) if self._parameter(made_by) is not None else ()
                    inside = tuple(dict.fromkeys((*self._inside(layer), *ends)))
                    passages.append(Passage(elements, size, read_of, inside))
        return passages


def _channels(layer: GraphLayer, tensor: Tensor) -> Size | None:
    """The size that an activation follows; None where it is always the same."""
    return next((layer.sizes[f.size] for f in tensor.shape if f.size is not None), None)


def network_layers(model: nn.Module, structure: Structure, template: Template, batch: int) -> NetworkLayers:
    """Take the graph of a network apart.

    Raises:
        ExportError: a size in it follows the kept set in a way that is not understood.
    """
    whole = Keep(np.ones(structure.n_units, dtype=bool))
    keeps: Sequence[Keep] = [whole, *islice(telling_kept_sets(structure), _PRUNED if structure.n_units else 0)]
    graphs = [
        (keep, with_batch(finished(fill(template, keep, arrays_at(model, structure, keep))), batch)) for keep in keeps
    ]
    layers = layers_of(structure, graphs)
    return NetworkLayers(tuple(layers), tuple(graphs[0][1].opset_import), structure)
