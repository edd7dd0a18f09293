"""One graph for all budgets: the graph of a pruned network is the original's, with smaller weights."""

from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.deploy import sessions, template_cache
from legr.deploy.graph import finished, graph_of
from legr.deploy.numbers import Number, Place, TemplateError, numbers_of, telling_kept_sets, vectors_of
from legr.deploy.onnx_session import answers, new_session
from legr.deploy.sessions import Sessions
from legr.deploy.template import Template, arrays_at, fill, make_template, operations_at
from legr.deploy.template_cache import cached_template, read_template, template_of, template_or_none, write_template
from legr.errors import ExportError
from legr.schema import SchemaError
from legr.structure.types import Keep, Structure
from tests.nets import example, make

pytestmark = pytest.mark.slow
SHAPE = (3, 8, 8)


class Network(nn.Module):
    """6 channels into a depthwise convolution of 12, beside 5: 11 units. What is pooled lies in channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.expand, self.depthwise = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 12, 3, padding=1, groups=6)
        self.side, self.norm = nn.Conv2d(3, 5, 1, bias=False), nn.BatchNorm2d(17)
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(17, 3)

    def forward(self, x: Tensor) -> Tensor:
        joined = self.norm(torch.cat((self.depthwise(F.relu6(self.expand(x))), self.side(x)), dim=1))
        return self.head(self.pool(joined.contiguous(memory_format=torch.channels_last)).flatten(1))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return make(Network).eval()


@pytest.fixture(scope="module")
def structure(network: nn.Module) -> Structure:
    return legr.trace(network, example())


@pytest.fixture(scope="module")
def template(network: nn.Module, structure: Structure) -> Template:
    return make_template(network, structure, SHAPE)


@pytest.fixture
def path(template: Template, structure: Structure, tmp_path: Path) -> Path:
    """The template as a file."""
    write_template(tmp_path / "template.onnx", template, structure)
    return tmp_path / "template.onnx"


def keep_without(structure: Structure, *removed: int) -> Keep:
    units = np.ones(structure.n_units, dtype=bool)
    units[list(removed)] = False
    return Keep(units)


def operations(graph: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in graph.graph.node)


def test_a_filled_graph_is_the_export_of_the_pruned_network_to_the_last_bit(
    template: Template, network: nn.Module, structure: Structure
) -> None:
    keep = keep_without(structure, 0, 2, 3, 7)  # three of the six, and one of the five
    assert [(n.place.attribute, n.whole, n.at(keep)) for n in template.numbers] == [("group", 6, 3), (None, 17, 10)]
    filled = fill(template, keep, arrays_at(network, structure, keep))
    pruned = legr.prune(network, structure, keep).to(memory_format=torch.channels_last)
    assert filled.SerializeToString() == graph_of(pruned, SHAPE).SerializeToString()
    whole = fill(template, keep_without(structure), arrays_at(network, structure, keep_without(structure)))
    ends = {"ReduceMean": 1, "Reshape": 1, "Gemm": 1}
    expected_operations = {"Conv": 3, "Clip": 1, "Concat": 1, "BatchNormalization": 1, **ends}
    assert operations(finished(filled)) == operations(finished(whole)) == expected_operations
    images = torch.randn(5, *SHAPE)
    with torch.inference_mode():
        expected = pruned(images).numpy()
    for graph in (filled, finished(filled)):
        session = onnxruntime.InferenceSession(graph.SerializeToString())
        np.testing.assert_allclose(session.run(None, {"images": images.numpy()})[0], expected, atol=1e-6)


def test_a_session_is_made_once_and_without_a_template_from_an_export(
    template: Template, network: nn.Module, structure: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, images = keep_without(structure, 1, 8), torch.randn(2, *SHAPE)
    with torch.inference_mode():
        expected = legr.prune(network, structure, keep)(images).numpy()
    made = Sessions(network, structure, SHAPE, template, threads=1, batch=2)
    assert made.of(keep) is made.of(keep) and made.of(keep_without(structure)) is not made.of(keep)
    np.testing.assert_allclose(made.of(keep).run(None, {"images": images.numpy()})[0], expected, atol=1e-6)

    exports: list[nn.Module] = []
    monkeypatch.setattr(sessions, "operations_of", lambda *a: exports.append(a[0]) or operations_at(template, keep))
    monkeypatch.setattr(sessions, "_KEPT", 0)
    made = Sessions(network, structure, SHAPE, None, threads=1, batch=2)
    assert made.of(keep) is not made.of(keep)  # there is no room to keep one
    np.testing.assert_allclose(made.of(keep).run(None, {"images": images.numpy()})[0], expected, atol=1e-6)
    assert len(exports) == 1  # but an export takes seconds


def test_only_a_network_whose_graphs_differ_is_exported_for_each_kept_set(
    network: nn.Module, structure: Structure, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(error: ExportError) -> None:
        def make_template(*_: object) -> Template:
            raise error

        monkeypatch.setattr(template_cache, "make_template", make_template)

    refuse(TemplateError("a smaller network has other operations than the original"))
    assert template_or_none(network, structure, SHAPE) is None
    refuse(ExportError("this network cannot be written as ONNX"))
    with pytest.raises(ExportError, match="written"):
        template_or_none(network, structure, SHAPE)


def test_an_operation_that_the_runtime_lacks_is_one_sentence() -> None:
    graph = sizes(-1, 3, 22)
    graph.graph.node[0].domain = "com.example"
    graph.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(ExportError, match=r"ONNX Runtime cannot run this network: .*com\.example"):
        new_session(graph, threads=1, batch=1)
    with pytest.raises(ExportError, match=r"ONNX Runtime cannot run this network: Got invalid dimensions"):
        answers(new_session(sizes(-1, 3, 22)), np.zeros((1, 65), dtype=np.float32))  # it takes 66


def test_what_onnx_cannot_say_is_named() -> None:
    class Bessel(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.special.bessel_j0(x).mean((2, 3))

    with pytest.raises(ExportError, match=r"^this network cannot be written as ONNX: ONNX has no .* prims\.bessel_j0$"):
        graph_of(Bessel(), SHAPE)


def test_finished_folds_a_batch_norm_into_the_convolution_before_it() -> None:
    values = {"w": np.full((4, 3, 1, 1), 0.5), "scale": np.ones(4), "shift": np.zeros(4), "mean": np.ones(4)}
    values["variance"] = np.full(4, 4.0)
    constants = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in values.items()]
    nodes = [
        helper.make_node("Conv", ["images", "w"], ["y"]),
        helper.make_node("BatchNormalization", ["y", *list(values)[1:]], ["logits"], epsilon=0.0),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("images", "logits")]
    done = finished(helper.make_model(helper.make_graph(nodes, "norm", ends[:1], ends[1:], constants)))
    assert operations(done) == {"Conv": 1}
    assert not any(node.metadata_props or node.doc_string for node in done.graph.node)  # which rule wrote it
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in done.graph.initializer}
    np.testing.assert_array_equal(weights["w"], np.full((4, 3, 1, 1), 0.25, np.float32))  # 0.5 / sqrt(4)
    np.testing.assert_array_equal(weights["w_bias"], np.full(4, -0.5, np.float32))  # -1 / sqrt(4)


def sizes(*values: int) -> onnx.ModelProto:
    """A graph with a constant of sizes."""
    constant = numpy_helper.from_array(np.array(values, dtype=np.int64), "sizes")
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 66])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)
    node = helper.make_node("Reshape", ["images", "sizes"], ["logits"])
    graph = helper.make_graph([node], "sizes", [images], [logits], [constant])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_a_number_must_be_as_large_a_share_as_the_channels_of_a_layer(structure: Structure) -> None:
    keep = keep_without(structure, 0, 2, 3, 7)  # of 6, 12, 5 and 17 channels 3, 6, 4 and 10 are left
    pruned = [(keep, sizes(-1, 10, 9))]
    (number,), certain = numbers_of(structure, sizes(-1, 17, 9), pruned)
    assert (number.place, number.whole, number.at(keep), certain) == (Place("sizes", None, 1), 17, 10, True)
    assert number.at(keep_without(structure, 0)) == 15
    with pytest.raises(ExportError, match="not understood"):
        numbers_of(structure, sizes(-1, 6 * 5, 9), [(keep, sizes(-1, 3 * 4, 9))])
    with pytest.raises(ExportError, match="other operations"):
        numbers_of(structure, sizes(-1, 17, 9), [(keep, sizes(-1, 17))])
    with pytest.raises(ExportError, match="cannot be as large a share of 3"):
        Number(Place("sizes", None, 0), 3, vectors_of(structure)[0]).at(keep_without(structure, 0))


def test_telling_kept_sets_keep_another_share_of_every_layer(structure: Structure) -> None:
    shares = {
        tuple(int(keep.kept(labels).sum()) / len(labels) for keep in islice(telling_kept_sets(structure), 2))
        for labels in vectors_of(structure)
    }
    assert len(shares) == 3  # the six with the twelve, the five, and both together
    assert all(0 < share < 1 for several in shares for share in several)
    keep = keep_without(structure, 0, 6)
    assert numbers_of(structure, sizes(6), [(keep, sizes(5))])[1]  # 5 of 6 and 10 of 12 are the same units


def test_a_second_use_costs_no_export(
    template: Template, network: nn.Module, structure: Structure, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Template] = []
    monkeypatch.setattr(template_cache, "make_template", lambda *_: made.append(template) or template)
    first, second = (template_of(network, structure, SHAPE) for _ in range(2))
    assert len(made) == 1 and second.operations == first.operations and second is not first
    assert [(n.place, n.whole, n.labels.tolist()) for n in second.numbers] == [
        (n.place, n.whole, n.labels.tolist()) for n in first.numbers
    ]
    changed = onnx.ModelProto()
    changed.CopyFrom(template.operations)
    next(node for node in changed.graph.node if node.op_type == "ReduceMean").op_type = "ReduceMax"
    stored = cached_template(network, structure, SHAPE)
    write_template(stored, Template(changed, template.numbers), structure)
    assert template_of(network, structure, SHAPE) is template and len(made) == 2
    stored.write_bytes(b"\xff" * 100)
    assert template_of(network, structure, SHAPE) is template and len(made) == 3


def outside(graph: onnx.ModelProto) -> None:
    graph.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    graph.graph.initializer[-1].external_data.add(key="location", value="/etc/passwd")


def looping(graph: onnx.ModelProto) -> None:
    node = graph.graph.node[0]
    body = helper.make_graph([], "body", [], [])
    node.op_type = "Loop"
    node.attribute.append(helper.make_attribute("body", body))


def foreign(graph: onnx.ModelProto) -> None:
    graph.opset_import.append(helper.make_opsetid("com.example", 1))


def wrong_note(graph: onnx.ModelProto) -> None:
    helper.set_model_props(graph, {"legr": '{"numbers": [["conv2d", "group", 0, 7, 0]]}'})


def other_number(graph: onnx.ModelProto) -> None:
    attribute = next(a for node in graph.graph.node for a in node.attribute if a.name == "group" and a.i == 6)
    attribute.i = 5


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (outside, "other files"),
        (looping, "an operation Loop"),
        (foreign, "not ONNX's own"),
        (wrong_note, "numbers"),
        (other_number, "no 6 in"),
    ],
)
def test_a_file_that_no_template_is_written_as_is_refused(
    path: Path, template: Template, structure: Structure, damage: object, words: str
) -> None:
    assert callable(damage)
    graph = onnx.load(path, load_external_data=False)
    damage(graph)
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(SchemaError, match=words):
        read_template(path, structure)
    write_template(path, template, structure)
    path.write_bytes(path.read_bytes().replace(b'"numbers"', b'"number\xff"'))
    with pytest.raises(SchemaError, match="no JSON"):
        read_template(path, structure)
    path.write_bytes(b"")
    with pytest.raises(SchemaError, match="no ONNX graph"):
        read_template(path, structure)
