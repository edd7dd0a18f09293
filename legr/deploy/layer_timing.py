"""Milliseconds of layers alone in ONNX Runtime, one after another, so that none finds its weights in the cache."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

from legr.deploy.graph_layers import GraphLayer
from legr.deploy.onnx_session import new_session
from legr.errors import ExportError
from legr.schema import MEGABYTE
from legr.structure.latency import Counts, FloatArray

_ROUNDS = 5
_ROOM = 256 * MEGABYTE  # of graphs that are timed together
_LEAST = 0.1  # of a time, that is left without what the call takes


@dataclass(frozen=True, slots=True)
class Alone:
    """A graph, and the shapes of what it reads."""

    graph: onnx.ModelProto
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def elements(self) -> int:
        """Numbers that it reads."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())


def time_layer(
    layer: GraphLayer,
    points: Sequence[Counts],
    opsets: Sequence[onnx.OperatorSetIdProto],
    *,
    threads: int,
    batch: int,
) -> FloatArray:
    """Median milliseconds at every combination of numbers of channels, float64[P, P], float64[P] or float64[].

    Raises:
        ExportError: ONNX Runtime cannot run the layer alone.
    """
    milliseconds: list[float] = []
    runs: list[Alone] = []
    room = _ROOM
    for channels in product(*(axis.tolist() for axis in points)):
        run = Alone(layer.alone(channels, opsets), layer.input_shapes(channels))
        room -= run.graph.ByteSize()
        if room < 0 and runs:
            milliseconds += milliseconds_of(runs, threads=threads, batch=batch).tolist()
            runs, room = [], _ROOM - run.graph.ByteSize()
        runs.append(run)
    milliseconds += milliseconds_of(runs, threads=threads, batch=batch).tolist()
    return np.array(milliseconds).reshape([len(axis) for axis in points])


def milliseconds_of(runs: Sequence[Alone], *, threads: int, batch: int) -> FloatArray:
    """Median milliseconds of each graph, float64[len(runs)], in turns; without what any call takes.

    Raises:
        ExportError: ONNX Runtime cannot run one.
    """
    values = np.random.default_rng(0).standard_normal(max(1, *(run.elements for run in runs)), dtype=np.float32)
    try:
        prepared = [
            _Run(new_session(run.graph, threads=threads, batch=batch), _inputs(run, values))
            for run in (_nothing(), *runs)
        ]
        times = [[run.milliseconds() for run in prepared] for _ in range(_ROUNDS + 1)]
    except RuntimeError as error:  # ONNX Runtime's own
        raise ExportError(
            f"ONNX Runtime cannot run a layer of this network alone: {str(error).splitlines()[0][:200]}; time whole "
            "networks with `legr measure`"
        ) from error
    call, *medians = np.median(np.array(times[1:]), axis=0).tolist()
    return np.array([max(time - call, _LEAST * time) for time in medians])


def _nothing() -> Alone:
    """A graph that computes nothing: what its call takes, every call does."""
    shape = (1,)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "nothing",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    return Alone(model, {"x": shape})


def _inputs(run: Alone, values: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Parts of one array that all runs read, so that it is in the cache, as what a layer before has just made."""
    inputs, start = {}, 0
    for name, shape in run.shapes.items():
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
