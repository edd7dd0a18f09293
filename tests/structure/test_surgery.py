"""What is cut, what stays shared, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import legr
from legr.models.zoo import build_model
from legr.structure.surgery import apply_plan, plan
from tests.nets import Chain, DepthwiseConcat, Shared, example, make


def keep_without(structure: legr.Structure, *units: int) -> legr.Keep:
    kept = np.ones(structure.n_units, dtype=bool)
    kept[list(units)] = False
    return legr.Keep(kept)


def test_weights_are_those_of_the_kept_channels() -> None:
    model = make(Chain)
    structure = legr.trace(model, example())
    smaller = legr.prune(model, structure, keep_without(structure, 2, 9))  # channel 2 of conv1, channel 1 of conv2
    rows, columns = [0, *range(2, 12)], [0, 1, *range(3, 8)]
    assert torch.equal(smaller.conv2.weight, model.conv2.weight[rows][:, columns])
    assert torch.equal(smaller.bn1.running_mean, model.bn1.running_mean[columns])
    assert (smaller.conv2.in_channels, smaller.conv2.out_channels, smaller.bn1.num_features) == (7, 11, 7)
    assert smaller.fc1.in_features == 11 * 9
    assert model.conv2.weight.shape == (12, 8, 3, 3)


def test_depthwise_layers_lose_whole_groups() -> None:
    model = make(DepthwiseConcat)
    structure = legr.trace(model, example())
    smaller = legr.prune(model, structure, keep_without(structure, 0, 3))
    assert (smaller.depthwise.groups, smaller.depthwise.in_channels, smaller.depthwise.out_channels) == (4, 4, 8)
    assert smaller(example()).shape == (1, 4)


def test_ties_survive_and_modes_are_kept() -> None:
    model = make(Shared).train()
    structure = legr.trace(model, example())
    smaller = legr.prune(model, structure, keep_without(structure, 1, 5))
    assert smaller.left.weight is smaller.right.weight
    assert smaller.training
    assert smaller.left.weight.requires_grad


def test_a_shortcut_forgets_a_source_or_an_entry() -> None:
    model = build_model("cifar_resnet8", 10)
    structure = legr.trace(model, torch.zeros(1, 3, 32, 32))
    source = structure.axis_of["conv1.weight", 0].labels[3] - 1
    smaller = legr.prune(model, structure, keep_without(structure, source))
    index = smaller.layer2[0].shortcut.index.tolist()
    assert index == [0] * 8 + [1, 2, 3, 0, *range(4, 16)] + [0] * 8  # the entry stays, and shows the blank channel
    target = structure.axis_of["layer2.0.conv2.weight", 0].labels[8] - 1
    smaller = legr.prune(model, structure, keep_without(structure, target))
    assert smaller.layer2[0].shortcut.index.tolist() == [0] * 8 + list(range(2, 17)) + [0] * 8


def test_a_plan_rebuilds_the_network_without_the_structure() -> None:
    model = build_model("cifar_resnet8", 10)
    structure = legr.trace(model, torch.zeros(1, 3, 32, 32))
    keep = legr.Keep(np.random.default_rng(0).random(structure.n_units) < 0.7)
    expected, rebuilt = legr.prune(model, structure, keep), build_model("cifar_resnet8", 10)
    apply_plan(rebuilt, plan(model, structure, keep))
    image = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(expected(image), rebuilt(image))


def test_a_keep_of_another_network_is_refused() -> None:
    model = make(Chain)
    structure = legr.trace(model, example())
    with pytest.raises(legr.TraceError, match="must cover the 30 units"):
        legr.prune(model, structure, legr.Keep(np.ones(3, dtype=bool)))
    with pytest.raises(legr.TraceError, match="not the one this structure was traced from"):
        legr.prune(make(Shared), structure, keep_without(structure, 0))


class Gain(nn.Module):
    """Keeps what it derives from a parameter until it is in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.kept = nn.Parameter(torch.arange(16.0) + 1), None

    def train(self, mode: bool = True) -> "Gain":
        self.kept = None if mode else self.kept
        return super().train(mode)

    def forward(self, x: Tensor) -> Tensor:
        if self.training or self.kept is None:
            self.kept = self.weight.view(1, -1, 1, 1) * 2
        return x * self.kept


@pytest.mark.parametrize("training", [False, True])
def test_what_a_module_derived_from_the_larger_parameters_is_forgotten(training: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 1), Gain(), nn.BatchNorm2d(16), nn.Conv2d(16, 4, 1)).train(training)
    model[2].eval()  # a frozen norm stays frozen
    image = torch.randn(2, 3, 8, 8)
    structure = legr.trace(model, image)
    model(image)
    smaller = legr.prune(model, structure, keep_without(structure, 0, 5))
    assert [module.training for module in smaller] == [training, training, False, training]
    with torch.no_grad():
        for tensor in (model[0].weight, model[0].bias, model[2].weight, model[2].bias):
            tensor[[0, 5]] = 0
        assert torch.allclose(smaller(image), model(image), atol=1e-5)


def test_a_network_that_refuses_to_be_trained_is_pruned() -> None:
    class Deployed(nn.Sequential):
        def train(self, mode: bool = True) -> nn.Module:
            if mode:
                raise RuntimeError("for evaluation alone")
            return super().train(mode)

    model, image = Deployed(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3)).eval(), torch.zeros(1, 3, 8, 8)
    structure = legr.trace(model, image)
    assert structure.n_units == 8
    assert legr.verify(model, structure, image) < 1e-12


@pytest.mark.parametrize(
    "changed",
    [
        {"module": "conv9"},
        {"name": "no_such"},
        {"name": "weight"},
        {"name": "forward"},
        {"name": "kernel_size", "place": 7},
        {"place": 0},
    ],
)
def test_counts_of_another_network_are_refused(changed: dict[str, object]) -> None:
    model = make(Chain)
    structure = legr.trace(model, example())
    first, *others = structure.attributes
    other = replace(structure, attributes=(replace(first, **changed), *others))  # type: ignore[arg-type]
    with pytest.raises(legr.TraceError, match=r"the model counts nothing in .*not the one that was traced"):
        legr.prune(model, other, keep_without(structure, 2))


def test_an_axis_that_is_named_twice_is_refused() -> None:
    model = make(Chain)
    structure = legr.trace(model, example())
    twice = replace(structure, axes=(*structure.axes, structure.axes[0]))
    with pytest.raises(legr.TraceError, match="fewer entries along dim 0 than are to stay"):
        legr.prune(model, twice, keep_without(structure, 2))
