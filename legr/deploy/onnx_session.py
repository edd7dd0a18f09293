"""Sessions of ONNX Runtime: on the processor, without a word to the terminal, and errors are `ExportError`s."""

import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from legr.deploy.graph import BATCH, INPUT, OUTPUT
from legr.errors import ExportError

_SILENT = 4  # of ONNX Runtime's levels of the log


def new_session(
    graph: onnx.ModelProto | Path, *, threads: int | None = None, batch: int | None = None
) -> onnxruntime.InferenceSession:
    """A session of a graph, or of a file with one; ONNX Runtime folds batch norms by itself.

    Args:
        threads: None is a thread for each core.
        batch: images at a time, of a graph that takes any number; what it computes from them is then constant.

    Raises:
        ExportError: ONNX Runtime cannot run it.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    if threads is not None:
        options.intra_op_num_threads = threads
    if batch is not None:
        options.add_free_dimension_override_by_name(BATCH, batch)
    source = str(graph) if isinstance(graph, Path) else graph.SerializeToString()
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has one for each of its status codes
        raise _refused(error) from error


def answers(session: onnxruntime.InferenceSession, images: NDArray[np.generic]) -> NDArray[np.float32]:
    """The outputs for some images.

    Raises:
        ExportError: ONNX Runtime cannot run it.
    """
    try:
        return np.asarray(session.run([OUTPUT], {INPUT: images})[0])
    except Exception as error:
        raise _refused(error) from error


def _refused(error: Exception) -> ExportError:
    reason = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error).splitlines()[0])
    return ExportError(f"ONNX Runtime cannot run this network: {reason}")
