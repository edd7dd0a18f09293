"""Two plans in turn are one plan; as plain data a plan comes back, and what no surgery writes is refused."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import legr
from legr.models.zoo import build_model
from legr.structure.plans import compose, plan_from_dict, plan_to_dict
from legr.structure.surgery import apply_plan, plan
from legr.structure.types import Plan
from tests import nets


class Normed(nn.Module):
    """A LayerNorm over channels: its number of channels stands in a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm, self.head = nn.Conv2d(3, 12, 3), nn.LayerNorm(12), nn.Linear(12, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.stem(x).permute(0, 2, 3, 1)).mean((1, 2)))


NETWORKS = {
    "chain": (nets.Chain, (3, 8, 8)),
    "residual": (nets.Residual, (3, 8, 8)),
    "depthwise and concat": (nets.DepthwiseConcat, (3, 8, 8)),
    "index shortcut": (lambda: build_model("cifar_resnet14", 10), (3, 32, 32)),
    "attributes in tuples": (Normed, (3, 8, 8)),
}


def cut_somewhere(network: nn.Module, shape: tuple[int, ...], seed: int) -> tuple[nn.Module, Plan]:
    """Remove about a third of the units that may go."""
    structure = legr.trace(network, torch.zeros(1, *shape))
    scores = np.random.default_rng(seed).random(len(structure.layers))
    ranking = legr.rank(structure, legr.filter_norms(network, structure), legr.Affine.of(scores + 0.1, scores))
    curve = legr.BudgetCurve(structure, ranking)
    keep = curve.keep(len(curve.macs) // 3)
    assert not keep.units.all()
    return legr.prune(network, structure, keep), plan(network, structure, keep)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_two_plans_in_turn_are_one(name: str) -> None:
    build, shape = NETWORKS[name]
    torch.manual_seed(0)
    whole = build().eval()
    once, first = cut_somewhere(whole, shape, 0)
    twice, second = cut_somewhere(once, shape, 1)
    told = plan_from_dict(plan_to_dict(compose(first, second)))
    found = copy.deepcopy(whole)
    apply_plan(found, told)
    expected, state = dict(twice.named_buffers()) | dict(twice.named_parameters()), dict(found.named_buffers())
    state |= dict(found.named_parameters())
    assert expected.keys() == state.keys()
    assert all(torch.equal(state[key], expected[key]) for key in expected)
    assert sum(p.numel() for p in found.parameters()) < sum(p.numel() for p in once.parameters())
    image = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(found(image), twice(image))


def test_positions_are_those_of_the_first_plan() -> None:
    first = Plan((("a", 0, np.array([1, 3, 5, 7])), ("a", 1, np.array([0]))), (("m", "groups", None, 4),), ())
    second = Plan((("a", 0, np.array([0, 2])), ("b", 0, np.array([1]))), (("m", "groups", None, 2),), (("i", _of(3)),))
    found = compose(first, second)
    assert {(name, dim): rows.tolist() for name, dim, rows in found.slices} == {
        ("a", 0): [1, 5],
        ("a", 1): [0],
        ("b", 0): [1],
    }
    assert found.attributes == (("m", "groups", None, 2),)
    assert [(name, values.tolist()) for name, values in found.indexes] == [("i", [3])]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"slices": [["a", 0, [1, 1]]]}, "do not rise"),
        ({"slices": [["a", 0, [3, 2]]]}, "do not rise"),
        ({"slices": [["a", 0, [-1, 2]]]}, "do not rise"),
        ({"slices": [["a", 0, []]]}, "do not rise"),
        ({"attributes": [["m", "forward", None, 1]]}, "unknown attributes"),
    ],
)
def test_what_no_surgery_writes_is_refused(part: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        plan_from_dict({"slices": [], "attributes": [], "indexes": [], **part})


def test_an_index_never_grows() -> None:
    network = build_model("cifar_resnet8", 10)
    buffer = next(name for name, _ in network.named_buffers() if name.endswith(".index"))
    with pytest.raises(legr.TraceError, match="cannot get 1000"):
        apply_plan(network, Plan((), (), ((buffer, np.zeros(1000, dtype=np.int32)),)))


def _of(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)
