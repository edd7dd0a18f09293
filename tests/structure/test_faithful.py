"""A model whose copies compute something else is refused before anything is proved; the model itself stays as it is."""

import functools
import random
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

import legr

IMAGE = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
ELSEWHERE: dict[Any, Any] = {}


class Body(nn.Module):
    """conv 3 -> 8, conv 8 -> 6, mean, linear 6 -> 2: 8 + 6 = 14 units."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 6, 3, 2, 1), nn.Linear(6, 2)
        self.kept: dict[str, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.b(self.a(x).relu()).relu().mean((2, 3)))

    def note(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self.kept["gain"] = output.abs().mean()


class Scaled(Body):
    """Multiplies its output by what a hook of `a` has kept: its mean takes all 8 channels of `a`, so 6 units."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.kept["gain"]


def closure_that_writes() -> nn.Module:
    model = Scaled()
    model.a.register_forward_hook(lambda module, inputs, output: model.note(module, inputs, output))
    return model


def closure_that_writes_in_training() -> nn.Module:
    model = Body()
    model.a.register_forward_hook(lambda m, x, output: model.note(m, x, output) if m.training else None)
    return model


def closure_that_reads_a_parameter() -> nn.Module:
    model = Body()
    model.a.register_forward_hook(lambda module, inputs, output: output * model.head.weight[0, 0])
    return model


def closure_that_reads_the_mode() -> nn.Module:
    model = Body()
    model.a.register_forward_hook(lambda module, inputs, output: output * 2 if model.training else output)
    return model


def forward_of_the_old_self() -> nn.Module:
    model = Body()
    forward = model.forward
    model.forward = lambda x: 2 * forward(x)  # type: ignore[method-assign]
    return model


class Child(nn.Module):
    def __init__(self, parent: nn.Module) -> None:
        super().__init__()
        self.parent = weakref.ref(parent)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.parent().head.weight[0, 0]  # type: ignore[union-attr]


def weak_reference() -> nn.Module:
    model = Body()
    model.a = nn.Sequential(model.a, Child(model))  # type: ignore[assignment]
    return model


class Registered(Body):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * ELSEWHERE[id(self)]


def registered_elsewhere() -> nn.Module:
    model = Registered()
    ELSEWHERE[id(model)] = 2.0
    return model


REFUSED: dict[Callable[[], nn.Module], str] = {
    closure_that_writes: "a copy of it .*: a hook of a refers to the model itself by a closure",
    closure_that_writes_in_training: "changes kept.gain of the original: a hook of a refers to",
    closure_that_reads_a_parameter: "reads head.weight of the original: a hook of a refers to",
    closure_that_reads_the_mode: "computes something else .* a hook of a refers to the model itself by a closure",
    forward_of_the_old_self: "the forward of the model refers to the model itself by a closure",
    weak_reference: r"a\.1\.parent refers to the model itself by a weak reference",
    registered_elsewhere: "something outside of it, such as a global variable, takes part",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
@pytest.mark.parametrize("used", [False, True])
def test_copies_that_compute_something_else_are_refused(make: Callable[[], nn.Module], used: bool) -> None:
    model = make().train(not used)
    if used:
        model(IMAGE)
    before = _written_out(model)
    with pytest.raises(legr.TraceError, match=REFUSED[make]):
        legr.trace(model, IMAGE)
    assert _written_out(model) == before


def test_a_proof_refuses_such_a_model_as_well() -> None:
    structure = legr.trace(Body(), IMAGE)
    with pytest.raises(legr.TraceError, match="a hook of a refers to"):
        legr.verify(closure_that_writes_in_training(), structure, IMAGE)


class Random(Body):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * random.SystemRandom().random()


def test_a_random_answer_is_not_laid_at_the_door_of_a_copy() -> None:
    with pytest.raises(legr.TraceError, match="gives two answers to one input in evaluation mode"):
        legr.trace(Random(), IMAGE)


def bound_method() -> nn.Module:
    model = Scaled()
    model.a.register_forward_hook(model.note)
    return model


def _keep(model: Body, module: nn.Module, inputs: Any, output: Tensor) -> None:
    model.note(module, inputs, output)


def partial() -> nn.Module:
    model = Scaled()
    model.a.register_forward_hook(functools.partial(_keep, model))
    return model


class Counts(Body):
    def __init__(self) -> None:
        super().__init__()
        self.calls, self.generator = [0], torch.Generator().manual_seed(0)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls[0] += 1
        self.seen += 1
        return super().forward(x) / self.calls[0] + self.seen + torch.rand(2, generator=self.generator)


class Remembers(Body):
    """Adds the map of `a` of its last pass."""

    def __init__(self) -> None:
        super().__init__()
        self.last: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x).relu()
        last, self.last = self.last, [x]
        return self.head(self.b(x + last[0] if last else x).relu().mean((2, 3)))


class Normalises(Body):
    """Rescales a weight in place, and gives a bias new memory: one that is computed holds the 6 filters of `b`."""

    def forward(self, x: Tensor) -> Tensor:
        self.head.weight.data.mul_(0.5)
        self.b.bias.data = self.b.bias.data / 2  # type: ignore[union-attr]
        return super().forward(x)


class Caches(Body):
    """Derives a weight from a parameter at its first call: a weight that is computed holds its 8 filters."""

    def __init__(self) -> None:
        super().__init__()
        self.cache: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.cache is None:
            self.cache = 2 * self.a.weight
        x = nn.functional.conv2d(x, self.cache, self.a.bias, 2, 1).relu()
        return self.head(self.b(x).relu().mean((2, 3)))


class Elsewhere(Body):
    """A global variable that every pass writes before it reads it does no harm."""

    def forward(self, x: Tensor) -> Tensor:
        ELSEWHERE["gain"] = x.abs().mean()
        return super().forward(x) * ELSEWHERE["gain"]


PRUNED: dict[Callable[[], nn.Module], int] = {
    bound_method: 6,
    partial: 6,
    Counts: 14,
    Remembers: 14,
    Normalises: 8,
    Caches: 6,
    Elsewhere: 14,
}


@pytest.mark.parametrize("make", PRUNED, ids=lambda make: make.__name__)
def test_what_a_forward_leaves_behind_is_put_back_and_stays_in_copies(make: Callable[[], nn.Module]) -> None:
    model = make()
    before = _written_out(model)
    structure = legr.trace(model, IMAGE)
    assert structure.n_units == PRUNED[make]
    assert legr.verify(model, structure, IMAGE) < 1e-12
    same = legr.prune(model, structure, legr.Keep(np.ones(structure.n_units, dtype=bool)))
    assert _written_out(model) == before
    for image in (IMAGE, 3 * IMAGE):
        assert torch.equal(same.eval()(image), model.eval()(image))


def test_features_of_a_training_pass_stay_where_they_are() -> None:
    model = Remembers().train()
    model(IMAGE).sum().backward()
    structure = legr.trace(model, torch.zeros(1, 3, 8, 8))
    assert model.last[0].requires_grad
    smaller = legr.prune(model, structure, legr.Keep(np.ones(structure.n_units, dtype=bool)))
    assert torch.equal(smaller.last[0], model.last[0])
    assert smaller.last[0].is_leaf


def _written_out(item: Any) -> Any:
    """Everything that a model holds, as text and numbers."""
    if isinstance(item, Tensor):
        return item.detach().clone().tolist()
    if isinstance(item, torch.Generator):
        return item.get_state().tolist()
    if isinstance(item, nn.Module):
        return _written_out(vars(item))
    if isinstance(item, dict):
        return {key: _written_out(value) for key, value in item.items()}
    return [_written_out(value) for value in item] if isinstance(item, list) else repr(item)


def test_recurrent_weights_that_a_hook_computes_are_copied_with_the_model() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.rnn, self.head = nn.Conv1d(4, 16, 3), nn.LSTM(16, 12, batch_first=True), nn.Linear(12, 3)

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.head(self.rnn(self.conv(x).relu().transpose(1, 2))[0][:, -1])
            return result

    model = Recurrent()
    prune.l1_unstructured(model.rnn, "weight_ih_l0", 0.3)
    assert legr.trace(model, torch.zeros(2, 4, 16)).input_shapes == ((2, 4, 16),)


def test_a_network_without_an_evaluation_mode_is_refused_in_a_sentence() -> None:
    class Fixed(nn.Sequential):
        def train(self) -> nn.Module:  # type: ignore[override]
            return self

    with pytest.raises(legr.TraceError, match=r"Fixed cannot be put into evaluation mode .*; give its train method"):
        legr.trace(Fixed(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)), torch.zeros(1, 3, 8, 8))
