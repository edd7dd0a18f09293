"""What parameters carry survives surgery: memory layout, class, attributes, hooks, references; or it is refused."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import legr
from legr.structure.surgery import apply_plan, plan
from tests.nets import example

Hook = Callable[..., Any]


class Marked(nn.Parameter):
    """A class of one's own."""


class Net(nn.Module):
    """8 + 6 units; a parameter in a list and a buffer that is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.deep = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=8)
        self.b, self.head = nn.Conv2d(8, 6, 1), nn.Linear(6, 2)
        self.register_buffer("scale", torch.ones(8, 1, 1), persistent=False)
        self.factor, self.listed = 2.0, [self.a.weight]

    def double(self, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return self.factor * gradient

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.b(self.deep(self.a(x)) * self.scale)).relu().mean((2, 3)))


@pytest.fixture(scope="module")
def structure() -> legr.Structure:
    return legr.trace(Net(), example())


def half(structure: legr.Structure) -> legr.Keep:
    return legr.Keep(np.arange(structure.n_units) % 2 == 0)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_memory_layout(structure: legr.Structure, layout: torch.memory_format) -> None:
    model = Net().to(memory_format=layout)
    smaller = legr.prune(model, structure, half(structure))
    for name, parameter in smaller.named_parameters():
        if parameter.dim() == 4:
            assert parameter.stride() == torch.empty(parameter.shape).to(memory_format=layout).stride(), name


def test_memory_layout_in_three_dimensions() -> None:
    model = nn.Sequential(nn.Conv3d(1, 8, 3), nn.ReLU(), nn.Conv3d(8, 2, 3)).to(memory_format=torch.channels_last_3d)
    structure = legr.trace(model, torch.zeros(1, 1, 6, 6, 6))
    smaller = legr.prune(model, structure, half(structure))
    assert smaller[2].weight.shape == (2, 4, 3, 3, 3)
    assert smaller[2].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert not smaller[2].weight.is_contiguous()


@pytest.mark.parametrize("in_place", [False, True])
def test_class_attributes_and_settings(structure: legr.Structure, in_place: bool) -> None:
    model = Net()
    model.b.weight = Marked(model.b.weight.detach())
    model.a.weight.no_weight_decay = model.head.weight.no_weight_decay = True  # one that is cut, one of another layer
    model.a.bias.group = {"lr": 0.1}
    model.a.bias.requires_grad_(False)
    model.scale.unit = "dB"
    smaller, keep = Net(), half(structure)
    if in_place:
        apply_plan(smaller := model, plan(model, structure, keep))
    else:
        smaller = legr.prune(model, structure, keep)
    assert type(smaller.b.weight) is Marked and smaller.b.weight.shape == (3, 4, 1, 1)
    assert smaller.a.weight.no_weight_decay and smaller.head.weight.no_weight_decay
    assert smaller.a.bias.group == {"lr": 0.1} and not smaller.a.bias.requires_grad and smaller.a.weight.requires_grad
    assert smaller.scale.unit == "dB" and smaller.scale.shape == (4, 1, 1)
    assert "scale" not in smaller.state_dict()


def test_whatever_refers_to_a_parameter_refers_to_the_smaller_one(structure: legr.Structure) -> None:
    model = Net()
    smaller = legr.prune(model, structure, half(structure))
    assert smaller.listed[0] is smaller.a.weight and model.listed[0] is model.a.weight


def test_gradients_are_left_behind(structure: legr.Structure) -> None:
    model = Net()
    model(torch.randn(1, 3, 8, 8)).sum().backward()
    assert all(p.grad is None for p in legr.prune(model, structure, half(structure)).parameters())


def test_hooks_run_on_the_pruned_network(structure: legr.Structure) -> None:
    torch.manual_seed(0)
    model, seen = Net(), []
    model.head.weight.register_hook(lambda gradient: gradient * 0)
    model.a.weight.register_hook(model.double)  # bound to the model: the copy's is bound to the copy
    model.b.weight.register_post_accumulate_grad_hook(lambda parameter: seen.append(tuple(parameter.shape)))
    model.a.bias.register_hook(lambda gradient: gradient * 0)
    model.a.bias.requires_grad_(False)
    smaller = legr.prune(model, structure, half(structure))
    smaller.factor = 0.0
    smaller.a.bias.requires_grad_(True)
    smaller(torch.randn(2, 3, 8, 8)).sum().backward()
    assert seen == [(3, 4, 1, 1)]
    for parameter in (smaller.head.weight, smaller.a.weight, smaller.a.bias):
        assert not parameter.grad.any()
    assert smaller.b.weight.grad.any()


class Masking:
    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def __call__(self, gradient: Tensor) -> Tensor:
        return gradient * self.mask


def masking(mask: Tensor) -> Hook:
    return lambda gradient: gradient * mask


def looking_up(table: dict[Tensor, str]) -> Hook:
    return lambda gradient: gradient if table else 0 * gradient


FITS_ONE_MODEL: dict[str, Callable[[Net], Hook]] = {
    "a mask": lambda model: masking(torch.ones_like(model.a.weight)),
    "a mask of filters": lambda model: functools.partial(torch.mul, torch.ones(8, 1, 1, 1)),
    "a mask in an object": lambda model: Masking(torch.ones(8, 1, 1, 1)),
    "another parameter": lambda model: lambda gradient: gradient + model.b.bias.sum(),
    "a table by parameter": lambda model: looking_up({model.a.weight: "optimizer"}),
}


@pytest.mark.parametrize("name", FITS_ONE_MODEL)
def test_a_hook_that_fits_the_old_model_alone_is_refused(structure: legr.Structure, name: str) -> None:
    model = Net()
    model.a.weight.register_hook(FITS_ONE_MODEL[name](model))
    with pytest.raises(legr.TraceError, match=r"a gradient hook of a.weight .* register one on the pruned network"):
        legr.prune(model, structure, half(structure))


def test_a_hook_that_fits_every_size_stays(structure: legr.Structure) -> None:
    model = Net()
    model.a.weight.register_hook(masking(torch.zeros(())))
    model.b.weight.register_hook(masking(torch.zeros(1, 1, 1, 1)))
    smaller = legr.prune(model, structure, half(structure))
    smaller(torch.randn(2, 3, 8, 8)).sum().backward()
    assert not smaller.a.weight.grad.any() and not smaller.b.weight.grad.any()
