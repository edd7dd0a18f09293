"""The layers of a graph: all of its operations, sizes that are those of any pruned network, and graphs that run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from benchmarks.network_layers import measure
from legr.deploy.graph_layers import GraphLayer
from legr.deploy.layer_table import NetworkLayers
from legr.deploy.network_layers import network_layers
from legr.deploy.onnx_session import new_session
from legr.deploy.template import make_template
from legr.structure.copies import at_least_one
from legr.structure.cost import counts_of
from legr.structure.types import Keep, Structure
from tests import nets
from tests.structure.test_branches import Blocks, Plain, made

pytestmark = pytest.mark.slow


class Joins(nn.Module):
    """Three paths of one, a fixed path and a joined norm; then the mean of all channels, flattened."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 8, 1), nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(3, 4, 1)
        self.norm, self.last, self.fc = nn.BatchNorm2d(18), nn.Conv2d(18, 7, 1), nn.Linear(7 + 3, 4)

    def forward(self, x: Tensor) -> Tensor:
        joined = self.norm(torch.cat((self.a(x), self.b(x), self.c(x)), 1))
        last = torch.cat((self.last(F.relu(joined)), x), 1)
        return self.fc(last.mean((2, 3), keepdim=True).flatten(1))


def alike() -> Blocks:
    """Blocks whose biases and norms are all the same, as in a network that was never trained."""
    network = Blocks(Plain(8, 8), Plain(8, 8), Plain(8, 8))
    for name, parameter in network.named_parameters():
        if parameter.dim() == 1:
            nn.init.constant_(parameter, float("norm" in name or "bn" in name))
    return network


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "joins": lambda: nets.make(Joins),
    "alike": lambda: nets.make(alike),  # type: ignore[arg-type]
    **{kind: lambda kind=kind: made(kind) for kind in ("inverted", "scaled")},  # type: ignore[misc]
    "concat": lambda: nets.make(nets.DepthwiseConcat),
}


@dataclass(frozen=True)
class TakenApart:
    model: nn.Module
    structure: Structure
    layers: NetworkLayers[GraphLayer]
    opsets: Sequence[onnx.OperatorSetIdProto]


@pytest.fixture(scope="module", params=NETWORKS)
def taken(request: pytest.FixtureRequest) -> TakenApart:
    model = NETWORKS[request.param]().eval()
    structure = legr.trace(model, nets.example())
    return TakenApart(
        model, structure, *network_layers(model, structure, make_template(model, structure, (3, 8, 8)), batch=1)
    )


def test_weights_have_the_sizes_of_any_pruned_network(taken: TakenApart) -> None:
    rng, structure = np.random.default_rng(3), taken.structure
    for share in (0.3, 0.6, 0.8):
        keep = Keep(at_least_one(structure, rng.random(structure.n_units) < share))
        parameters = {name: tuple(p.shape) for name, p in legr.prune(taken.model, structure, keep).named_parameters()}
        counts, seen = counts_of(structure, keep), set()
        for layer in (placed.layer for placed in taken.layers.placed):
            channels = [round(float(size.at(counts)[0])) for size in layer.sizes]
            for tensor in layer.weights:
                if tensor.name in parameters and len(tensor.shape) == 4:
                    found = tuple(f.at(layer.sizes, channels) for f in tensor.shape)
                    assert found == parameters[tensor.name], tensor.name
                    seen.add(tensor.name)
        assert seen


def test_every_layer_runs_alone_at_all_of_its_points(taken: TakenApart) -> None:
    operations = [node.op_type for placed in taken.layers.placed for node in placed.layer.nodes]
    assert operations.count("Conv") == sum(isinstance(module, nn.Conv2d) for module in taken.model.modules())
    for layer in (placed.layer for placed in taken.layers.placed):
        assert layer.outputs
        for channels in product(*(axis.channels.tolist() for axis in layer.points(4))):
            session = new_session(layer.alone(channels, taken.opsets), threads=1)
            inputs = {n: np.ones(shape, dtype=np.float32) for n, shape in layer.input_shapes(channels).items()}
            assert all(np.isfinite(x).all() for x in session.run(None, inputs))


def test_passages_are_as_large_as_what_is_handed_on(taken: TakenApart) -> None:
    whole = counts_of(taken.structure, Keep(np.ones(taken.structure.n_units, dtype=bool)))
    for passage in taken.layers.passages:
        assert passage.elements > 0 and float(passage.channels.at(whole)[0]) == passage.channels.whole


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "googlenet", "densenet121", "regnet_x_400mf", "convnext_tiny"])
def test_architectures_are_taken_apart(name: str) -> None:
    row = measure(name)
    assert (row["wrong_sizes"], row["refused"]) == ([], [])
    assert row["found"] == row["convolutions"] and row["left_found"] == row["left"]
    assert row["same_operations"] and row["finite"]
