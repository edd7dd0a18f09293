"""Zeroed = removed holds in training mode too, with one draw for both; what does not hold there is unprunable."""

import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr

IMAGE = torch.zeros(1, 3, 16, 16)


class Body(nn.Module):
    """conv 3 -> 8, conv 8 -> 8, something, conv 8 -> 6, mean, linear 6 -> 2: 8 + 8 + 6 = 22 units."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.bn = nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8)
        self.b, self.head = nn.Conv2d(8, 6, 3, 2, 1), nn.Linear(6, 2)
        self.same = nn.Conv2d(8, 8, 1)

    def middle(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        x = self.middle(self.same(self.bn(self.a(x)).relu()))
        return self.head(self.b(x).relu().mean((2, 3)))


class Dropped(Body):
    def middle(self, x: Tensor) -> Tensor:
        return F.dropout2d(F.dropout(x, 0.5, self.training), 0.5, self.training)


class StochasticDepth(Body):
    def middle(self, x: Tensor) -> Tensor:
        branch = x.relu()
        return x + (branch * torch.empty(len(x), 1, 1, 1).bernoulli_(0.8) / 0.8 if self.training else branch)


class LayerDrop(Body):
    def middle(self, x: Tensor) -> Tensor:
        return x if self.training and random.random() < 0.5 else x + x.relu()


class Noisy(Body):
    def middle(self, x: Tensor) -> Tensor:
        return x + torch.randn_like(x) * (torch.rand_like(x) > 0.5) if self.training else x


class Statistics(Body):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(1, 8, 1, 1))

    def middle(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen.mul_(0.9).add_(0.1 * x.mean((0, 2, 3), keepdim=True))
        return x


class FollowsShapes(Body):
    def middle(self, x: Tensor) -> Tensor:
        return x * 2 if self.training and len(x) else x


KINDS = (Dropped, StochasticDepth, LayerDrop, Noisy, Statistics, FollowsShapes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_only_training_does_is_proved_as_well(kind: type[Body]) -> None:
    torch.manual_seed(0)
    model = kind()
    structure = legr.trace(model, IMAGE)
    layers = {layer.name: int((layer.labels > 0).sum()) for layer in structure.layers}
    assert layers == {"a": 8, "same": 8, "b": 6}
    assert legr.verify(model, structure, IMAGE) < 1e-12
    every_second = legr.Keep(np.arange(structure.n_units) % 2 == 0)
    smaller = legr.prune(model, structure, every_second).train()
    assert smaller(torch.randn(4, 3, 16, 16)).shape == (4, 2)


class WarmUp(Body):
    """The first channels that stay get the gains of the first channels."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("gain", torch.linspace(0, 1, 8).view(1, 8, 1, 1))

    def middle(self, x: Tensor) -> Tensor:
        return x * self.gain[:, : x.shape[1]] if self.training else x


class FirstHalf(Body):
    def middle(self, x: Tensor) -> Tensor:
        return torch.cat((x[:, :4] * 2, x[:, 4:]), 1) if self.training else x


@pytest.mark.parametrize("kind", [WarmUp, FirstHalf], ids=lambda kind: kind.__name__)
def test_zeroed_is_removed_in_training_mode(kind: type[Body]) -> None:
    torch.manual_seed(0)
    model, images = kind(), torch.randn(4, 3, 16, 16)
    structure = legr.trace(model, IMAGE)
    assert legr.verify(model, structure, IMAGE) < 1e-12
    keep = legr.Keep(np.arange(structure.n_units) % 3 > 0)
    smaller = legr.prune(model, structure, keep).train()
    with torch.no_grad():
        for axis in structure.axes:
            values = dict(model.named_parameters()).get(axis.parameter)
            if values is not None:
                values.index_fill_(axis.dim, torch.from_numpy(np.flatnonzero(~keep.kept(axis.labels))), 0.0)
        torch.testing.assert_close(smaller(images), model.train()(images))


class ByWidth(Body):
    """Takes another way in training mode, in every pruned network."""

    def middle(self, x: Tensor) -> Tensor:
        return x.sigmoid() if self.training and x.shape[1] != 8 else x


def test_a_way_that_only_pruned_networks_take_in_training_is_refused_and_named() -> None:
    model = ByWidth()
    with pytest.raises(legr.VerificationError, match="layer same cannot be pruned: in training mode"):
        legr.verify(model, legr.trace(model, IMAGE), IMAGE)


class NeedsTargets(Body):
    def forward(self, x: Tensor, targets: Tensor | None = None) -> Tensor:
        if self.training and targets is None:
            raise ValueError("targets are missing")
        return super().forward(x)


def test_a_training_forward_that_fails_is_no_refusal_and_said(caplog: pytest.LogCaptureFixture) -> None:
    model = NeedsTargets()
    structure = legr.trace(model, IMAGE)
    assert structure.n_units == 22
    assert legr.verify(model, structure, IMAGE) < 1e-12
    assert "proved in evaluation mode only, as the forward fails in training mode: targets are missing" in caplog.text


class CachesBias(Body):
    """Derives a bias from a parameter in evaluation mode, and forgets it in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.cache = nn.Parameter(torch.randn(4)), None
        self.register_buffer("index", torch.arange(64).view(8, 8) % 4, persistent=False)

    def train(self, mode: bool = True) -> "CachesBias":
        self.cache = None if mode else self.cache
        return super().train(mode)

    def middle(self, x: Tensor) -> Tensor:
        if self.training:
            return x + self.table[self.index]
        if self.cache is None:
            self.cache = self.table[self.index]
        return x + self.cache


@pytest.mark.parametrize("used", [False, True])
def test_a_cache_of_evaluation_mode_holds_nothing_else(used: bool) -> None:
    torch.manual_seed(0)
    model = CachesBias().eval()
    if used:
        model(IMAGE)
    structure = legr.trace(model, IMAGE)
    assert structure.n_units == 22
    assert legr.verify(model, structure, IMAGE) < 1e-12
