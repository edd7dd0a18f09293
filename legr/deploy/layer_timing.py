"""Milliseconds of layers alone in ONNX Runtime, one after another, so that none finds its weights in the cache."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from legr.deploy.graph_layers import GraphLayer
from legr.deploy.onnx_session import new_session
from legr.structure.latency import Counts, FloatArray

_ROUNDS = 5


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
    """Median milliseconds at every combination of numbers of channels, float64[P, P], float64[P] or float64[]."""
    combinations = product(*(axis.tolist() for axis in points))
    runs = [Alone(layer.alone(channels, opsets), layer.input_shapes(channels)) for channels in combinations]
    milliseconds = milliseconds_of(runs, threads=threads, batch=batch)
    return np.asarray(milliseconds.reshape([len(axis) for axis in points]))


def milliseconds_of(runs: Sequence[Alone], *, threads: int, batch: int) -> FloatArray:
    """Median milliseconds of each graph, float64[len(runs)], in turns."""
    values = np.random.default_rng(0).standard_normal(max(run.elements for run in runs), dtype=np.float32)
    prepared = [_Run(new_session(run.graph, threads=threads, batch=batch), _inputs(run, values)) for run in runs]
    times = [[run.milliseconds() for run in prepared] for _ in range(_ROUNDS + 1)]
    return np.asarray(np.median(np.array(times[1:]), axis=0))


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
