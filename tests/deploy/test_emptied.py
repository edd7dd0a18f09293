"""Blocks that have left are in no graph: made from the original's graph, or exported without them, it is the same."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper
from torch import nn

import legr
from legr.deploy.emptied import without_branches
from legr.deploy.graph import arrays_of, finished, graph_of
from legr.deploy.template import arrays_at, fill, make_template
from legr.errors import ExportError
from legr.models.zoo import build_model
from legr.structure.branches import without
from legr.structure.counters import count
from legr.structure.types import Keep, Structure
from tests.nets import example
from tests.structure.test_branches import KINDS, everything, made, without_blocks

pytestmark = pytest.mark.slow
SHAPE = (3, 8, 8)


def operations(graph: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in graph.graph.node)


def thinned(structure: Structure, share: float = 0.7) -> Keep:
    """A random kept set with channels of every layer."""
    units = np.random.default_rng(1).random(structure.n_units) < share
    for labels in structure.vectors:
        units[labels[labels > 0][:1] - 1] = True
    return Keep(units)


QUICK = ("plain", "scaled")


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.thorough) for kind in KINDS]
)
def test_a_filled_graph_without_blocks_is_the_export_without_them(kind: str) -> None:
    network = made(kind)
    structure = legr.trace(network, example())
    template = make_template(network, structure, SHAPE)
    images = torch.randn(5, *SHAPE)
    for keep, left_out in (
        (without(everything(structure), structure.branches[1:2]), {1}),
        (without(thinned(structure), structure.branches[::2]), None),
    ):
        pruned = legr.prune(network, structure, keep)
        filled = fill(template, keep, arrays_at(network, structure, keep))
        assert filled.SerializeToString() == graph_of(pruned, SHAPE).SerializeToString()
        assert filled.SerializeToString() == fill(template, keep, arrays_of(pruned)).SerializeToString()
        onnx.checker.check_model(filled)
        with torch.inference_mode():
            expected = pruned(images.clone()) if left_out is None else without_blocks(network, images, left_out)
        for graph in (filled, finished(filled)):
            session = onnxruntime.InferenceSession(graph.SerializeToString())
            np.testing.assert_allclose(session.run(None, {"images": images.numpy()})[0], expected.numpy(), atol=1e-5)


def test_no_trace_of_a_block_is_left() -> None:
    network = made("plain")
    structure = legr.trace(network, example())
    keep = without(everything(structure), structure.branches)
    left = finished(graph_of(legr.prune(network, structure, keep), SHAPE))
    # the stem and the shortcut that has weights; one ReLU behind each, as two in a row are one
    assert operations(left) == {"Conv": 2, "Relu": 2, "ReduceMean": 1, "Gemm": 1}
    assert [node.op_type for node in left.graph.node] == ["Conv", "Relu", "Conv", "Relu", "ReduceMean", "Gemm"]


def test_a_graph_that_needs_what_is_gone_is_refused() -> None:
    nodes = [helper.make_node("Mul", ["images", "weight"], ["logits"])]
    values = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("images", "weight", "logits")
    ]
    graph = helper.make_model(helper.make_graph(nodes, "graph", values[:2], values[2:]))
    with pytest.raises(ExportError, match="logits is computed from it alone"):
        without_branches(graph, ["weight"], "images")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("cifar_resnet20", 9), ("resnet18", 8), ("mobilenet_v2", 10), ("mobilenet_v3_small", 6), ("efficientnet_b0", 9),
        ("regnet_y_400mf", 16), ("convnext_tiny", 18),
    ],
)  # fmt: skip
def test_architectures_by_name(name: str, blocks: int) -> None:
    size = 32 if name.startswith("cifar") else 64
    network: nn.Module = build_model(name, 10).eval()
    structure = legr.trace(network, torch.zeros(1, 3, size, size))
    assert len(structure.branches) == blocks
    template = make_template(network, structure, (3, size, size))
    for keep in (
        without(everything(structure), structure.branches),
        without(thinned(structure), structure.branches[::2]),
    ):
        pruned = legr.prune(network, structure, keep)
        assert legr.cost(structure, keep) == count(pruned, torch.zeros(1, 3, size, size))
        filled = fill(template, keep, arrays_at(network, structure, keep))
        assert filled.SerializeToString() == graph_of(pruned, (3, size, size)).SerializeToString()
        images = torch.randn(2, 3, size, size)
        with torch.inference_mode():
            expected = pruned(images).numpy()
        session = onnxruntime.InferenceSession(finished(filled).SerializeToString())
        np.testing.assert_allclose(session.run(None, {"images": images.numpy()})[0], expected, rtol=1e-3, atol=1e-3)
