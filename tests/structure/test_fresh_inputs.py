"""The proof takes what networks take and return: bytes, tokens, masks, complex numbers, half precision, integers."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import legr
from legr.structure.differences import relative_error
from legr.structure.examples import Example
from legr.structure.fresh import Integers, draw_integers, fresh

Change = Callable[[Tensor], Tensor]


def same(x: Tensor) -> Tensor:
    return x


class Net(nn.Module):
    """8 + 6 units; something happens to its input, and to its output."""

    def __init__(self, before: Change = same, after: Change = same) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 6, 1), nn.Linear(6, 4)
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.head(self.b(self.a(self.before(x)).relu()).relu().mean((2, 3))))


def scaled(x: Tensor) -> Tensor:
    return x.float() / 255 - 0.5


def image(dtype: torch.dtype, batch: int = 1) -> Tensor:
    return torch.zeros(batch, 3, 8, 8, dtype=dtype)


def with_infinite_outputs(x: Tensor) -> Tensor:
    return torch.cat((x, torch.full_like(x, -torch.inf)), 1)


IMAGES: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "bytes": (lambda: Net(scaled), image(torch.uint8)),
    "bytes, two images": (lambda: Net(scaled), image(torch.uint8, 2)),
    "bytes in other order": (
        lambda: Net(lambda x: scaled(x.permute(0, 3, 1, 2))), torch.zeros(1, 8, 8, 3, dtype=torch.uint8),
    ),
    "bytes as indices": (lambda: Net(lambda x: torch.linspace(0, 1, 256)[x.long()]), image(torch.uint8)),
    "16 bits": (lambda: Net(lambda x: x.to(torch.float32) / 65535), image(torch.uint16)),
    "whole numbers": (lambda: Net(scaled), image(torch.int64)),
    "black and white": (lambda: Net(lambda x: x.float()), image(torch.bool)),
    "half precision": (lambda: Net().half(), image(torch.float16)),
    "half precision, named in the forward": (lambda: Net(lambda x: x.half() / 255).half(), image(torch.uint8)),
    "bfloat16, named in the forward": (lambda: Net(lambda x: x.to(torch.bfloat16)).bfloat16(), image(torch.float32)),
    "classes returned": (lambda: Net(after=lambda x: x.argmax(1)), image(torch.float32)),
    "truth values returned": (lambda: Net(after=lambda x: x > 0), image(torch.float32)),
    "very small values returned": (lambda: Net(after=lambda x: 1e-200 * x), image(torch.float32)),
    "infinite values returned": (lambda: Net(after=with_infinite_outputs), image(torch.float32)),
}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_network_is_proved(name: str) -> None:
    torch.manual_seed(0)
    make, inputs = IMAGES[name]
    model = make()
    structure = legr.trace(model, inputs)
    assert structure.n_units == 8 + 6
    assert legr.verify(model, structure, inputs) < 1e-12


class Tokens(nn.Module):
    """Of the 16 + 12 channels those of the embedding stay."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.a, self.head = nn.Embedding(50, 16), nn.Linear(16, 12), nn.Linear(12, 3)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.a(self.embedding(ids)).relu()
        return self.head((x if mask is None else x * mask[..., None]).mean(1))


@pytest.mark.parametrize(
    "inputs",
    [
        (torch.arange(7)[None],),
        (torch.zeros(1, 7, dtype=torch.int64),),
        (torch.zeros(1, 1, dtype=torch.int32),),
        (torch.arange(43, 50)[None], torch.ones(1, 7, dtype=torch.bool)),
    ],
)
def test_one_sentence_is_enough(inputs: tuple[Tensor, ...]) -> None:
    torch.manual_seed(0)
    model = Tokens()
    structure = legr.trace(model, inputs)
    assert structure.n_units == 12
    assert legr.verify(model, structure, inputs) < 1e-12


class Spectral(nn.Module):
    """A filter in the spectrum with complex weights: 5 units behind it, 6 in a complex convolution."""

    def __init__(self, value: float | None) -> None:
        super().__init__()
        weight = torch.randn(3, 8, 5, dtype=torch.complex64)
        self.weight = nn.Parameter(weight if value is None else torch.full_like(weight, value))
        self.a, self.b, self.c = nn.Conv2d(3, 5, 1), nn.Conv2d(5, 6, 1).to(torch.complex64), nn.Conv2d(6, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.fft.irfft2(torch.fft.rfft2(x) * self.weight)
        return self.c(self.b(torch.complex(self.a(x), torch.zeros_like(self.a(x)))).abs())


@pytest.mark.parametrize("value", [None, 0.0])
def test_complex_weights_are_proved(value: float | None) -> None:
    torch.manual_seed(0)
    model, inputs = Spectral(value), torch.zeros(1, 3, 8, 8)
    structure = legr.trace(model, inputs)
    assert structure.n_units == 6
    assert legr.verify(model, structure, inputs) < 1e-12


def test_complex_inputs_are_proved() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 1).to(torch.complex64), nn.Conv2d(8, 2, 1).to(torch.complex64))
    inputs = torch.zeros(1, 3, 8, 8, dtype=torch.complex64)
    structure = legr.trace(model, inputs)
    assert structure.n_units == 8
    assert legr.verify(model, structure, inputs) < 1e-12
    assert legr.structure.cost.original_cost(structure).macs == 3 * 64 * (3 * 8 + 8 * 2)


@pytest.mark.parametrize("setting", [torch.tensor(2.0), torch.tensor(2)])
def test_a_single_number_is_a_setting(setting: Tensor) -> None:
    class Scaled(Net):
        def forward(self, x: Tensor, factor: Tensor) -> Tensor:
            return super().forward(x) * factor

    torch.manual_seed(0)
    model, inputs = Scaled(), (image(torch.float32), setting)
    structure = legr.trace(model, inputs)
    assert structure.n_units == 8 + 6
    assert legr.verify(model, structure, inputs) < 1e-12


def test_values_that_the_model_refuses_stay_as_given() -> None:
    def run(call: Example) -> dict[str, Tensor]:
        if (call.args[0].diff() > 0).any():
            raise ValueError("lengths must fall")
        return {"": call.args[0]}

    call = Example((torch.arange(9, 0, -1),))
    drawn, integers = fresh(call, torch.float64, torch.Generator().manual_seed(0), run)
    assert integers is Integers.GIVEN and torch.equal(drawn.args[0], call.args[0])


def test_integers_stay_in_the_range_that_is_known() -> None:
    generator, ids = torch.Generator().manual_seed(0), torch.tensor([[3, 9]]).expand(100, 2)
    drawn = draw_integers(ids, Integers.ANY, generator)
    assert drawn.dtype == torch.int64 and (drawn.min(), drawn.max()) == (3, 9)
    pixels = draw_integers(ids.to(torch.uint8), Integers.ANY, generator)
    assert pixels.dtype == torch.uint8 and pixels.min() < 3 and pixels.max() > 200
    assert draw_integers(ids, Integers.GIVEN, generator) is ids


def test_what_is_rounding_beside_the_whole_network_is_no_difference() -> None:
    zero, noise = torch.zeros(3), torch.tensor([0.0, 1e-17, 0.0], dtype=torch.float64)
    assert relative_error(zero, noise, 1.0) < 1e-9 < relative_error(zero, noise, 0.0)
    assert relative_error(torch.tensor([1, 2]), torch.tensor([1, 3]), 1e9) == float("inf")
    assert relative_error(torch.tensor([1.0, torch.inf]), torch.tensor([1.0, torch.inf]), 1.0) == 0.0
    assert not relative_error(torch.tensor([torch.nan]), torch.tensor([torch.nan]), 1.0) <= 1e-9


def test_parts_of_complex_numbers_have_their_channels() -> None:
    class Parts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(8, 16, dtype=torch.cfloat), nn.Linear(8, 12, dtype=torch.cfloat)
            self.real, self.imaginary = nn.Linear(16, 3), nn.Linear(12, 3)

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.real(self.a(x).real.relu()) + self.imaginary(self.b(x).imag.relu())
            return result

    torch.manual_seed(0)
    model, x = Parts(), torch.zeros(2, 8, dtype=torch.cfloat)
    structure = legr.trace(model, x)
    assert structure.n_units == 28
    assert legr.verify(model, structure, x) < 1e-12


def test_norms_of_complex_filters_count_both_parts() -> None:
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 3)).to(torch.cfloat), torch.zeros(2, 8, dtype=torch.cfloat)
    (norms,) = legr.filter_norms(model, legr.trace(model, x)).values
    weight = model.get_parameter("0.weight").detach()
    assert norms == pytest.approx((weight.real.square() + weight.imag.square()).sum(1).numpy(), rel=1e-5)
