"""The layers of a graph as a runtime sees them: a convolution with what follows it, an addition of two branches.

Which of their sizes follow the kept set is found by experiment, as in `legr.deploy.numbers`: graphs of pruned networks
say so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

from legr.deploy.following import REMEDY, Follower, Following, steps_of
from legr.deploy.layer_grid import Points, points_of
from legr.deploy.numbers import Place, integers_of, set_integers
from legr.errors import ExportError
from legr.structure.latency import Size
from legr.structure.types import Keep, Structure

_OWN_LAYER = {"Conv", "ConvTranspose", "Gemm", "MatMul"}  # each begins a layer
_SCALE = 0.05  # of random weights: activations neither grow nor vanish


@dataclass(frozen=True, slots=True)
class Tensor:
    """What a layer reads: an activation, or a weight."""

    name: str
    shape: tuple[Following, ...]
    kind: int = onnx.TensorProto.FLOAT


@dataclass(frozen=True)
class GraphLayer:
    """Operations that stand together, and the sizes by which they vary."""

    nodes: tuple[NodeProto, ...]
    sizes: tuple[Size, ...]
    inputs: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]
    constants: tuple[onnx.TensorProto, ...]  # integers, such as the shape of a reshape
    numbers: tuple[tuple[Place, Following], ...]
    outputs: tuple[str, ...]  # that other layers read

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """For each size, the smallest number of channels of which all possible numbers are multiples."""
        numbers = [f for t in (*self.inputs, *self.weights) for f in t.shape] + [f for _, f in self.numbers]
        return steps_of(self.sizes, numbers, self._grouped)

    def points(self, quantum: int) -> list[Points]:
        """Where it is timed, see `legr.deploy.layer_table.Kind`."""
        return [points_of(size, step, quantum) for size, step in zip(self.sizes, self.steps, strict=True)]

    @property
    def _grouped(self) -> list[tuple[int, int]]:
        """For each convolution of several groups, which size its filters follow, and in how many groups they are."""
        shapes = {tensor.name: tensor.shape for tensor in self.weights}
        return [
            (size, attribute.i)
            for node in self.nodes
            if node.op_type == "Conv" and node.input[1] in shapes
            if (size := shapes[node.input[1]][0].size) is not None
            for attribute in node.attribute
            if attribute.name == "group" and not any(place.owner == node.output[0] for place, _ in self.numbers)
        ]

    @cached_property
    def key(self) -> bytes:
        """Equal for layers that take the same time."""
        renamed: dict[str, str] = {}
        for node in self.nodes:
            for name in (*node.input, *node.output):
                if name:
                    renamed.setdefault(name, str(len(renamed)))
        parts: list[object] = [(size.whole, step) for size, step in zip(self.sizes, self.steps, strict=True)]
        for node in self.nodes:
            attributes = sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute)
            parts.append((node.op_type, [renamed.get(x) for x in (*node.input, *node.output)], attributes))
        parts += [(renamed[t.name], t.shape) for t in (*self.inputs, *self.weights)]
        parts += [(renamed[t.name], numpy_helper.to_array(t).tobytes()) for t in self.constants]
        parts += [(renamed[place.owner], place.attribute, place.index, f) for place, f in self.numbers]
        return repr([parts, [renamed[name] for name in self.outputs]]).encode()

    def alone(self, channels: Sequence[int], opsets: Sequence[onnx.OperatorSetIdProto]) -> ModelProto:
        """A graph of this layer alone, with random weights and so many channels for each of its sizes."""
        rng = np.random.default_rng(0)

        def shape(tensor: Tensor) -> list[int]:
            return [f.at(self.sizes, channels) for f in tensor.shape]

        def weight(tensor: Tensor) -> onnx.TensorProto:
            values = _SCALE * rng.standard_normal(shape(tensor))  # integers are positions: all 0
            values = np.abs(values) if values.ndim == 1 else values  # variances are positive
            return numpy_helper.from_array(values.astype(helper.tensor_dtype_to_np_dtype(tensor.kind)), tensor.name)

        graph = helper.make_graph(
            self.nodes,
            "layer",
            [helper.make_tensor_value_info(t.name, onnx.TensorProto.FLOAT, shape(t)) for t in self.inputs],
            [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in self.outputs],
            [*map(weight, self.weights), *self.constants],
        )
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = 8
        set_integers(model, {place: f.at(self.sizes, channels) for place, f in self.numbers})
        return model

    def input_shapes(self, channels: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """Shapes of what it reads with so many channels."""
        return {t.name: tuple(f.at(self.sizes, channels) for f in t.shape) for t in self.inputs}


def layers_of(structure: Structure, graphs: Sequence[tuple[Keep, ModelProto]]) -> list[GraphLayer]:
    """The layers of a network.

    Args:
        graphs: of the original, and of pruned networks that tell sizes apart; all with a fixed batch and the same
            operations.

    Raises:
        ExportError: a size follows the kept set in a way that is not understood.
    """
    facts = _Facts(structure, graphs)
    return [facts.layer(nodes) for nodes in _together(graphs[0][1])]


def _together(model: ModelProto) -> Iterator[list[NodeProto]]:
    """Nodes, layer by layer: each belongs to the layer that makes all it reads; a weighted one begins a layer."""
    fixed = {tensor.name for tensor in model.graph.initializer}
    layer_of: dict[str, int] = {}
    layers: list[list[NodeProto]] = []
    for node in model.graph.node:
        makers = {layer_of.get(name) for name in node.input if name and name not in fixed}
        if len(makers) == 1 and None not in makers and node.op_type not in _OWN_LAYER:
            number = makers.pop()
            assert number is not None
        else:
            number = len(layers)
            layers.append([])
        layers[number].append(node)
        layer_of.update((name, number) for name in node.output)
    yield from layers


class _Facts:
    """Sizes of all tensors in the original and in some pruned networks."""

    def __init__(self, structure: Structure, graphs: Sequence[tuple[Keep, ModelProto]]) -> None:
        self._follower = Follower(structure, [keep for keep, _ in graphs])
        self._shapes = [shapes_of(model) for _, model in graphs]
        self._integers = [integers_of(model) for _, model in graphs]
        model = graphs[0][1]
        self._initializers = {tensor.name: tensor for tensor in model.graph.initializer}
        self._results = {value.name for value in model.graph.output}
        self._readers: dict[str, set[str]] = {}  # by their first results: a node is another object each time
        for node in model.graph.node:
            for name in node.input:
                self._readers.setdefault(name, set()).add(node.output[0])

    def layer(self, nodes: list[NodeProto]) -> GraphLayer:
        made = {name for node in nodes for name in node.output}
        read = dict.fromkeys(name for node in nodes for name in node.input if name and name not in made)
        fixed = [name for name in read if name in self._initializers]
        weights = [name for name in fixed if self._is_real(name) or self._varies(name)]
        constants = [name for name in fixed if name not in weights]
        inputs = [name for name in read if name not in self._initializers]
        outputs = [x for x in made if x in self._results or not self._readers.get(x, set()) <= made]
        places = [p for p in self._integers[0] if p.owner in made or p.owner in constants]
        values = {p: tuple(integers[p] for integers in self._integers) for p in places}
        varying = {p: v for p, v in values.items() if len(set(v)) > 1}
        reshapes = self._reshapes(nodes, [place for place in varying if place.owner in constants])
        varying = {p: v for p, v in varying.items() if p.owner not in reshapes}
        shapes = {name: self._followed(name) for name in (*inputs, *weights)}
        sizes = self._follower.sizes(chain(*shapes.values(), varying.values()))
        tensors = {
            name: Tensor(name, tuple(self._follower.following(v, sizes) for v in shape), self._kind(name))
            for name, shape in shapes.items()
        }
        return GraphLayer(
            tuple(nodes),
            tuple(sizes.values()),
            tuple(tensors[name] for name in inputs),
            tuple(tensors[name] for name in weights),
            tuple(reshapes.get(name, self._initializers[name]) for name in constants),
            tuple((place, self._follower.following(value, sizes)) for place, value in varying.items()),
            tuple(sorted(outputs)),
        )

    def _reshapes(self, nodes: Sequence[NodeProto], places: Sequence[Place]) -> dict[str, onnx.TensorProto]:
        """Targets of reshapes, with -1 for the one size that varies: behind a join it is as wide as all parts."""
        found = {}
        for node in (node for node in nodes if node.op_type == "Reshape"):
            varying = [place.index for place in places if place.owner == node.input[1]]
            shapes = [shapes.get(node.output[0], ()) for shapes in self._shapes]
            others = [set(sizes) for d, sizes in enumerate(zip(*shapes, strict=False)) if d not in varying]
            if len(varying) == 1 and others and all(len(sizes) == 1 and min(sizes) > 0 for sizes in others):
                target = np.array(shapes[0], dtype=np.int64)
                target[varying] = -1
                found[node.input[1]] = numpy_helper.from_array(target, node.input[1])
        return found

    def _kind(self, name: str) -> int:
        return int(self._initializers[name].data_type) if name in self._initializers else onnx.TensorProto.FLOAT

    def _is_real(self, name: str) -> bool:
        return self._initializers[name].data_type == onnx.TensorProto.FLOAT and len(self._initializers[name].dims) > 0

    def _varies(self, name: str) -> bool:
        return any(len(set(value)) > 1 for value in self._followed(name))

    def _followed(self, name: str) -> list[tuple[int, ...]]:
        """For each dimension of a tensor, its size in every graph."""
        try:
            return list(zip(*(shapes[name] for shapes in self._shapes), strict=True))
        except (KeyError, ValueError) as error:
            raise ExportError(f"{name} has a shape that no graph tells, so {REMEDY}") from error


def shapes_of(model: ModelProto) -> dict[str, tuple[int, ...]]:
    """Shapes of all tensors of a graph by name; 0 stands for a size that is not known."""
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    shapes = {
        value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
        for value in (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output)
    }
    shapes.update((tensor.name, tuple(tensor.dims)) for tensor in model.graph.initializer)
    return shapes
