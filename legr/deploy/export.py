"""A network as ONNX, checked against PyTorch in ONNX Runtime. The file holds no path of the machine that wrote it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from legr.deploy.graph import INPUT, OUTPUT, WRITTEN_IN, as_exported, finished, graph_of
from legr.deploy.onnx_session import answers, new_session
from legr.errors import ExportError
from legr.files import write_bytes

__all__ = ["INPUT", "OUTPUT", "WRITTEN_IN", "Agreement", "check_agreement", "export_onnx", "write_onnx"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much ONNX Runtime and PyTorch differ on the same inputs."""

    max_abs_diff: float
    top1_agreement: float  # share of images with the same answer, in [0, 1]
    images: int


def export_onnx(model: nn.Module, input_shape: tuple[int, int, int], path: Path) -> None:
    """Write `model` in evaluation mode as ONNX with a dynamic batch.

    Raises:
        ExportError: the model uses an operation that ONNX cannot express.
    """
    write_onnx(finished(graph_of(model, input_shape)), path)


def write_onnx(graph: onnx.ModelProto, path: Path) -> None:
    """Write a graph, with the shapes of what its operations return.

    Raises:
        ExportError: it is none.
    """
    try:
        graph = onnx.shape_inference.infer_shapes(graph)
        onnx.checker.check_model(graph)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"this network cannot be written as ONNX: {str(error).splitlines()[0]}") from error
    write_bytes(path, graph.SerializeToString())


def check_agreement(model: nn.Module, path: Path, batches: Iterable[tuple[Tensor, NDArray[np.generic]]]) -> Agreement:
    """Run a model and its ONNX file on the same images.

    Args:
        batches: what the model takes, float32[N, C, H, W], and what the file takes for the same images.

    Raises:
        ExportError: ONNX Runtime cannot run the file.
    """
    network = as_exported(model)
    session = new_session(path)
    largest, same, images = 0.0, 0, 0
    for inputs, fed in batches:
        with torch.inference_mode():
            expected = network(inputs).numpy()
        actual = _run(session, fed)
        difference = np.abs(expected - actual)
        largest = max(largest, float(np.where(np.isfinite(difference), difference, np.inf).max()))
        same += int((expected.argmax(1) == actual.argmax(1)).sum())
        images += len(inputs)
    return Agreement(largest, same / images, images)


def _run(session: onnxruntime.InferenceSession, images: NDArray[np.generic]) -> NDArray[np.float32]:
    """The outputs for any number of images, as many at a time as the file takes; the last ones are repeated to fill."""
    (taken,) = session.get_inputs()
    size = taken.shape[0] if isinstance(taken.shape[0], int) else len(images)
    outputs = [
        answers(session, np.resize(part, (size, *part.shape[1:])))
        for part in (images[start : start + size] for start in range(0, len(images), size))
    ]
    return np.concatenate(outputs)[: len(images)]
