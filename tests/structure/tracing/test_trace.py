"""Which channels go together, counted by hand."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.models.zoo import build_model
from tests.nets import N_UNITS, Chain, PaddedShortcut, Residual, Shared, Sliced, Unruled, example, make


@pytest.mark.parametrize("kind", N_UNITS, ids=lambda kind: kind.__name__)
def test_units_are_counted_by_hand(kind: type[nn.Module]) -> None:
    assert legr.trace(make(kind), example()).n_units == N_UNITS[kind]


def test_residual_layers_share_their_units() -> None:
    structure = legr.trace(make(Residual), example())
    layers = {layer.name: layer.labels.tolist() for layer in structure.layers}
    assert layers["stem"] == layers["outer"] == list(range(1, 9))
    assert layers["inner"] == list(range(9, 15))
    assert [(g.name, g.layers, len(g.units)) for g in structure.groups] == [
        ("stem", ("stem", "outer"), 8),
        ("inner", ("inner",), 6),
    ]


def test_padded_shortcut_ties_channel_i_to_channel_i_plus_pad() -> None:
    layers = {layer.name: layer.labels.tolist() for layer in legr.trace(make(PaddedShortcut), example()).layers}
    assert layers["stem"] == [1, 2, 3, 4]
    assert layers["outer"] == [0, 0, 1, 2, 3, 4, 0, 0]


def test_linear_after_flatten_takes_nine_inputs_a_channel() -> None:
    labels = legr.trace(make(Chain), example()).axis_of["fc1.weight", 1].labels
    assert labels.tolist() == [unit for unit in range(9, 21) for _ in range(9)]


def test_a_module_used_twice_ties_its_inputs_to_its_outputs() -> None:
    structure = legr.trace(make(Shared), example())
    assert structure.axis_of["twice.weight", 0].labels.tolist() == structure.axis_of["twice.weight", 1].labels.tolist()
    assert "right.weight" not in structure.shapes  # a shared parameter is counted once


def test_what_is_unprunable_is_reported_with_the_operation() -> None:
    unprunable = {(item.operation, item.channels) for item in legr.trace(make(Sliced), example()).unprunable}
    assert ("slice", 4) in unprunable
    unruled = legr.trace(make(Unruled), example())
    assert {layer.name for layer in unruled.layers} == {"a", "c"}
    assert ("cumsum", 8) in {(item.operation, item.channels) for item in unruled.unprunable}
    assert {"view", "conv2d"} == {item.operation for item in unruled.coupled}


@pytest.mark.parametrize(("layer", "said"), [(0, 5), (2, 5 + 6), (5, 6 + 4)])  # its filters, and those it reads
def test_a_weight_that_is_computed_is_reported_with_its_own_filters(layer: int, said: int) -> None:
    convolutions = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 6, 6), nn.ReLU())
    model = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(6, 4))
    nn.utils.parametrizations.weight_norm(model[layer])
    remarks = legr.trace(model, example()).unprunable
    assert sum(remark.channels for remark in remarks if "its weight is computed" in remark.reason) == said


def test_resnet20_of_the_zoo_frees_each_stage() -> None:
    structure = legr.trace(build_model("cifar_resnet20", 10), torch.zeros(1, 3, 32, 32))
    streams, inner = 16 + 32 + 64, 3 * (16 + 32 + 64)
    assert structure.n_units == streams + inner
    assert len(structure.layers) == 19
    assert [item.module for item in structure.unprunable] == [""]  # the classifier's outputs, and nothing else


def test_caller_model_mode_and_randomness_are_untouched() -> None:
    model = make(Chain).train()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    before = torch.get_rng_state()
    structure = legr.trace(model, example())
    legr.verify(model, structure, example())
    legr.prune(
        model,
        structure,
        legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure))).at(macs=0.5),
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())


def test_errors_name_the_remedy() -> None:
    with pytest.raises(legr.TraceError, match="forward fails on an input of shape"):
        legr.trace(make(Chain), torch.zeros(1, 5, 8, 8))
    with pytest.raises(legr.TraceError, match="example_input must be a tensor"):
        legr.trace(make(Chain), "image")  # type: ignore[arg-type]
    old = nn.utils.weight_norm(nn.Conv2d(3, 4, 1))
    old(example())
    with pytest.raises(legr.TraceError, match="remove_weight_norm"):
        legr.trace(old, example())


def test_a_hook_that_changes_the_output_is_part_of_the_model() -> None:
    model = make(Residual)
    model.inner.register_forward_hook(lambda module, inputs, output: output + inputs[0][:, :6])
    structure = legr.trace(model, example())
    layers = {layer.name: layer.labels.tolist() for layer in structure.layers}
    assert "inner" not in layers  # united with channels that a constant takes by their positions
    assert layers["stem"][:6] == [0] * 6
    assert legr.verify(model, structure, example()) < 1e-12


class Grown(nn.Module):
    """Adds an option-A CIFAR ResNet-14 whose shortcuts are inline pads, as most public code writes them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, widths = nn.Conv2d(3, 16, 3, padding=1, bias=False), (16, 16, 32, 32, 64, 64)
        self.first, self.second = nn.ModuleList(), nn.ModuleList()
        self.amounts = [after - before for before, after in zip((16, *widths), widths, strict=False)]
        for before, width in zip((16, *widths), widths, strict=False):
            self.first.append(nn.Conv2d(before, width, 3, stride=width // before, padding=1, bias=False))
            self.second.append(nn.Conv2d(width, width, 3, padding=1, bias=False))
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        for first, second, amount in zip(self.first, self.second, self.amounts, strict=True):
            out = second(F.relu(first(x)))
            short = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, amount // 2, amount // 2)) if amount else x
            x = F.relu(out + short)
        return self.head(x.mean((2, 3)))


def test_inline_pads_keep_the_first_stream_and_the_inner_layers() -> None:
    structure = legr.trace(make(Grown), torch.zeros(1, 3, 16, 16))
    assert structure.n_units == 16 + 2 * (16 + 32 + 64)
    last = structure.axis_of["second.5.weight", 0].labels
    assert last.tolist() == [0] * 24 + list(range(1, 17)) + [0] * 24


class Attention(nn.Module):
    """Eight channels weighted by a map of one channel, and scaled by one number: they stay free."""

    def __init__(self, map_first: bool) -> None:
        super().__init__()
        self.map_first = map_first
        self.body, self.map, self.head = nn.Conv2d(3, 8, 1), nn.Conv2d(3, 1, 1), nn.Conv2d(8, 2, 1)
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        body, weights = self.body(x), torch.sigmoid(self.map(x))
        x = weights * body if self.map_first else body * weights
        return self.head(self.gain * x if self.map_first else x * self.gain).mean((2, 3))


@pytest.mark.parametrize("map_first", [True, False])
def test_what_is_broadcast_over_channels_does_not_tie_them_in_either_order(map_first: bool) -> None:
    model = make(lambda: Attention(map_first))  # type: ignore[arg-type]
    structure = legr.trace(model, example())
    assert [layer.name for layer in structure.layers] == ["body"]
    assert structure.n_units == 8
    assert legr.verify(model, structure, example()) < 1e-12


def test_an_output_that_cannot_be_looked_into_is_refused() -> None:
    class Streaming(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 1)

        def forward(self, x: Tensor) -> Iterator[Tensor]:
            return iter((self.conv(x).mean((2, 3)),))

    with pytest.raises(legr.TraceError, match="returns a tuple_iterator"):
        legr.trace(make(Streaming), example())


class Odd(nn.Module):
    """A weight read in part, a crop of channels: unprunable. A weight and bias without a module: 6 units."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(6, 3, 1, 1)), nn.Parameter(torch.randn(1, 6, 1, 1))
        self.a, self.b = nn.Conv2d(6, 5, 1), nn.Conv2d(6, 5, 1)
        self.c, self.head = nn.Conv2d(5, 6, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.weight, self.bias.view(-1))
        x = self.a(x) / (1 + self.b(x) ** 2)
        x = F.pad(self.c(x), (0, 0, 0, 0, -1, -1))
        return self.head(x).mean((2, 3)) + self.c.weight[:2].mean()


def test_odd_uses_are_unprunable_and_proved() -> None:
    model = make(Odd)
    structure = legr.trace(model, example())
    assert [(layer.parameter, layer.total) for layer in structure.layers] == [("weight", 6)]
    assert {"mean", "pad"} <= {item.operation for item in structure.unprunable}
    assert legr.verify(model, structure, example()) < 1e-12


def test_a_forward_that_draws_numbers_leaves_the_generator_alone() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.conv(x + torch.randn(1))).mean((2, 3))

    model, before = make(Noisy), torch.get_rng_state()
    structure = legr.trace(model, example())
    assert legr.verify(model, structure, example()) < 1e-12
    assert torch.equal(torch.get_rng_state(), before)


def test_two_depthwise_layers_may_share_a_weight() -> None:
    class Twins(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.head = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 2, 1)
            self.a, self.b = (nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False) for _ in range(2))
            self.b.weight = self.a.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.b(F.relu(self.a(self.stem(x))))).mean((2, 3))

    model = make(Twins)
    structure = legr.trace(model, example())
    assert structure.n_units == 6
    assert legr.verify(model, structure, example()) < 1e-12
