"""A branch that is emptied adds nothing under a mask, whatever it ends with, and has the slope of all that it adds."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.search.mask_gradient import MaskedNetwork
from legr.structure.branches import without
from legr.structure.types import Keep, Structure
from tests import nets
from tests.structure.test_branches import KINDS, Blocks, made


class Block(nn.Module):
    """Two convolutions beside a shortcut; a number, which tests change, multiplies what is added. 5 units."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.factor = nn.Conv2d(8, 5, 3, padding=1), nn.Conv2d(5, 8, 1), None

    def inner(self, x: Tensor) -> Tensor:
        return self.conv2(F.relu(self.conv1(x)))

    def added(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.added(x) if self.factor is None else self.added(x) * self.factor)


class Gated(Block):
    """Squeeze and excitation written inline: the gate is the last layer, and a gate of 0 is a half."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Conv2d(8, 8, 1)

    def added(self, x: Tensor) -> Tensor:
        y = self.inner(x)
        return y * torch.sigmoid(self.fc(y.mean((2, 3), keepdim=True)))


class GatedInPlace(Gated):
    """The same, written into what the convolution returned, and the shortcut as well."""

    def added(self, x: Tensor) -> Tensor:
        y = self.inner(x)
        y *= torch.sigmoid(self.fc(y.mean((2, 3), keepdim=True)))
        return y

    def forward(self, x: Tensor) -> Tensor:
        y = self.added(x)
        if self.factor is not None:
            y = y * self.factor
        y += x
        return y


class TwoPaths(Block):
    """The sum of two convolutions of one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3 = nn.Conv2d(5, 8, 3, padding=1)

    def added(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.conv1(x))
        return self.conv2(hidden) + self.conv3(hidden)


class Activated(Block):
    """An activation behind the last layer, which has no slope at 0."""

    def added(self, x: Tensor) -> Tensor:
        return F.relu(self.inner(x))


class Joined(Block):
    """Two halves that are joined; twice what is joined is added."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2, self.conv3 = nn.Conv2d(5, 4, 1), nn.Conv2d(5, 4, 1)

    def added(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.conv1(x))
        return torch.cat((self.conv2(hidden), self.conv3(hidden).tanh()), 1)

    def forward(self, x: Tensor) -> Tensor:
        added = self.added(x) if self.factor is None else self.added(x) * self.factor
        return torch.add(x, added, alpha=2)


class Shifted(Block):
    """A scale and a shift that are parameters of the block."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.rand(8, 1, 1)), nn.Parameter(torch.rand(8, 1, 1))

    def added(self, x: Tensor) -> Tensor:
        return self.inner(x) * self.scale + self.shift


class IntoAPart(Block):
    """As in ResNets of option A: a narrow shortcut is written into the middle of what the branch returns."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2 = nn.Conv2d(5, 12, 1)

    def added(self, x: Tensor) -> Tensor:
        return self.inner(x)

    def forward(self, x: Tensor) -> Tensor:
        y = self.added(x)
        if self.factor is not None:
            y = y * self.factor
        y[:, 2:10] += x
        return y[:, :8]


ENDS: tuple[type[Block], ...] = (Gated, GatedInPlace, TwoPaths, Activated, Joined, Shifted, IntoAPart)


def network_of(kind: type[Block]) -> Blocks:
    network = nets.make(lambda: Blocks(kind(), kind()))  # type: ignore[arg-type]
    assert isinstance(network, Blocks)
    return network.double().eval()


def images(size: int = 8) -> Tensor:
    return torch.randn(4, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def emptied(structure: Structure, number: int) -> Keep:
    return without(Keep(np.ones(structure.n_units, dtype=bool)), [structure.branches[number]])


def slopes_and_outputs(network: nn.Module, structure: Structure, keep: Keep) -> tuple[Tensor, Tensor]:
    mask = torch.from_numpy(keep.units.astype(np.float64)).requires_grad_()
    found = MaskedNetwork(copy.deepcopy(network).requires_grad_(False), structure)(mask, images())
    (slopes,) = torch.autograd.grad(found.square().sum(), mask)
    return slopes, found.detach()


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("number", [0, 1])
def test_whatever_a_branch_ends_with(kind: type[Block], number: int) -> None:
    network = network_of(kind)
    structure = legr.trace(network, nets.example().double())
    assert [branch.name for branch in structure.branches] == ["blocks.0", "blocks.1"]
    keep = emptied(structure, number)
    slopes, found = slopes_and_outputs(network, structure, keep)
    torch.testing.assert_close(found, legr.prune(network, structure, keep)(images()).float(), rtol=1e-6, atol=1e-6)
    network.blocks[number].factor = factor = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(network(images()).float().square().sum(), factor)
    units = structure.branches[number].units
    assert abs(float(slope)) > 1e-3
    np.testing.assert_allclose(slopes[torch.from_numpy(units.astype(np.int64))], float(slope) / len(units), rtol=1e-5)


WITH_BRANCHES: dict[str, Callable[[], nn.Module]] = {
    **{kind.__name__: lambda kind=kind: network_of(kind) for kind in ENDS},  # type: ignore[misc]
    **{kind: lambda kind=kind: made(kind) for kind in KINDS},  # type: ignore[misc]
    "Residual": lambda: nets.make(nets.Residual).eval(),
    "PaddedShortcut": lambda: nets.make(nets.PaddedShortcut).eval(),
}


@pytest.mark.parametrize("name", WITH_BRANCHES)
def test_every_branch_alone_and_all_together_add_nothing(name: str) -> None:
    network = WITH_BRANCHES[name]().double()
    structure = legr.trace(network, nets.example().double())
    assert structure.branches
    for branches in (*([branch] for branch in structure.branches), structure.branches):
        keep = without(Keep(np.ones(structure.n_units, dtype=bool)), branches)
        slopes, found = slopes_and_outputs(network, structure, keep)
        torch.testing.assert_close(found, legr.prune(network, structure, keep)(images()).float(), rtol=1e-6, atol=1e-6)
        assert torch.isfinite(slopes).all()
        for branch in branches:
            shares = slopes[torch.from_numpy(branch.units.astype(np.int64))]
            assert shares[0] != 0
            torch.testing.assert_close(shares, shares[:1].expand(len(shares)), rtol=1e-9, atol=0)


class Scripted(nn.Module):
    """An addition in TorchScript, which no mode of Python's sees."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(8, 5, 3, padding=1), nn.Conv2d(5, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return ADD(x, self.conv2(F.relu(self.conv1(x))))


def plus(x: Tensor, y: Tensor) -> Tensor:
    return x + y


ADD: Callable[[Tensor, Tensor], Tensor] = plus


@pytest.mark.filterwarnings("ignore:.*jit.*:FutureWarning")
def test_a_branch_whose_addition_is_hidden_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nets.make(lambda: Blocks(Scripted(), Scripted())).double().eval()  # type: ignore[arg-type]
    structure = legr.trace(network, nets.example().double())
    assert len(structure.branches) == 2
    monkeypatch.setattr(f"{__name__}.ADD", torch.jit.script(plus))
    masked = MaskedNetwork(copy.deepcopy(network), structure)
    for number in (0, 1, 0):
        keep = emptied(structure, number)
        with torch.no_grad():
            expected = legr.prune(network, structure, keep)(images()).float()
            found = masked(torch.from_numpy(keep.units.astype(np.float64)), images())
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    with torch.no_grad():  # and a network of which nothing is emptied stays what it is
        whole = masked(torch.ones(structure.n_units, dtype=torch.float64), images())
    torch.testing.assert_close(whole, network(images()).float(), rtol=1e-6, atol=1e-6)
