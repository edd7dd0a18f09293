"""A network as ONNX, checked against PyTorch in ONNX Runtime. The file holds no path of the machine that wrote it."""

import copy
import logging
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from legr.errors import ExportError
from legr.files import write_bytes

INPUT, OUTPUT = "images", "logits"
WRITTEN_IN = 18  # the exporter's own operators; a later opset has others (Gelu), which no older one can say


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
    network = _as_exported(model)
    example = torch.zeros(2, *input_shape)  # a batch of 1 would be taken for a constant
    try:
        with warnings.catch_warnings(), _quiet("torch.onnx"), _quiet("onnxscript"):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                (example,),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                opset_version=WRITTEN_IN,
                verbose=False,
            )
    except Exception as error:
        raise ExportError(f"this network cannot be written as ONNX: {str(error).splitlines()[0]}") from error
    assert program is not None
    proto = program.model_proto
    _strip(proto)
    onnx.checker.check_model(proto)
    write_bytes(path, proto.SerializeToString())


def _as_exported(model: nn.Module) -> nn.Module:
    """A copy whose weights lie in memory as in a file: the graph of another layout has other operations."""
    return copy.deepcopy(model).cpu().float().eval().to(memory_format=torch.contiguous_format)


def check_agreement(model: nn.Module, path: Path, batches: Iterable[tuple[Tensor, NDArray[np.generic]]]) -> Agreement:
    """Run a model and its ONNX file on the same images.

    Args:
        batches: what the model takes, float32[N, C, H, W], and what the file takes for the same images.

    Raises:
        ExportError: ONNX Runtime cannot run the file.
    """
    network = _as_exported(model)
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        largest, same, images = 0.0, 0, 0
        for inputs, fed in batches:
            with torch.inference_mode():
                expected = network(inputs).numpy()
            actual = _run(session, fed)
            difference = np.abs(expected - actual)
            largest = max(largest, float(np.where(np.isfinite(difference), difference, np.inf).max()))
            same += int((expected.argmax(1) == actual.argmax(1)).sum())
            images += len(inputs)
    except Exception as error:
        raise ExportError(f"ONNX Runtime cannot run the exported network: {str(error).splitlines()[0]}") from error
    return Agreement(largest, same / images, images)


def _run(session: onnxruntime.InferenceSession, images: NDArray[np.generic]) -> NDArray[np.float32]:
    """The outputs for any number of images, as many at a time as the file takes; the last ones are repeated to fill."""
    (taken,) = session.get_inputs()
    size = taken.shape[0] if isinstance(taken.shape[0], int) else len(images)
    outputs = [
        np.asarray(session.run([OUTPUT], {INPUT: np.resize(part, (size, *part.shape[1:]))})[0])
        for part in (images[start : start + size] for start in range(0, len(images), size))
    ]
    return np.concatenate(outputs)[: len(images)]


def _strip(proto: onnx.ModelProto) -> None:
    """Remove what the exporter notes about itself: stack traces with paths, module names, doc strings."""
    stack: list[Any] = [proto, proto.graph, *proto.functions]
    while stack:
        item = stack.pop()
        names = {field.name for field in item.DESCRIPTOR.fields}
        for field in ("metadata_props", "doc_string"):
            if field in names:
                item.ClearField(field)
        for field in ("node", "input", "output", "value_info", "initializer", "attribute"):
            if field in names and _is_message(item, field):
                stack.extend(getattr(item, field))
        if isinstance(item, onnx.AttributeProto) and item.HasField("g"):
            stack.append(item.g)


def _is_message(item: Any, name: str) -> bool:
    """Whether a protobuf field holds messages (a node's inputs are plain strings)."""
    field = item.DESCRIPTOR.fields_by_name[name]
    return field.message_type is not None


class _quiet:
    """Silence a logger for a while: exporters log a lot about packages that they do not need."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def __enter__(self) -> None:
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)
