"""Narrow batch norms in wide rows: the numbers are those of a batch norm in float64, to what the type can hold."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v2  # type: ignore[import-untyped]

from legr import BudgetCurve, filter_norms, prune, rank, trace
from legr.training.fast_batch_norm import WIDE, fast_batch_norm

BF16 = 2.0**-8  # relative distance of two neighbouring numbers
TYPES = {torch.bfloat16: BF16, torch.float32: 4e-6}  # with the largest difference of an output


class Predictions:
    """Output, gradients and statistics of one training step through a batch norm."""

    def __init__(self, norm: nn.BatchNorm2d, x: Tensor, grad: Tensor) -> None:
        x = x.clone(memory_format=torch.preserve_format).requires_grad_()
        y = norm(x)
        self.y = y.detach()
        self.x, self.weight, self.bias = torch.autograd.grad(y, (x, norm.weight, norm.bias), grad)
        assert norm.running_mean is not None and norm.running_var is not None
        self.mean, self.var, self.seen = norm.running_mean, norm.running_var, norm.num_batches_tracked


def norm_of(channels: int) -> nn.BatchNorm2d:
    torch.manual_seed(channels)
    norm = nn.BatchNorm2d(channels, momentum=0.3)
    with torch.no_grad():
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.normal_()
    return norm


def images(channels: int, side: int, dtype: torch.dtype = torch.bfloat16, batch: int = 8) -> tuple[Tensor, Tensor]:
    x, grad = 2 * torch.randn(batch, channels, side, side) + 1, torch.randn(batch, channels, side, side)
    form = torch.channels_last
    return x.to(dtype).contiguous(memory_format=form), grad.to(dtype).contiguous(memory_format=form)


def far(found: Tensor, expected: Tensor) -> float:
    """Largest difference, in units of the largest value."""
    return float((found.double() - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("side", [4, 8, 15])  # 15: no row of 16 pixels comes out even
@pytest.mark.parametrize("channels", range(1, WIDE + 1))
@pytest.mark.parametrize("dtype", TYPES)
def test_a_step_is_that_of_a_batch_norm(dtype: torch.dtype, channels: int, side: int) -> None:
    x, grad = images(channels, side, dtype)
    expected = Predictions(norm_of(channels).double(), x.double(), grad.double())
    norm, distance = norm_of(channels), TYPES[dtype]
    with fast_batch_norm(norm):
        found = Predictions(norm, x, grad)
    assert found.y.dtype == found.x.dtype == dtype
    assert found.y.is_contiguous(memory_format=torch.channels_last)
    assert far(found.y, expected.y) < distance and far(found.x, expected.x) < 2 * distance
    for name in ("weight", "bias", "mean", "var"):
        assert far(getattr(found, name), getattr(expected, name)) < 1e-4, name
    assert found.seen == 1


@pytest.mark.parametrize(("dtype", "distance"), [(torch.bfloat16, BF16), (torch.float32, 2e-4)])
def test_the_mean_of_a_gradient_stays_zero_where_values_are_far_from_zero(dtype: torch.dtype, distance: float) -> None:
    x, grad = images(5, 16, dtype)
    x = (x.float() * 0.01 + 3).to(dtype).contiguous(memory_format=torch.channels_last)
    expected, norm = Predictions(norm_of(5).double(), x.double(), grad.double()), norm_of(5)
    with fast_batch_norm(norm):
        found = Predictions(norm, x, grad)
    assert far(found.y, expected.y) < 2 * distance and far(found.x, expected.x) < 2 * distance


@pytest.mark.parametrize("why", ["float64", "channels first", "evaluation", "wide"])
def test_everything_else_goes_the_usual_way(why: str) -> None:
    channels = WIDE if why == "wide" else 6
    x, _ = images(channels, 8)
    x = x.double() if why == "float64" else x.contiguous() if why == "channels first" else x
    norm = norm_of(channels).train(why != "evaluation").to(torch.float64 if why == "float64" else torch.float32)
    usual = copy.deepcopy(norm)
    with fast_batch_norm(norm):
        assert torch.equal(norm(x), usual(x))
    assert torch.equal(norm.state_dict()["running_var"], usual.state_dict()["running_var"])


def test_modules_are_their_own_again_whatever_happens() -> None:
    network = nn.Sequential(norm_of(4), nn.BatchNorm2d(4, affine=False), norm_of(WIDE))
    with pytest.raises(KeyboardInterrupt), fast_batch_norm(network):
        assert [type(module) is nn.BatchNorm2d for module in network] == [False, True, True]
        raise KeyboardInterrupt
    assert all(type(module) is nn.BatchNorm2d for module in network)


@pytest.mark.parametrize("channels", [1, 7])
def test_operations_in_place_may_follow(channels: int) -> None:
    x, grad = images(channels, 8)
    norm, usual = norm_of(channels), norm_of(channels)
    with fast_batch_norm(norm):
        first = norm(x.requires_grad_())
        first += x
        found = torch.autograd.grad(nn.ReLU(inplace=True)(first), norm.weight, grad)[0]
    expected = torch.autograd.grad((usual(x) + x).relu(), usual.weight, grad)[0]
    assert far(found, expected.double()) < 0.02


@pytest.mark.slow
def test_a_pruned_network_with_operations_in_place_trains() -> None:
    network, example = mobilenet_v2(num_classes=10), torch.zeros(1, 3, 64, 64)
    structure = trace(network, example)
    keep = BudgetCurve(structure, rank(structure, filter_norms(network, structure))).at(macs=0.1)
    narrow = prune(network, structure, keep).train()
    assert any(isinstance(m, nn.BatchNorm2d) and m.num_features < WIDE for m in narrow.modules())
    with fast_batch_norm(narrow), torch.autocast("cpu", torch.bfloat16):
        narrow(torch.randn(8, 3, 64, 64).contiguous(memory_format=torch.channels_last)).sum().backward()
    assert all(parameter.grad is not None for parameter in narrow.parameters())
