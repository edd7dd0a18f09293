"""Which numbers of channels a runtime has faster ways for: multiples of how many."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from legr.deploy.layer_timing import Alone, milliseconds_of
from legr.structure.latency import Counts, FloatArray

CANDIDATES = (2, 4, 8, 16, 32)
_OUT, _SIDE, _FEWEST, _MOST = 64, 28, 33, 64
_APART = 1.1  # times the others take, or a part of it
_SCALE = 0.05


def quantum_of(*, threads: int, batch: int) -> int:
    """Time convolutions of several kinds with 33 to 64 channels; 1 where multiples take no other time.

    A runtime may convolve 3x3 as fast with any number of channels, and depthwise twice as fast with multiples.
    """
    channels = range(_FEWEST, _MOST + 1)
    found = []
    for kernel, depthwise in ((3, False), (1, False), (3, True)):
        runs = [Alone(_convolution(n, kernel, depthwise, batch), {"x": (batch, n, _SIDE, _SIDE)}) for n in channels]
        found.append(quantum_in(np.array(list(channels)), milliseconds_of(runs, threads=threads, batch=batch)))
    return min((quantum for quantum in found if quantum > 1), default=1)


def quantum_in(channels: Counts, milliseconds: FloatArray) -> int:
    """The smallest number whose multiples take another time than what lies between them: mostly less, alone also more.

    Odd multiples are looked at, as the others may be multiples of a larger one; each beside its neighbours, as more
    channels take longer.
    """
    for quantum in CANDIDATES:
        odd = np.flatnonzero(channels[1:-1] % (2 * quantum) == quantum) + 1
        beside = (milliseconds[odd - 1] + milliseconds[odd + 1]) / 2
        if len(odd) and abs(np.log(np.median(milliseconds[odd] / beside))) > np.log(_APART):
            return quantum
    return 1


def _convolution(channels: int, kernel: int, depthwise: bool, batch: int) -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    out, reads = (channels, 1) if depthwise else (_OUT, channels)
    weight = (_SCALE * rng.standard_normal((out, reads, kernel, kernel))).astype(np.float32)
    sides, pads = [kernel] * 2, [kernel // 2] * 4
    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=sides, pads=pads, group=channels // reads)
    graph = helper.make_graph(
        [node],
        "convolution",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [batch, channels, _SIDE, _SIDE])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    return model
