"""A graph in an older opset computes the same, in the lowest IR version; what has no older form is refused by name."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from legr.deploy.opset import opset_of, with_opset
from legr.errors import ExportError

IMAGES = np.random.default_rng(0).normal(size=(2, 4, 6, 6)).astype(np.float32)


def model_of(*nodes: NodeProto, rank: int = 4, **constants: Sequence[float]) -> ModelProto:
    """A model that computes "y" from "x", float32[2, 4, 6, 6]."""
    arrays = {name: np.array(value) for name, value in constants.items()}
    initializers = [
        numpy_helper.from_array(v.astype(np.float32) if v.dtype == np.float64 else v, n) for n, v in arrays.items()
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, IMAGES.shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [f"d{axis}" for axis in range(rank)])]
    graph = helper.make_graph(list(nodes), "g", inputs, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model: ModelProto) -> NDArray[np.float32]:
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": IMAGES})[0])


def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return 1 / (1 + np.exp(-x))


def softmax(x: NDArray[np.float32]) -> NDArray[np.float32]:
    e = np.exp(x)
    return e / e.sum(-1, keepdims=True)


node = helper.make_node
CASES: dict[str, tuple[ModelProto, Callable[[NDArray[np.float32]], NDArray[np.float32]], int, int]] = {
    # name: the model, what it computes, the lowest opset it can have, the IR version of the opset 13 or higher
    "mean over axes": (
        model_of(node("ReduceMean", ["x", "axes"], ["y"], keepdims=1, noop_with_empty_axes=0), axes=(2, 3)),
        lambda x: x.mean((2, 3), keepdims=True),
        *(11, 13),
    ),
    "reshape": (
        model_of(node("Reshape", ["x", "to"], ["y"], allowzero=1), rank=2, to=(2, -1)),
        lambda x: x.reshape(2, -1),
        *(11, 13),
    ),
    "squeeze": (
        model_of(
            node("Unsqueeze", ["x", "axes"], ["more"]),
            node("ReduceSum", ["more", "axes"], ["y"], keepdims=0),
            axes=(1,),
        ),
        lambda x: x,
        *(11, 13),
    ),
    "half": (
        model_of(node("Split", ["x"], ["y", "rest"], axis=1, num_outputs=2)),
        lambda x: x[:, :2],
        *(11, 13),
    ),
    "softmax": (model_of(node("Softmax", ["x"], ["y"])), softmax, 11, 13),
    "hard swish": (model_of(node("HardSwish", ["x"], ["y"])), lambda x: x * np.clip(x / 6 + 0.5, 0, 1), 11, 14),
    "sizes": (
        model_of(
            node("Shape", ["x"], ["some"], start=-3, end=3),  # 4 and 6 of (2, 4, 6, 6)
            node("Concat", ["rest", "some"], ["to"], axis=0),
            node("Reshape", ["x", "to"], ["y"]),
            rank=3,
            rest=(-1,),
        ),
        lambda x: x.reshape(12, 4, 6),
        *(11, 15),
    ),
}
IR_OF = {11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 17: 8, 20: 9}  # the table in ONNX's docs/Versioning.md


@pytest.mark.parametrize("name", CASES)
def test_every_opset_computes_the_same(name: str) -> None:
    model, expected, lowest, by_default = CASES[name]
    for opset in (None, *(n for n in IR_OF if n >= lowest)):
        lowered = with_opset(model, opset)
        assert opset_of(lowered) == (opset or by_default)
        assert lowered.ir_version == IR_OF[opset or by_default]
        np.testing.assert_allclose(run(lowered), expected(IMAGES), atol=1e-6)


@pytest.mark.parametrize(
    ("model", "opset", "why"),
    [
        (
            model_of(node("LayerNormalization", ["x", "s"], ["y"]), s=(1.0,) * 6),
            *(12, r"\(LayerNormalization came with opset 17\); give --opset 17"),
        ),
        (model_of(node("Softmax", ["x"], ["y"], axis=1)), 12, r"\(Softmax means its axis otherwise before opset 13\)"),
        (
            model_of(node("Reshape", ["x", "to"], ["y"], allowzero=1), to=(2, 4, 36, 0)),
            *(13, r"\(Reshape has allowzero from opset 14 on\)"),
        ),
    ],
)
def test_what_has_no_older_form_is_refused(model: ModelProto, opset: int, why: str) -> None:
    with pytest.raises(ExportError, match=why):
        with_opset(model, opset)


def test_axes_that_are_computed_stay_an_input() -> None:
    shape = node("Shape", ["x"], ["axes"], start=2, end=3)
    model = model_of(shape, node("ReduceMean", ["x", "axes"], ["y"]))
    with pytest.raises(ExportError, match="ReduceMean takes its axes from opset 18 on"):
        with_opset(model, 17)
    assert opset_of(with_opset(model, None)) == 18
