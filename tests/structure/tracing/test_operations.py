"""Every operation that a network of one's own may use: how many units it leaves, counted by hand, and the proof."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.structure.counters import count

Body = Callable[["Net", Tensor], Tensor]


class Net(nn.Module):
    """A stem, a body and a head of 3 outputs."""

    def __init__(self, body: Body, head: int, stem: int = 8, **parts: nn.Module | nn.Parameter | Tensor) -> None:
        super().__init__()
        self.stem, self.head, self.body = nn.Conv2d(3, stem, 3, padding=1), nn.Linear(head, 3), body
        for name, part in parts.items():
            if isinstance(part, (nn.Module, nn.Parameter)):
                setattr(self, name, part)
            else:
                self.register_buffer(name, part)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(self, torch.relu(self.stem(x)))
        return self.head(x.mean(tuple(range(2, x.dim()))) if x.dim() > 2 else x)


def conv(inputs: int, outputs: int, **options: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 1, **options)


def halves(net: Net, x: Tensor) -> Tensor:
    left, right = x.chunk(2, dim=1)
    return torch.cat((net.one(left), net.two(right)), dim=1)


def shuffled(net: Net, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return net.one(x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w))


def constant_shuffle(net: Net, x: Tensor) -> Tensor:
    return net.one(x.view(-1, 2, 4, 8, 8).transpose(1, 2).reshape(-1, 8, 8, 8))


def written(net: Net, x: Tensor) -> Tensor:
    first, second = net.one(x), net.two(x)
    both = x.new_zeros(x.shape[0], first.shape[1] + second.shape[1], *x.shape[2:])
    both[:, : first.shape[1]] = first
    both[:, first.shape[1] :] = second
    return both


def attention(net: Net, x: Tensor) -> Tensor:
    tokens = net.one(x).flatten(2)  # (n, c, hw)
    weights = torch.softmax(tokens.transpose(1, 2) @ tokens, dim=-1)
    return (net.two(x).flatten(2) @ weights).view(x.shape[0], -1, *x.shape[2:])


def in_depth(net: Net, x: Tensor) -> Tensor:
    return net.two(net.one(x.unsqueeze(2)).relu()).squeeze(2)


def in_line(net: Net, x: Tensor) -> Tensor:
    return net.two(net.one(x.flatten(2)).relu())


def gate(net: Net, x: Tensor) -> Tensor:
    return x * torch.sigmoid(net.two(net.one(x.mean((2, 3), keepdim=True)).relu()))


def weight(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.rand(shape))


def with_bias(net: Net, x: Tensor) -> Tensor:
    return torch.addmm(net.bias, x.mean((2, 3)), net.weight.t())


def resized(net: Net, x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear") + F.interpolate(x, scale_factor=2)


def constant_norm(net: Net, x: Tensor) -> Tensor:
    return F.layer_norm(x.movedim(1, -1), (8,), net.scale).movedim(-1, 1)


def mean_by_hand(net: Net, x: Tensor) -> Tensor:
    return net.one(x * (x.sigmoid().sum(1, keepdim=True) / x.shape[1]))


def two_norms(net: Net, x: Tensor) -> Tensor:
    return net.two(net.one(x).movedim(1, -1)).movedim(-1, 1)


def tokens_of_a_norm(net: Net, x: Tensor) -> Tensor:
    """A norm may return another memory layout than that of its input: the view relies on it."""
    x = net.one(x.permute(0, 2, 3, 1))
    return net.two(x.contiguous().view(x.shape[0], -1, x.shape[-1])).transpose(1, 2)


def tokens_of_a_group_norm(net: Net, x: Tensor) -> Tensor:
    x = net.one(x.transpose(2, 3)).contiguous()
    return net.two(x.view(x.shape[0], x.shape[1], -1))


def blurred(net: Net, x: Tensor) -> Tensor:
    return F.conv2d(x, net.kernel, padding=1, groups=x.shape[1])


def instance_norms(net: Net, x: Tensor) -> Tensor:
    return net.one(x) + net.two(x)


# name: (body, inputs of the head, parts, units): the stem has 8 channels.
CASES: dict[str, tuple[Body, int, dict[str, nn.Module | nn.Parameter | Tensor], int]] = {
    "transposed": (lambda n, x: n.one(x), 6, {"one": nn.ConvTranspose2d(8, 6, 2, stride=2)}, 8 + 6),
    "transposed, groups": (lambda n, x: n.one(x), 6, {"one": nn.ConvTranspose2d(8, 6, 2, groups=2)}, 4 + 3),
    "transposed, depthwise": (lambda n, x: n.one(x), 16, {"one": nn.ConvTranspose2d(8, 16, 2, groups=8)}, 8),
    "groups, by columns": (lambda n, x: n.one(x), 12, {"one": conv(8, 12, groups=2)}, 4 + 6),
    "groups, whole": (lambda n, x: n.one(x), 8, {"one": conv(8, 8, groups=4)}, 4),
    "groups with a multiplier": (lambda n, x: n.one(x), 24, {"one": conv(8, 24, groups=8)}, 8),
    "dilated": (lambda n, x: n.one(x), 5, {"one": nn.Conv2d(8, 5, 3, dilation=2)}, 8 + 5),
    "one dimension": (in_line, 5, {"one": nn.Conv1d(8, 6, 3), "two": nn.Conv1d(6, 5, 1)}, 8 + 6 + 5),
    "three dimensions": (in_depth, 5, {"one": nn.Conv3d(8, 6, 1), "two": nn.Conv3d(6, 5, 1)}, 8 + 6 + 5),
    "group norm": (lambda n, x: n.one(x), 8, {"one": nn.GroupNorm(4, 8)}, 4),
    "group norm, one group": (lambda n, x: n.one(x), 8, {"one": nn.GroupNorm(1, 8)}, 8),
    "instance norm": (instance_norms, 8, {"one": nn.InstanceNorm2d(8, affine=True), "two": nn.InstanceNorm2d(8)}, 8),
    "layer norm": (lambda n, x: n.one(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), 8, {"one": nn.LayerNorm(8)}, 8),
    "blur by a buffer": (blurred, 8, {"kernel": torch.rand(8, 1, 3, 3)}, 8),
    "edges by a buffer": (lambda n, x: F.conv2d(x, n.kernel), 5, {"kernel": torch.rand(5, 8, 3, 3)}, 8),
    "a mean by hand": (mean_by_hand, 5, {"one": conv(8, 5)}, 5),
    "group norm beside a layer norm": (two_norms, 8, {"one": nn.GroupNorm(2, 8), "two": nn.LayerNorm(8)}, 2),
    "layer norm of a constant width": (constant_norm, 8, {"scale": weight(8)}, 0),
    "spectrum": (lambda n, x: torch.fft.irfft2(torch.fft.rfft2(n.one(x)) * 2), 5, {"one": conv(8, 5)}, 8),
    "layer norm over everything": (lambda n, x: n.one(x), 8, {"one": nn.LayerNorm((8, 8, 8))}, 8),
    "RMS norm": (lambda n, x: n.one(x.movedim(1, -1)).movedim(-1, 1), 8, {"one": nn.RMSNorm(8)}, 8),
    "tokens of a layer norm": (tokens_of_a_norm, 5, {"one": nn.LayerNorm(8), "two": nn.Linear(8, 5)}, 8 + 5),
    "tokens of an RMS norm": (tokens_of_a_norm, 5, {"one": nn.RMSNorm(8), "two": nn.Linear(8, 5)}, 8 + 5),
    "tokens of a group norm": (
        tokens_of_a_group_norm, 5, {"one": nn.GroupNorm(1, 8), "two": nn.Conv1d(8, 5, 1)}, 8 + 5,
    ),
    "PReLU a channel": (lambda n, x: n.one(n.two(x)), 6, {"one": nn.PReLU(6), "two": conv(8, 6)}, 8 + 6),
    "pixel shuffle": (lambda n, x: F.pixel_shuffle(x, 2), 2, {}, 2),
    "pixel unshuffle": (lambda n, x: F.pixel_unshuffle(x, 2), 32, {}, 8),
    "channel shuffle": (lambda n, x: n.one(F.channel_shuffle(x, 2)), 5, {"one": conv(8, 5)}, 4 + 5),
    "channel shuffle by view": (shuffled, 5, {"one": conv(8, 5)}, 4 + 5),
    "channel shuffle by constants": (constant_shuffle, 5, {"one": conv(8, 5)}, 5),
    "layer scale": (lambda n, x: n.scale[:, None, None] * x, 8, {"scale": weight(8)}, 8),
    "buffer a channel": (lambda n, x: x * n.scale + n.scale, 8, {"scale": torch.rand(1, 8, 1, 1)}, 8),
    "positions": (lambda n, x: x + n.place, 8, {"place": weight(1, 8, 8, 8)}, 8),
    "gate of one pixel": (gate, 8, {"one": conv(8, 4), "two": conv(4, 8)}, 8 + 4),
    "gate of one channel": (lambda n, x: x * torch.sigmoid(n.one(x)), 8, {"one": conv(8, 1)}, 8),
    "gated halves": (lambda n, x: F.glu(n.one(x), dim=1), 6, {"one": conv(8, 12)}, 8 + 6),
    "matrix product": (lambda n, x: x.mean((2, 3)) @ n.weight, 6, {"weight": weight(8, 6)}, 8 + 6),
    "product with a bias": (with_bias, 6, {"weight": weight(6, 8), "bias": weight(6)}, 8 + 6),
    "einsum is a barrier": (lambda n, x: torch.einsum("nchw,nchw->nc", x, x), 8, {}, 0),
    "attention is a barrier": (attention, 6, {"one": conv(8, 4), "two": conv(8, 6)}, 8),
    "slice below a constant": (lambda n, x: x[:, :5], 5, {}, 3),
    "slice from behind": (lambda n, x: x[:, :-3], 5, {}, 5),
    "slices that follow": (written, 11, {"one": conv(8, 5), "two": conv(8, 6)}, 8 + 5 + 6),
    "chunk": (halves, 9, {"one": conv(4, 4), "two": conv(4, 5)}, 4 + 4 + 5),
    "split": (lambda n, x: sum(x.split(x.shape[1] // 2, dim=1)), 4, {}, 4),
    "split by a constant": (lambda n, x: sum(x.split(4, dim=1)), 4, {}, 0),
    "stack and sum": (lambda n, x: torch.stack((x, n.one(x))).sum(0), 8, {"one": conv(8, 8)}, 8),
    "stack and flatten": (lambda n, x: torch.stack((x, n.one(x)), 2).flatten(1, 2), 16, {"one": conv(8, 8)}, 8),
    "sum over channels": (lambda n, x: n.one(x.sum(1, keepdim=True)), 5, {"one": conv(1, 5)}, 8 + 5),
    "sum of what is not zero": (lambda n, x: n.one(torch.sigmoid(x).sum(1, keepdim=True)), 5, {"one": conv(1, 5)}, 5),
    "mean over channels": (lambda n, x: n.one(x.mean(1, keepdim=True)), 5, {"one": conv(1, 5)}, 5),
    "softmax over channels": (lambda n, x: n.one(torch.softmax(x, 1)), 5, {"one": conv(8, 5)}, 5),
    "softmax over space": (lambda n, x: torch.softmax(x.flatten(2), 2) * 3, 8, {}, 8),
    "flips": (lambda n, x: x.flip(1) + x.flip(3), 8, {}, 4),
    "repeats": (lambda n, x: n.one(x.repeat(1, 2, 1, 1)), 5, {"one": conv(16, 5)}, 8 + 5),
    "roll in space": (lambda n, x: torch.roll(x, 2, 3), 8, {}, 8),
    "roll over channels": (lambda n, x: torch.roll(x, 2, 1), 8, {}, 0),
    "padded channels": (lambda n, x: F.pad(x, (0, 0, 0, 0, 2, 2)), 12, {}, 8),
    "reflected borders": (lambda n, x: F.pad(x, (1, 1, 1, 1), mode="reflect"), 8, {}, 8),
    "interpolation": (resized, 8, {}, 8),
    "pooled to 2 x 3 and flattened": (lambda n, x: F.adaptive_avg_pool2d(x, (2, 3)).flatten(1), 48, {}, 8),
    "patches": (lambda n, x: n.one(F.unfold(x, 2).unsqueeze(-1)), 5, {"one": conv(32, 5)}, 8 + 5),
    "index in space": (lambda n, x: x[:, :, torch.arange(0, 8, 3)], 8, {}, 8),
    "index of channels": (lambda n, x: x[:, torch.tensor([0, 2, 4])], 3, {}, 0),
    "weight computed in the forward": (lambda n, x: F.conv2d(x, n.weight * 2), 5, {"weight": weight(5, 8, 1, 1)}, 0),
    "functional convolution": (lambda n, x: F.conv2d(x, n.weight), 5, {"weight": weight(5, 8, 1, 1)}, 8 + 5),
    "quotient": (lambda n, x: n.one(x) / (1 + n.two(x).abs()), 5, {"one": conv(8, 5), "two": conv(8, 5)}, 8 + 5),
    "quotient by zero": (lambda n, x: n.one(x) / n.two(x), 5, {"one": conv(8, 5), "two": conv(8, 5)}, 8),
    "quotient by a parameter": (lambda n, x: x / n.weight, 8, {"weight": weight(8, 1, 1)}, 0),
    "powers and logarithms": (lambda n, x: torch.log(1 + x.exp()) + x**2, 8, {}, 8),
    "logarithm of zero": (lambda n, x: torch.log(x.relu()).clamp(min=-9), 8, {}, 0),
    "negative power": (lambda n, x: (1 + x * x) ** -0.5, 8, {}, 8),
    "halves by slices": (
        lambda n, x: n.one(x[:, : x.shape[1] // 2]) + n.two(x[:, x.shape[1] // 2 :]),
        5,
        {"one": conv(4, 5), "two": conv(4, 5)},
        4 + 5,
    ),
    "halves by constants": (
        lambda n, x: n.one(x[:, :4]) + n.two(x[:, 4:]),
        5,
        {"one": conv(4, 5), "two": conv(4, 5)},
        4 + 5,
    ),
    "dropout": (lambda n, x: F.dropout2d(F.dropout(x, training=n.training), training=n.training), 8, {}, 8),
    "where": (lambda n, x: torch.where(x > 0.1, x, -x).clamp(max=1), 8, {}, 8),
    "where of one argument": (lambda n, x: n.one(x) + 0 * torch.where(x > -1)[1].sum(), 5, {"one": conv(8, 5)}, 5),
    "counts repeated": (lambda n, x: x + torch.repeat_interleave(torch.tensor([2, 6])).sum(), 8, {}, 8),
    "truth values": (lambda n, x: x * n.mask, 8, {"mask": nn.Parameter(torch.ones(8, 1, 1) > 0, False)}, 8),
    "module of a parameter": (lambda n, x: x * n.one(n.scale), 8, {"one": nn.Sigmoid(), "scale": weight(8, 1, 1)}, 8),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_units_and_proof(name: str) -> None:
    body, head, parts, units = CASES[name]
    torch.manual_seed(0)
    model, image = Net(body, head, **parts), torch.zeros(1, 3, 8, 8)
    structure = legr.trace(model, image)
    assert structure.n_units == units, [*structure.unprunable, *structure.coupled]
    if units:
        assert legr.verify(model, structure, image) < 1e-12
        ranking = legr.rank(structure, legr.filter_norms(model, structure))
        curve = legr.BudgetCurve(structure, ranking)
        keep = curve.keep(len(curve.macs) // 2)
        smaller = legr.prune(model, structure, keep)
        assert legr.cost(structure, keep) == count(smaller.eval(), image)
        assert smaller.train()(torch.zeros(2, 3, 8, 8)).shape == (2, 3)
    else:
        assert structure.unprunable


@pytest.mark.parametrize("width", [201, 203, 207, 209, 211, 215])
def test_halves_beside_a_wide_layer_are_found_out(width: int) -> None:
    """Where few kept sets get a dry run, none may happen to leave as many channels in front as behind."""
    torch.manual_seed(0)
    parts = {"one": conv(8, width), "two": conv(width, 4), "three": conv(2, 2)}

    def body(net: Net, x: Tensor) -> Tensor:
        x = net.two(net.one(x))
        half = x.shape[1] // 2
        return torch.cat((x[:, :half], net.three(x[:, half:])), dim=1)

    model, image = Net(body, 4, **parts), torch.zeros(1, 3, 8, 8)
    structure = legr.trace(model, image)
    assert structure.n_units > 200
    assert legr.verify(model, structure, image) < 1e-12
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    for budget in (0.9, 0.5, 0.3):
        assert legr.prune(model, structure, curve.at(macs=budget))(image).shape == (1, 3)
