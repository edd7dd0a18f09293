"""Which numbers of channels a runtime has faster ways for: multiples of how many."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from legr.deploy.layer_timing import Alone, milliseconds_of
from legr.structure.latency import Counts, FloatArray

CANDIDATES = (2, 4, 8, 16, 32)
_OUT, _SIDE, _FEWEST, _MOST = 64, 28, 33, 64
_FASTER = 0.9  # of the time of the others
_SCALE = 0.05


def quantum_of(*, threads: int, batch: int) -> int:
    """Time a convolution with 33 to 64 channels; 1 where multiples are no faster."""
    channels = range(_FEWEST, _MOST + 1)
    runs = [Alone(_convolution(n, batch), {"x": (batch, n, _SIDE, _SIDE)}) for n in channels]
    return quantum_in(np.array(list(channels)), milliseconds_of(runs, threads=threads, batch=batch))


def quantum_in(channels: Counts, milliseconds: FloatArray) -> int:
    """The smallest number whose multiples are faster than what lies between them.

    Odd multiples are looked at, as the others may be multiples of a larger one; each beside its neighbours, as more
    channels take longer.
    """
    for quantum in CANDIDATES:
        odd = np.flatnonzero(channels[1:-1] % (2 * quantum) == quantum) + 1
        beside = (milliseconds[odd - 1] + milliseconds[odd + 1]) / 2
        if len(odd) and np.median(milliseconds[odd] / beside) < _FASTER:
            return quantum
    return 1


def _convolution(channels: int, batch: int) -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    weight = (_SCALE * rng.standard_normal((_OUT, channels, 3, 3))).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])],
        "convolution",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [batch, channels, _SIDE, _SIDE])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    return model
