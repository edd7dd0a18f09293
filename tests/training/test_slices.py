"""A slice computes what the pruned network by itself computes, forward and backward; gradients of slices add up."""

import copy

import pytest
import torch
from torch import Tensor, nn

from legr import BudgetCurve, filter_norms, prune, rank, trace
from legr.models.zoo import build_model
from legr.ranking.constraints import Constraints
from legr.ranking.order import Ranker
from legr.structure.surgery import plan
from legr.structure.types import Keep, Structure
from legr.training import slices as slices_module
from legr.training.slices import Slices, network_with
from tests.nets import Chain, DepthwiseConcat, PaddedShortcut, Residual, Shared, Sliced, example, make

KINDS = [Chain, Residual, PaddedShortcut, DepthwiseConcat, Sliced, Shared]


def traced(kind: type[nn.Module]) -> tuple[nn.Module, Structure, BudgetCurve]:
    model = make(kind).train()
    structure = trace(model, example())
    return model, structure, BudgetCurve(structure, rank(structure, filter_norms(model, structure)))


def gradients(network: nn.Module) -> dict[str, Tensor]:
    found = {name: parameter.grad for name, parameter in network.named_parameters()}
    assert all(grad is not None for grad in found.values())
    return {name: grad for name, grad in found.items() if grad is not None}


def put_back(grads: dict[str, Tensor], model: nn.Module, structure: Structure, keep: Keep) -> dict[str, Tensor]:
    """Gradients of a pruned network where its weights lie in the whole one, by the masks of the structure."""
    masks = {name: torch.ones_like(p, dtype=torch.bool) for name, p in model.named_parameters()}
    for axis in structure.axes:
        if axis.parameter in masks:
            mask = masks[axis.parameter]
            shape = [1] * mask.dim()
            shape[axis.dim] = -1
            mask &= torch.from_numpy(keep.kept(axis.labels)).view(shape)
    return {
        name: torch.zeros_like(parameter).masked_scatter_(masks[name], grads[name])
        for name, parameter in model.named_parameters()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_slice_is_the_pruned_network(kind: type[nn.Module]) -> None:
    model, structure, curve = traced(kind)
    model, made = model.double(), None
    made, parameters = Slices(model, structure), dict(model.named_parameters())
    expected: dict[str, Tensor] = {name: torch.zeros_like(p) for name, p in parameters.items()}
    inputs = torch.randn(4, *example().shape[1:], dtype=torch.float64)
    for share in (1.0, 0.8, 0.5):
        keep = curve.at(macs=max(share, curve.floor))
        pruned = prune(model, structure, keep).train()
        wanted = pruned(inputs)
        wanted.square().sum().backward()
        outputs = made.at(keep)(parameters, inputs)
        torch.testing.assert_close(outputs, wanted, rtol=1e-12, atol=1e-12)
        outputs.square().sum().backward()  # type: ignore[union-attr]
        for name, grad in put_back(gradients(pruned), model, structure, keep).items():
            expected[name] += grad
    for name, grad in gradients(model).items():
        torch.testing.assert_close(grad, expected[name], rtol=1e-10, atol=1e-12, msg=name)


def test_blocks_that_leave_get_no_gradient() -> None:
    torch.manual_seed(0)
    model = build_model("cifar_resnet8", 10).double().train()
    structure = trace(model, torch.zeros(1, 3, 32, 32, dtype=torch.float64))
    ranker = Ranker(structure, filter_norms(model, structure))
    curve = BudgetCurve(structure, ranker.rank(constraints=Constraints(multiple=8, blocks=True)))
    keep = curve.keep(-1)
    gone = plan(model, structure, keep).removed
    assert gone  # a block left
    inputs = torch.randn(4, 3, 32, 32, dtype=torch.float64)
    outputs = Slices(model, structure).at(keep)(dict(model.named_parameters()), inputs)
    torch.testing.assert_close(outputs, prune(model, structure, keep).train()(inputs), rtol=1e-12, atol=1e-12)
    outputs.sum().backward()  # type: ignore[union-attr]
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without and all(any(name.startswith(path + ".") for path, *_ in gone) for name in without)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v3_small",
        "regnet_y_400mf",
        *(
            pytest.param(name, marks=pytest.mark.thorough)
            for name in ("shufflenet_v2_x0_5", "densenet121", "convnext_tiny")
        ),
    ],
)
def test_slices_of_library_networks_are_the_pruned_networks(name: str) -> None:
    torch.manual_seed(0)
    model = build_model(name, 10).eval()
    structure = trace(model, torch.zeros(1, 3, 64, 64))
    ranker = Ranker(structure, filter_norms(model, structure))
    curve = BudgetCurve(structure, ranker.rank(constraints=Constraints(multiple=4, blocks=bool(structure.branches))))
    made, inputs = Slices(model, structure), torch.randn(2, 3, 64, 64)
    for share in (0.8, 0.4):
        keep = curve.at(macs=share)
        found = made.at(keep)
        found.module.eval()  # no stochastic depth
        with torch.no_grad():
            outputs, expected = found(dict(model.named_parameters()), inputs), prune(model, structure, keep)(inputs)
        torch.testing.assert_close(outputs, expected)


def test_a_slice_is_made_once_and_the_longest_unused_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices_module, "MOST", 2)
    model, structure, curve = traced(Chain)
    made = Slices(model, structure)
    first, second, third = (curve.keep(step) for step in (0, 1, 2))
    one = made.at(first)
    two = made.at(second)
    assert made.at(first) is one
    made.at(third)
    assert made.at(first) is one and made.at(second) is not two


def test_a_network_by_itself_has_the_values_and_leaves_the_whole_as_it_is() -> None:
    model, structure, curve = traced(Residual)
    before = copy.deepcopy(model.state_dict())
    other = {name: torch.randn_like(p) for name, p in model.named_parameters()}
    keep = curve.at(macs=max(0.5, curve.floor))
    network = network_with(model, structure, keep, other)
    expected = copy.deepcopy(model)
    expected.load_state_dict(other, strict=False)
    for (name, a), b in zip(
        network.state_dict().items(), prune(expected, structure, keep).state_dict().values(), strict=True
    ):
        assert torch.equal(a, b), name
    assert not network.training and model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
