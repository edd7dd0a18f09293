"""Tiny networks, one for each way channels can be coupled.

Each says in its docstring how many units it has, counted by hand.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Chain(nn.Module):
    """conv 8 -> conv 12 -> flatten -> linear 10 -> linear 4: 8 + 12 + 10 = 30 units."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 12, 3, stride=2)
        self.fc1, self.fc2 = nn.Linear(12 * 3 * 3, 10), nn.Linear(10, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 1)
        x = F.relu(self.conv2(x)).flatten(1)
        return self.fc2(torch.sigmoid(self.fc1(x)))


class Residual(nn.Module):
    """A stream of 8 fed by two convolutions, one inner layer of 6: 8 + 6 = 14 units."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.inner, self.outer = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 6, 1), nn.Conv2d(6, 8, 1)
        self.norm, self.head = nn.BatchNorm2d(8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.norm(x + self.outer(F.relu(self.inner(x))))
        return self.head(x.mean((2, 3)))


class PaddedShortcut(nn.Module):
    """An option-A shortcut written inline: 4 channels padded to 8.

    Channel i of the stem is channel i + 2 of the wider stream: 4 units. The outer 4 channels meet zeros
    that the forward makes: unprunable. Inner layer: 5 units. Together 9.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.inner, self.outer = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 1), nn.Conv2d(5, 8, 1)
        self.norm, self.head = nn.BatchNorm2d(8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = self.norm(self.outer(F.relu(self.inner(x))) + F.pad(x, (0, 0, 0, 0, 2, 2)))
        return self.head(F.adaptive_avg_pool2d(F.relu(x), 1).flatten(1))


class DepthwiseConcat(nn.Module):
    """Expand 6, depthwise with multiplier 2 (12 channels, 6 units), concatenated with 5: 6 + 5 = 11 units."""

    def __init__(self) -> None:
        super().__init__()
        self.expand, self.depthwise = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 12, 3, padding=1, groups=6)
        self.side, self.norm, self.join = nn.Conv2d(3, 5, 1, bias=False), nn.BatchNorm2d(17), nn.Conv2d(17, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat((self.depthwise(F.relu6(self.expand(x))), self.side(x)), dim=1)
        return self.join(F.silu(self.norm(joined))).mean((2, 3))


class Sliced(nn.Module):
    """A constant slice takes the first 4 of 8 channels: unprunable; the other 4 may go; the other layer has 6."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow, self.head = nn.Conv2d(3, 8, 1), nn.Conv2d(4, 6, 1), nn.Conv2d(6, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.narrow(self.wide(x)[:, :4]))).mean((2, 3))


class Unruled(nn.Module):
    """A channel shuffle by view and a grouped convolution couple the 8 channels of `a` to 2 units; a cumulative sum
    makes `b` unprunable; 6 in `c`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1, groups=2)
        self.c, self.head = nn.Conv2d(8, 6, 1), nn.Conv2d(6, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        x = self.b(x).cumsum(1)
        return self.head(F.relu(self.c(x))).mean((2, 3))


class Shared(nn.Module):
    """One convolution used twice, so its inputs are its outputs: 4 units; two with one weight: 5."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.twice = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3, padding=1)
        self.left, self.right = nn.Conv2d(4, 5, 1, bias=False), nn.Conv2d(4, 5, 1, bias=False)
        self.right.weight = self.left.weight
        self.head = nn.Conv2d(5, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.twice(F.relu(self.twice(self.stem(x)))))
        return self.head(torch.relu(self.left(x)) * torch.sigmoid(self.right(x))).mean((2, 3))


N_UNITS = {Chain: 30, Residual: 14, PaddedShortcut: 9, DepthwiseConcat: 11, Sliced: 10, Unruled: 8, Shared: 9}


def example(size: int = 8) -> Tensor:
    """One small image."""
    return torch.zeros(1, 3, size, size)


def make(kind: type[nn.Module], seed: int = 0) -> nn.Module:
    """Build a network with random weights that `seed` alone decides."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind()
