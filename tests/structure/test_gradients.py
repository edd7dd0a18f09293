"""The proof covers a step of training: what a forward does for gradients alone has to fit fewer channels as well."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import legr

IMAGE = torch.zeros(2, 3, 16, 16)


class Net(nn.Module):
    def __init__(self, between: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 24, 3, 2, 1), nn.Linear(24, 4)
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(self.b(self.between(self.a(x))).relu().mean((2, 3)))
        return result


class Clamped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradients[0] * (x > 0) * torch.ones(1, 16, 1, 1)


def clamped(x: Tensor) -> Tensor:
    result: Tensor = Clamped.apply(x)
    return result


def hooked(x: Tensor) -> Tensor:
    if x.requires_grad:
        x.register_hook(lambda gradient: gradient * torch.ones(1, 16, 1, 1))
    return x.relu()


def scaled_where_it_learns(x: Tensor) -> Tensor:
    return x * torch.linspace(0, 1, 16).view(1, 16, 1, 1)[:, : x.shape[1]] if x.requires_grad else x


def checkpointed(x: Tensor) -> Tensor:
    result: Tensor = checkpoint(torch.relu, x, use_reentrant=False)
    return result


def noisy(x: Tensor) -> Tensor:
    return nn.functional.dropout(x, training=x.requires_grad)


def detached(x: Tensor) -> Tensor:
    return x.detach().relu()


@pytest.mark.parametrize("between", [clamped, hooked, scaled_where_it_learns])
def test_a_network_that_cannot_learn_once_pruned_is_refused(between: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    model = Net(between)
    with pytest.raises(legr.VerificationError, match="gradients"):
        legr.verify(model, legr.trace(model, IMAGE), IMAGE)


@pytest.mark.parametrize("between", [torch.relu, checkpointed, noisy, detached])
def test_a_network_that_learns_is_proved_and_gets_no_gradients(between: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    model = Net(between)
    structure = legr.trace(model, IMAGE)
    assert structure.n_units == 40
    assert legr.verify(model, structure, IMAGE) < 1e-12
    assert all(parameter.grad is None for parameter in model.parameters())


class Passing(torch.autograd.Function):
    """A ReLU whose gradient a function of one's own may change."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.change = change
        ctx.save_for_backward(x)
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return ctx.change(gradients[0]) * (x > 0), None


def changing(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def between(x: Tensor) -> Tensor:
        result: Tensor = Passing.apply(x, change)
        return result

    return between


def freezing_by_hook(x: Tensor) -> Tensor:
    if x.requires_grad:
        x.register_hook(lambda gradient: torch.cat((0 * gradient[:, :4], gradient[:, 4:]), 1))
    return x.relu()


class InTraining(nn.Module):
    """What only training does, between two dropouts."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x.relu()
        x = nn.functional.dropout2d(x)
        return nn.functional.dropout(changing(lambda gradient: gradient.roll(1, 1))(x))


class Normed(nn.Module):
    """Behind a norm over channels, whose statistics are left out of the proof."""

    def __init__(self, after: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.norm, self.after = nn.LayerNorm(16), after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.norm(x.movedim(1, -1)).movedim(-1, 1))


OF_ONE_WIDTH: dict[str, Callable[[Tensor], Tensor]] = {
    "a constant cut to size": changing(lambda g: g * torch.linspace(0, 1, 16).view(1, 16, 1, 1)[:, : g.shape[1]]),
    "centred over channels": changing(lambda g: g - g.mean(1, keepdim=True)),
    "those of the channel before": changing(lambda g: g.roll(1, 1)),
    "the first channels by a hook": freezing_by_hook,
    "in training between dropouts": InTraining(),
    "behind an exempt norm": Normed(changing(lambda g: g.roll(1, 1))),
}


@pytest.mark.parametrize("name", OF_ONE_WIDTH)
def test_a_backward_pass_that_is_another_once_pruned_is_refused(name: str) -> None:
    torch.manual_seed(0)
    model = Net(OF_ONE_WIDTH[name])
    with pytest.raises(legr.VerificationError, match=r"the gradients of a.weight differ by .* refused"):
        legr.verify(model, legr.trace(model, IMAGE), IMAGE)


class Rounded(nn.Module):
    """Quantised with a step that is learned; rounding passes gradients on."""

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Parameter(torch.tensor(0.1))

    def forward(self, x: Tensor) -> Tensor:
        x = x / self.step
        return (x + (x.round() - x).detach()) * self.step


class LearnedStep(torch.autograd.Function):
    """Learned step size quantization (Esser et al., ICLR 2020): its step learns at a rate by the number of weights."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, size: Tensor) -> Tensor:
        ctx.save_for_backward(weight, size)
        return (weight / size).round() * size

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        weight, size = ctx.saved_tensors
        rounding = (weight / size).round() - weight / size
        return gradients[0], (gradients[0] * rounding).sum().reshape(size.shape) / weight.numel() ** 0.5


class WithLearnedStep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.size = nn.Parameter(torch.tensor(0.1))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = LearnedStep.apply(x, self.size)
        return result


OF_ANY_WIDTH: dict[str, Callable[[Tensor], Tensor]] = {
    "reversed": changing(torch.neg),
    "of length 1": changing(lambda gradient: gradient / gradient.norm()),
    "clipped": changing(lambda gradient: gradient.clamp(-1e-3, 1e-3)),
    "divided by the number of channels": changing(lambda gradient: gradient / gradient.shape[1]),
    "a rate by the number of elements": WithLearnedStep(),
    "divided by the number of positions": changing(lambda gradient: gradient / gradient[0, 0].numel()),
    "rounded": Rounded(),
    "infinite at 0": lambda x: x.relu().sqrt(),
    "a gate over the sum of channels": lambda x: x * x.abs().sum(1, keepdim=True),
    "rounding alone, before a batch norm": nn.Sequential(nn.BatchNorm2d(16), nn.ReLU6(), nn.Dropout2d()),
    "noise": nn.RReLU(),
    "behind an exempt norm": Normed(torch.relu),
    "behind another one": nn.Sequential(nn.GroupNorm(1, 16), nn.ReLU()),
    "drawn for every sample": lambda x: x * torch.rand(len(x), 1, 1, 1),
}


@pytest.mark.parametrize("name", OF_ANY_WIDTH)
def test_a_backward_pass_that_stays_the_same_is_proved(name: str) -> None:
    torch.manual_seed(0)
    model = Net(OF_ANY_WIDTH[name])
    structure = legr.trace(model, IMAGE)
    assert structure.n_units == 40
    assert legr.verify(model, structure, IMAGE) < 1e-12


def test_a_batch_norm_that_is_read_as_tokens_is_proved() -> None:
    """PyTorch 2.14 computes wrong gradients there, for a batch of one."""

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.bn = nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16)
            self.b, self.head = nn.Linear(16, 24), nn.Linear(24, 4)

        def forward(self, x: Tensor) -> Tensor:
            tokens = self.bn(self.a(x)).flatten(2).mT.contiguous().sigmoid()
            result: Tensor = self.head(self.b(tokens).relu().mean(1))
            return result

    torch.manual_seed(0)
    model = Tokens()
    structure = legr.trace(model, IMAGE[:1])
    assert structure.n_units == 40
    assert legr.verify(model, structure, IMAGE[:1]) < 1e-12


def test_no_other_seed_is_tried_where_zeroed_and_removed_agree() -> None:
    runs = []

    def between(x: Tensor) -> Tensor:
        runs.append(x.requires_grad)
        return x.relu()

    torch.manual_seed(0)
    model = Net(between)
    assert legr.verify(model, legr.trace(model, IMAGE), IMAGE) < 1e-12
    assert sum(runs) == 4  # zeroed and removed, in both modes


def test_a_network_that_never_learns_is_proved() -> None:
    def no_backward(x: Tensor) -> Tensor:
        if x.requires_grad:
            raise RuntimeError("for evaluation alone")
        return x

    model = Net(no_backward)
    assert legr.verify(model, legr.trace(model, IMAGE), IMAGE) < 1e-12


def test_a_running_mean_that_keeps_its_graph_is_no_obstacle() -> None:
    class Running(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.zeros(16))

        def forward(self, x: Tensor) -> Tensor:
            if self.training:
                self.mean.mul_(0.9).add_(0.1 * x.mean((0, 2, 3)))
            return x - self.mean.detach().clone().view(1, -1, 1, 1)

    torch.manual_seed(0)
    model = Net(Running())
    assert legr.verify(model, legr.trace(model, IMAGE), IMAGE) < 1e-12
