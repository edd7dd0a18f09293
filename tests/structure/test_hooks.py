"""The proof runs a step of training with the gradient hooks that a pruned network keeps, and leaves nothing in them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import legr

IMAGE = torch.zeros(2, 3, 8, 8)
Hook = Callable[..., Any]


class Net(nn.Module):
    """16 + 24 units."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 24, 3, 2, 1), nn.Linear(24, 4)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(self.b(self.a(x).relu()).relu().mean((2, 3)))
        return result

    def decayed(self, gradient: Tensor) -> Tensor:
        return gradient + 0.1 * self.a.weight.detach()


class Counting:
    """A hook that counts, and fills a mask as soon as it sees a gradient."""

    def __init__(self) -> None:
        self.calls, self.mask = 0, torch.zeros(0)

    def __call__(self, gradient: Tensor) -> Tensor:
        self.calls += 1
        self.mask = self.mask if len(self.mask) else torch.ones_like(gradient)
        return gradient * self.mask


def averaging(state: dict[str, Tensor]) -> Hook:
    def hook(gradient: Tensor) -> Tensor:
        state["average"] = 0.9 * state.get("average", torch.zeros_like(gradient)) + 0.1 * gradient
        return state["average"]

    return hook


def masking(mask: Tensor) -> Hook:
    return lambda gradient: gradient * mask


def stopping(gradient: Tensor) -> Tensor:
    return torch.cat((0 * gradient[:4], gradient[4:]))


def of_filters(parameter: Tensor) -> None:
    assert parameter.grad is not None
    parameter.grad.mul_(torch.ones(16, 1, 1, 1))


def of_module(module: nn.Module, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> tuple[Tensor]:
    return (inputs[0] * torch.ones(1, 16, 1, 1),)


def before_module(module: nn.Module, outputs: tuple[Tensor, ...]) -> tuple[Tensor]:
    return (outputs[0] * torch.ones(1, 24, 1, 1),)


def frozen(model: Net) -> None:
    model.a.weight.register_hook(lambda gradient: gradient * torch.ones(16, 1, 1, 1))
    model.a.weight.requires_grad_(False)


OF_ONE_WIDTH: dict[str, tuple[Callable[[Net], Any], str]] = {
    "a mask that it holds": (lambda m: m.a.weight.register_hook(masking(torch.ones(16, 1, 1, 1))), "a.weight holds"),
    "a constant in its code": (lambda m: m.a.bias.register_hook(lambda g: g * torch.ones(16)), "a.bias: The"),
    "of inputs": (lambda m: m.head.weight.register_hook(lambda g: g * torch.ones(24)), "head.weight: The"),
    "after accumulation": (
        lambda m: m.a.weight.register_post_accumulate_grad_hook(of_filters),
        "a.weight: The",
    ),
    "of a frozen weight": (frozen, "a.weight: The"),
    "of a module": (lambda m: m.b.register_full_backward_hook(of_module), "b: The"),
    "before a module": (lambda m: m.b.register_full_backward_pre_hook(before_module), "b: The"),
    "the first filters": (lambda m: m.a.weight.register_hook(stopping), "a.weight treats channels by their number"),
}


@pytest.mark.parametrize("name", OF_ONE_WIDTH)
def test_a_hook_for_one_number_of_channels_is_refused_and_named(name: str) -> None:
    register, message = OF_ONE_WIDTH[name]
    model = Net()
    structure = legr.trace(model, IMAGE)
    register(model)
    with pytest.raises(legr.VerificationError, match=f"a gradient hook of {message}"):
        legr.verify(model, structure, IMAGE)


def test_a_hook_that_holds_a_part_of_the_model_is_refused_before_anything_is_proved() -> None:
    model = Net()
    structure = legr.trace(model, IMAGE)
    model.a.weight.register_hook(lambda gradient: gradient + model.a.weight.detach())
    with pytest.raises(legr.TraceError, match=r"a gradient hook of a.weight holds a part of the model"):
        legr.verify(model, structure, IMAGE)


def fails(gradient: Tensor) -> Tensor:
    raise RuntimeError("there is one process alone")


OF_ANY_WIDTH: dict[str, Callable[[Net], Any]] = {
    "scaled": lambda model: model.a.weight.register_hook(lambda g: 2 * g),
    "in place": lambda model: model.a.weight.register_hook(lambda g: g.mul_(2)),
    "of mean 0": lambda model: model.b.weight.register_hook(lambda g: g - g.mean((1, 2, 3), keepdim=True)),
    "of length 1": lambda model: model.b.weight.register_hook(lambda g: g / g.norm()),
    "noise": lambda model: model.a.weight.register_hook(lambda g: g + torch.randn_like(g)),
    "weight decay": lambda model: model.a.weight.register_hook(model.decayed),
    "of a fixed axis": lambda model: model.head.weight.register_hook(lambda g: g * torch.arange(4.0)[:, None].to(g)),
    "of a module": lambda model: model.b.register_full_backward_hook(lambda module, inputs, outputs: inputs),
    "that fails anyway": lambda model: model.a.weight.register_hook(fails),
}


@pytest.mark.parametrize("name", OF_ANY_WIDTH)
def test_a_hook_that_fits_every_number_of_channels_is_proved(name: str) -> None:
    model = Net()
    OF_ANY_WIDTH[name](model)
    structure = legr.trace(model, IMAGE)
    assert structure.n_units == 40
    assert legr.verify(model, structure, IMAGE) < 1e-12


def test_what_hooks_hold_stays_as_it_was() -> None:
    model, counting, seen = Net(), Counting(), list[torch.Size]()
    state: dict[str, Tensor] = {}
    model.a.weight.register_hook(counting)
    model.b.weight.register_hook(averaging(state))
    model.head.register_full_backward_hook(lambda module, inputs, outputs: seen.append(outputs[0].shape))
    structure = legr.trace(model, IMAGE)
    assert legr.verify(model, structure, IMAGE) < 1e-12
    assert not seen and not state and counting.calls == 0 and not len(counting.mask)
    model(torch.randn(2, 3, 8, 8)).sum().backward()
    assert len(seen) == 1 and state["average"].shape == model.b.weight.shape and counting.calls == 1
