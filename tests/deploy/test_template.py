"""One graph for all budgets: the graph of a pruned network is the original's, with smaller weights."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.deploy.graph import graph_of
from legr.deploy.template import Template, arrays_at, fill, make_template
from legr.structure.types import Keep, Structure
from tests.nets import DepthwiseConcat, example, make

pytestmark = pytest.mark.slow
SHAPE = (3, 8, 8)


class Halved(nn.Module):
    """Two branches of 6 and 8 channels are multiplied out per image: a size is the product of both."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 6, 1), nn.Conv2d(3, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.left(x).mean((2, 3)), self.right(x).mean((2, 3))
        outer = torch.einsum("ni,nj->nij", left, right)
        return F.normalize(outer.flatten(1), dim=1).sum(1, keepdim=True)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """A depthwise convolution, a concatenation, a batch norm over both, and a head."""
    return nn.Sequential(make(DepthwiseConcat), nn.Flatten(), nn.Linear(4, 3)).eval()


@pytest.fixture(scope="module")
def structure(network: nn.Module) -> Structure:
    return legr.trace(network, example())


@pytest.fixture(scope="module")
def template(network: nn.Module, structure: Structure) -> Template:
    return make_template(network, structure, SHAPE)


def keep_of(structure: Structure, *removed: int) -> Keep:
    units = np.ones(structure.n_units, dtype=bool)
    units[list(removed)] = False
    return Keep(units)


def test_the_convolution_groups_of_a_depthwise_layer_follow_its_channels(template: Template) -> None:
    assert [(number.place.attribute, number.whole) for number in template.numbers] == [("group", 6)]


def test_a_filled_graph_is_the_export_of_the_pruned_network_to_the_last_bit(
    template: Template, network: nn.Module, structure: Structure
) -> None:
    keep = keep_of(structure, 0, 2, 3, 7)
    filled = fill(template, keep, arrays_at(network, structure, keep))
    pruned = legr.prune(network, structure, keep)
    assert filled.SerializeToString() == graph_of(pruned, SHAPE).SerializeToString()
    session = onnxruntime.InferenceSession(filled.SerializeToString())
    images = torch.randn(5, *SHAPE)
    with torch.inference_mode():
        np.testing.assert_allclose(session.run(None, {"images": images.numpy()})[0], pruned(images), atol=1e-6)
