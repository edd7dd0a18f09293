"""Milliseconds of graphs in ONNX Runtime, each alone."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from legr.deploy.layer_timing import numbers_for, time_in_turns
from legr.deploy.onnx_session import new_session
from legr.deploy.quantum import FILTERS, SIDE, Convolution
from legr.errors import ExportError
from legr.structure.latency import FloatArray

_SCALE = 0.05


@dataclass(frozen=True)
class Alone:
    """A graph, and the shapes of what it reads."""

    graph: onnx.ModelProto
    shapes: Mapping[str, tuple[int, ...]]

    @cached_property
    def bytes(self) -> int:
        """What its weights take in memory."""
        return int(self.graph.ByteSize())

    @property
    def elements(self) -> int:
        """Numbers that it reads."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())


def milliseconds_of(layers: Sequence[Alone], *, threads: int, batch: int) -> FloatArray:
    """Median milliseconds of each graph, float64[len(layers)], in turns; without what any call takes.

    Raises:
        ExportError: ONNX Runtime cannot run one.
    """
    values = numbers_for(layers)
    try:
        nothing, *runs = (
            _Run(new_session(layer.graph, threads=threads, batch=batch), _inputs(layer, values))
            for layer in (_nothing(), *layers)
        )
        return time_in_turns(nothing.milliseconds, [run.milliseconds for run in runs])
    except RuntimeError as error:  # ONNX Runtime's own
        raise ExportError(
            f"ONNX Runtime cannot run a layer of this network alone: {str(error).splitlines()[0][:200]}; time whole "
            "networks with `legr measure`"
        ) from error


def convolution(kind: Convolution, channels: int, batch: int) -> Alone:
    """A convolution that reads so many channels."""
    filters, reads = (channels, 1) if kind.depthwise else (FILTERS, channels)
    sides, pads = [kind.kernel] * 2, [kind.padding] * 4
    weight = (_SCALE * np.random.default_rng(0).standard_normal((filters, reads, *sides))).astype(np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=sides, pads=pads, group=channels // reads)
    return _alone(node, (batch, channels, SIDE, SIDE), [numpy_helper.from_array(weight, "w")])


def _nothing() -> Alone:
    """A graph that computes nothing: what its call takes, every call does."""
    return _alone(helper.make_node("Identity", ["x"], ["y"]), (1,))


def _alone(node: onnx.NodeProto, shape: tuple[int, ...], weights: Sequence[onnx.TensorProto] = ()) -> Alone:
    read = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    returned = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "layer", [read], [returned], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    return Alone(model, {"x": shape})


def _inputs(layer: Alone, values: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    inputs, start = {}, 0
    for name, shape in layer.shapes.items():
        end = start + int(np.prod(shape))
        inputs[name] = values[start:end].reshape(shape)
        start = end
    return inputs


class _Run:
    """Runs a session with memory of its own for what it returns, as inside a network."""

    def __init__(self, session: onnxruntime.InferenceSession, inputs: Mapping[str, NDArray[np.float32]]) -> None:
        self._session, self._binding = session, session.io_binding()
        for name, values in inputs.items():
            self._binding.bind_cpu_input(name, values)
        for output in session.get_outputs():
            self._binding.bind_output(output.name)
        session.run_with_iobinding(self._binding)  # allocates
        for output, value in zip(session.get_outputs(), self._binding.get_outputs(), strict=True):
            self._binding.bind_ortvalue_output(output.name, value)

    def milliseconds(self) -> float:
        start = time.perf_counter()
        self._session.run_with_iobinding(self._binding)
        return (time.perf_counter() - start) * 1e3
