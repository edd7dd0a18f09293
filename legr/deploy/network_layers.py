"""The layers of a network that a table has to know, each once, and where activations pass between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
import onnx
from torch import nn

from legr.deploy.following import kept_sets_to_follow
from legr.deploy.graph import finished
from legr.deploy.graph_layers import GraphLayer, Tensor, layers_of
from legr.deploy.layer_table import NetworkLayers, Placed
from legr.deploy.onnx_file import with_batch
from legr.deploy.template import Template, arrays_at, fill
from legr.structure.branches import vectors_around
from legr.structure.latency import Passage, Size
from legr.structure.types import Keep, Structure


@dataclass(frozen=True)
class _Layers:
    """The layers of one network in the order in which they run."""

    layers: tuple[GraphLayer, ...]
    structure: Structure

    def placed(self) -> Iterator[Placed[GraphLayer]]:
        """Each where it stands."""
        for layer in self.layers:
            yield Placed(layer, layer.nodes[0].output[0], self._parameter(layer), self._inside(layer))

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

    def passages(self) -> list[Passage]:
        """Where activations pass from one to another."""
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
    """The channels of an activation; None where they are always the same."""
    return next((replace(layer.sizes[f.size], whole=f.whole) for f in tensor.shape if f.size is not None), None)


def network_layers(
    model: nn.Module, structure: Structure, template: Template, batch: int
) -> tuple[NetworkLayers[GraphLayer], Sequence[onnx.OperatorSetIdProto]]:
    """Take the graph of a network apart.

    Returns:
        Its layers, and the sets of operations that they need.

    Raises:
        ExportError: a size in it follows the kept set in a way that is not understood.
    """
    graphs = [
        (keep, graph_of_sizes(model, structure, template, keep, batch)) for keep in kept_sets_to_follow(structure)
    ]
    layers = _Layers(tuple(layers_of(structure, graphs)), structure)
    return NetworkLayers(tuple(layers.placed()), tuple(layers.passages())), graphs[0][1].opset_import


def graph_of_sizes(
    model: nn.Module, structure: Structure, template: Template, keep: Keep, batch: int
) -> onnx.ModelProto:
    """The graph of a pruned network with made-up weights, no two of them alike: equal ones would be made one."""
    rng = np.random.default_rng(0)
    weights = {
        name: np.full_like(values, rng.uniform(0.5, 1.5)) if np.issubdtype(values.dtype, np.floating) else values
        for name, values in arrays_at(model, structure, keep).items()
    }
    return with_batch(finished(fill(template, keep, weights)), batch)
