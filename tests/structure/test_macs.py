"""Every operation that multiplies matrices or convolves is counted, or said not to be; expected MACs are by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import DeformConv2d

import legr
from legr.structure.codec import from_dict, to_dict
from legr.structure.cost import original_cost, uncounted_note
from legr.structure.counters import count
from legr.structure.types import Uncounted
from tests.nets import example

Body = Callable[["Net", Tensor], Tensor]
_STEM = 64 * 3 * 8  # 1 x 1, from 3 to 8 channels, on 8 x 8 positions


class Net(nn.Module):
    """A stem of 8 channels and a body."""

    def __init__(self, body: Body, **parts: nn.Module | Tensor) -> None:
        super().__init__()
        self.stem, self.body = nn.Conv2d(3, 8, 1), body
        for name, part in parts.items():
            if isinstance(part, nn.Module | nn.Parameter):
                setattr(self, name, part)
            else:
                self.register_buffer(name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self, self.stem(x))


def weight(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.rand(shape, generator=torch.Generator().manual_seed(0)))


def tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)  # [1, 64, 8]


def deformed(net: Net, x: Tensor) -> Tensor:
    return net.one(x, net.places(x))


def masked(net: Net, x: Tensor) -> Tensor:
    return net.one(x, net.places(x), net.mask(x).sigmoid())


def flash(net: Net, x: Tensor) -> Tensor:
    heads = tokens(x)[:, None].contiguous()  # the kernel reads rows
    return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(heads, heads, heads)[0]


def weighted_bags(net: Net, x: Tensor) -> Tensor:
    rows = x.mean((2, 3))
    return F.embedding_bag((rows > 0).long(), net.w, per_sample_weights=rows, mode="sum")


def in_place(net: Net, x: Tensor) -> Tensor:
    return x.new_ones(1, 64, 5).baddbmm_(tokens(x), net.w)


def as_integers(net: Net, x: Tensor) -> Tensor:
    return torch._int_mm((9 * tokens(x)[0]).to(torch.int8), net.w) + x.mean()


def to_each_group(net: Net, x: Tensor) -> Tensor:
    return torch._grouped_mm(tokens(x)[0], net.w, offs=torch.tensor([30, 64], dtype=torch.int32))


# name: (body, parts, MACs of the body)
CASES: dict[str, tuple[Body, dict[str, nn.Module | Tensor], int]] = {
    "deformable convolution": (
        deformed,
        {"places": nn.Conv2d(8, 18, 1), "one": DeformConv2d(8, 12, 3, padding=1)},
        64 * 8 * 18 + 64 * 8 * 12 * 9,
    ),
    "deformable convolution in groups": (
        deformed,
        {"places": nn.Conv2d(8, 18, 1), "one": DeformConv2d(8, 12, 3, padding=1, groups=4)},
        64 * 8 * 18 + 64 * 2 * 12 * 9,
    ),
    "deformable convolution with two offset groups and a mask": (
        masked,
        {
            "places": nn.Conv2d(8, 36, 1),
            "mask": nn.Conv2d(8, 18, 1),
            "one": DeformConv2d(8, 12, 3, padding=1),
        },
        64 * 8 * 54 + 64 * 8 * 12 * 9,
    ),
    "addbmm": (
        lambda n, x: torch.addbmm(n.b, tokens(x).transpose(0, 1), n.w),
        {"w": weight(64, 8, 5), "b": weight(1, 5)},
        64 * 8 * 5,
    ),
    "baddbmm in place": (in_place, {"w": weight(1, 8, 5)}, 64 * 8 * 5),
    "bilinear": (lambda n, x: n.one(tokens(x), tokens(x)), {"one": nn.Bilinear(8, 8, 5)}, 64 * 8 * 8 * 5),
    "matrix and vector": (lambda n, x: torch.mv(tokens(x)[0], n.w), {"w": weight(8)}, 64 * 8),
    "dot": (lambda n, x: torch.dot(x.mean((2, 3))[0], n.w), {"w": weight(8)}, 8),
    "addmv": (lambda n, x: torch.addmv(n.b, tokens(x)[0], n.w), {"w": weight(8), "b": weight(64)}, 64 * 8),
    "product of many": (
        lambda n, x: torch.linalg.multi_dot([x.mean((2, 3)), n.w, n.v]),
        {"w": weight(8, 6), "v": weight(6, 5)},
        8 * 6 + 6 * 5,
    ),
    "convolution over time": (
        lambda n, x: torch.conv_tbc(tokens(x).transpose(0, 1), n.w, n.b, 1),
        {"w": weight(3, 8, 5), "b": weight(5)},
        64 * 3 * 8 * 5,
    ),
    "convolution by its kernel": (
        lambda n, x: torch.ops.aten.slow_conv_dilated2d(x, n.w, [3, 3], None, [1, 1], [2, 2], [2, 2]),
        {"w": weight(5, 8, 3, 3)},
        64 * 8 * 5 * 9,
    ),
    "transposed convolution by its kernel": (
        lambda n, x: torch.ops.aten.slow_conv_transpose2d(x, n.w, [2, 2], None, [2, 2]),
        {"w": weight(8, 5, 2, 2)},
        64 * 8 * 5 * 4,
    ),
    "fused attention": (flash, {}, 2 * 64 * 64 * 8),
    "LSTM": (
        lambda n, x: n.one(tokens(x)[:, :4])[0],
        {"one": nn.LSTM(8, 5, batch_first=True, bidirectional=True)},
        2 * 4 * 4 * (8 * 5 + 5 * 5),
    ),
    "bags with weights": (weighted_bags, {"w": weight(9, 5)}, 8 * 5),
    "integers": (as_integers, {"w": torch.ones(8, 8, dtype=torch.int8)}, 64 * 8 * 8),
    "a matrix for each group": (to_each_group, {"w": weight(2, 8, 8)}, 64 * 8 * 8),
    "by element": (lambda n, x: (tokens(x)[..., None] * n.w).sum(2), {"w": weight(8, 5)}, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_what_an_operation_costs(name: str) -> None:
    body, parts, macs = CASES[name]
    torch.manual_seed(0)
    model = Net(body, **parts)
    structure = legr.trace(model, example())
    assert original_cost(structure).macs == _STEM + macs
    assert count(model, example()).macs == _STEM + macs
    assert structure.uncounted == ()
    assert legr.verify(model, structure, example()) < 1e-12  # predicted = counted in every pruned network too


@pytest.mark.parametrize(("groups", "units"), [(1, 8 + 12), (2, 4 + 6)])
def test_a_deformable_convolution_is_pruned_like_a_plain_one(groups: int, units: int) -> None:
    torch.manual_seed(0)
    parts = {"places": nn.Conv2d(8, 18, 1), "one": DeformConv2d(8, 12, 3, groups=groups), "last": nn.Conv2d(12, 3, 1)}
    model = Net(lambda n, x: n.last(n.one(x, n.places(x)[..., :-2, :-2])), **parts)
    structure = legr.trace(model, example())
    assert structure.n_units == units
    assert legr.verify(model, structure, example()) < 1e-12


@torch.library.custom_op("tests::multiply", mutates_args=())
def multiply(x: Tensor, weight: Tensor) -> Tensor:
    """A product in an operation of one's own, into which nobody can look."""
    return x @ weight


UNCOUNTED: dict[str, tuple[Body, dict[str, nn.Module | Tensor], str]] = {
    "an operation of one's own": (
        lambda n, x: torch.ops.tests.multiply(tokens(x)[0], n.w), {"w": weight(8, 5)}, "tests::multiply",
    ),
    "distances": (lambda n, x: torch.cdist(tokens(x), n.w), {"w": weight(1, 5, 8)}, "_euclidean_dist"),
    "a system of equations": (
        lambda n, x: torch.linalg.solve(n.w + 9 * torch.eye(8, dtype=x.dtype), x[0, :, 0, :]), {"w": weight(8, 8)},
        "_linalg_solve_ex",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNCOUNTED)
def test_what_nobody_can_count_is_said(name: str) -> None:
    body, parts, operation = UNCOUNTED[name]
    torch.manual_seed(0)
    structure = legr.trace(Net(body, **parts), example())
    assert structure.uncounted == (Uncounted("", operation),)
    assert from_dict(to_dict(structure)).uncounted == structure.uncounted
    assert uncounted_note(structure.uncounted) == (f"1 operation is not counted in the MACs: {operation} in the model.")


def test_a_structure_of_an_earlier_version_says_nothing() -> None:
    data = to_dict(legr.trace(Net(lambda n, x: x), example()))
    del data["uncounted"]
    assert uncounted_note(from_dict(data).uncounted) == ""


def test_many_uncounted_operations_are_named_in_part() -> None:
    many = [Uncounted(f"layer{n}", "own::product") for n in range(5)]
    assert uncounted_note(many) == (
        "5 operations are not counted in the MACs: own::product in layer0, own::product in layer1, "
        "own::product in layer2 and 2 more."
    )
