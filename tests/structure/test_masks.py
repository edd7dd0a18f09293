"""Networks whose weights are masked by `torch.nn.utils.prune`: the mask loses what the weight loses."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune as masks

import legr


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 24, 3, 2, 1, groups=2), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4)),
    )


IMAGE = torch.zeros(1, 3, 32, 32)


@pytest.mark.parametrize("several", [False, True])
def test_a_masked_network_is_pruned_as_one_without_masks(several: bool) -> None:
    plain, model = network(), network()
    for layer in (model[0], model[3], model[7]):
        masks.l1_unstructured(layer, "weight", 0.5)
        if several:
            masks.ln_structured(layer, "weight", 0.25, n=2, dim=0)
    masks.random_unstructured(model[0], "bias", 0.5)
    structure = legr.trace(model, IMAGE)
    assert structure.n_units == legr.trace(plain, IMAGE).n_units > 0
    assert legr.verify(model, structure, IMAGE) < 1e-12
    keep = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure))).at(macs=0.5)
    smaller = legr.prune(model, structure, keep)
    weight, mask = smaller[0].get_parameter("weight_orig"), smaller[0].get_buffer("weight_mask")
    assert weight.shape == mask.shape and weight.shape[0] < 16
    smaller(torch.randn(2, 3, 32, 32)).sum().backward()  # it trains on, masked
    assert isinstance(weight.grad, Tensor) and not weight.grad[mask == 0].any()
    masks.remove(smaller[0], "weight")
    assert smaller(IMAGE).shape == (1, 4)


def test_the_norm_of_a_filter_is_that_of_the_masked_one() -> None:
    model = network()
    masks.l1_unstructured(model[0], "weight", 0.5)
    structure = legr.trace(model, IMAGE)
    masked = model[0].weight.detach().double().square().sum((1, 2, 3))
    assert torch.allclose(torch.from_numpy(legr.filter_norms(model, structure).values[0]), masked)


def test_a_mask_that_is_used_otherwise_too_is_no_mask() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 16, 1), nn.Conv2d(16, 4, 1)
            self.register_buffer("mask", torch.ones(16, 3, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            x = nn.functional.conv2d(x, self.a.weight * self.mask, self.a.bias).relu()
            return self.b(x) * self.mask.sum()

    structure = legr.trace(Net(), IMAGE)
    assert legr.verify(Net(), structure, IMAGE) < 1e-9
