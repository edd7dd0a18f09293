"""The file that is handed out: its batch, and what it does of the preparation of its input."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from legr.data.normalization import Normalization, Preprocess
from legr.deploy.onnx_file import OnnxSettings, OnnxVersion, hand_out
from legr.deploy.picture_input import fed, picture_input

SHAPE = (3, 2, 4)
NORMALIZATION = Normalization("custom", (0.5, 0.25, 0.0), (0.5, 1.0, 2.0))
BYTES = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), dtype=np.uint8)
MEAN, STD = (np.array(v).reshape(1, 3, 1, 1) for v in (NORMALIZATION.mean, NORMALIZATION.std))
NORMALIZED = ((BYTES / 255 - MEAN) / STD).astype(np.float32)


def flattening() -> ModelProto:
    """As the exporter flattens for a batch that it does not know: by the sizes that it finds."""
    nodes = [
        helper.make_node("Shape", ["images"], ["batch"], start=0, end=1),
        helper.make_node("Concat", ["batch", "rest"], ["sizes"], axis=0),
        helper.make_node("Reshape", ["images", "sizes"], ["logits"], allowzero=1),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", *SHAPE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 24])
    graph = helper.make_graph(nodes, "g", [images], [logits], [numpy_helper.from_array(np.array([24]), "rest")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def handed_out(folder: Path, settings: OnnxSettings) -> tuple[OnnxVersion, ModelProto, onnxruntime.InferenceSession]:
    path = folder / "network.onnx"
    onnx.save(flattening(), path)
    about = picture_input(
        ("images", "logits"),
        SHAPE,
        ("bolt", "nut"),
        NORMALIZATION,
        preprocess=settings.preprocess,
        batch=settings.batch,
    )
    version = hand_out(path, settings, NORMALIZATION, about)
    return version, onnx.load(path), onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def dims(value: onnx.ValueInfoProto) -> list[int | str]:
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


@pytest.mark.parametrize("batch", [1, 2])
def test_a_fixed_batch_leaves_nothing_to_compute_from_it(tmp_path: Path, batch: int) -> None:
    version, model, session = handed_out(tmp_path, OnnxSettings(batch=batch))
    assert [node.op_type for node in model.graph.node] == ["Reshape"]
    assert (dims(model.graph.input[0]), dims(model.graph.output[0])) == ([batch, *SHAPE], [batch, 24])
    assert (version.opset, version.ir) == (13, 7)
    (logits,) = session.run(None, {"images": NORMALIZED[:batch]})
    assert np.array_equal(logits, NORMALIZED[:batch].reshape(batch, 24))


@pytest.mark.parametrize("batch", [1, None])
@pytest.mark.parametrize("preprocess", ["none", "normalize", "uint8"])
def test_what_the_file_does_of_the_preparation(tmp_path: Path, preprocess: Preprocess, batch: int | None) -> None:
    version, model, session = handed_out(tmp_path, OnnxSettings(batch=batch, preprocess=preprocess))
    given: dict[Preprocess, NDArray[np.generic]] = {
        "none": NORMALIZED,
        "normalize": BYTES.astype(np.float32),
        "uint8": BYTES.transpose(0, 2, 3, 1),
    }
    images = given[preprocess]
    (taken,) = session.get_inputs()
    assert (taken.name, taken.type) == ("images", "tensor(uint8)" if preprocess == "uint8" else "tensor(float)")
    assert taken.shape == [batch or "batch", *images.shape[1:]]
    assert np.array_equal(fed(BYTES, NORMALIZED, preprocess), images)
    several = images if batch is None else images[:batch]
    (logits,) = session.run(None, {"images": several})
    np.testing.assert_allclose(logits, NORMALIZED[: len(several)].reshape(len(several), 24), atol=1e-6)
    assert version.opset == (13 if batch else 15)  # `Shape` of one axis came with 15
    about = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert about["classes"] == ["bolt", "nut"]
    assert about["input"]["shape"] == taken.shape
    assert about["input"]["mean"] == (list(NORMALIZATION.mean) if preprocess == "none" else None)
