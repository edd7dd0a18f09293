"""How a model is called: further examples and methods, keyword arguments, training with targets; what it returns."""

from collections import OrderedDict, UserDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import legr
from legr.structure.trees import map_tensors, named_leaves
from tests.nets import make

Pair = namedtuple("Pair", "first second")


@dataclass(frozen=True)
class Answer:
    logits: Tensor
    hidden: list[Tensor] = field(default_factory=list)


class Plain:
    def __init__(self, logits: Tensor) -> None:
        self.logits = logits


class Slotted:
    __slots__ = ("logits",)

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits


class ModelOutput(OrderedDict[str, Any]):
    """A dict whose items are attributes too, as libraries of transformers return it."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__(logits=logits)
        self.logits = logits


class Returning(nn.Module):
    """Two convolutions of 8 and 6 filters; what it returns has the second one's channels, so 8 units are left."""

    def __init__(self, wrap: Callable[[Tensor], Any] = lambda x: x) -> None:
        super().__init__()
        self.a, self.b, self.wrap = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 6, 1), wrap

    def forward(self, x: Tensor) -> Any:
        return self.wrap(self.b(self.a(x).relu()))


WRAPPERS = {
    "dict": lambda x: {"logits": x, "loss": None},
    "nested": lambda x: [(1, {"deep": [x]})],
    "namedtuple": lambda x: Pair(x, "text"),
    "dataclass": lambda x: Answer(x.mean((2, 3)), [x]),
    "object": Plain,
    "slots": Slotted,
    "model output": ModelOutput,
    "user dict": lambda x: UserDict(logits=x),
    "distribution": lambda x: torch.distributions.Normal(x, 1.0, validate_args=False),
}


@pytest.mark.parametrize("kind", WRAPPERS)
def test_outputs_are_looked_into_and_their_channels_stay(kind: str) -> None:
    model, image = make(lambda: Returning(WRAPPERS[kind])), torch.zeros(1, 3, 4, 4)
    structure = legr.trace(model, image)
    assert structure.n_units == 8
    assert legr.verify(model, structure, image) < 1e-12


@pytest.mark.parametrize("kind", WRAPPERS)
def test_a_wrong_channel_anywhere_in_the_output_is_found(kind: str) -> None:
    """A structure that lets go of output channels is refuted, wherever in the output they stand."""
    image = torch.zeros(1, 3, 4, 4)
    structure = legr.trace(make(lambda: _Inner()), image)  # it hides the channels of `b` in a sum
    with pytest.raises(legr.VerificationError):
        legr.verify(make(lambda: Returning(WRAPPERS[kind])), structure, image)


class _Inner(Returning):
    def forward(self, x: Tensor) -> Any:
        return self.b(self.a(x).relu()).sum((1, 2, 3))


def test_numbers_in_an_output_are_compared() -> None:
    class Counting(Returning):
        def forward(self, x: Tensor) -> Any:
            hidden = self.a(x).relu()
            return self.b(hidden), {"width": hidden.shape[1]}

    model, image = make(Counting), torch.zeros(1, 3, 4, 4)
    with pytest.raises(legr.VerificationError, match="differ"):
        legr.verify(model, legr.trace(model, image), image)


def test_leaves_have_places_and_trees_are_copied() -> None:
    one, other = torch.zeros(1), torch.ones(1)
    tree = {"a": [one, 2], "b": Answer(other), "c": Pair(None, "x")}
    assert [name for name, _ in named_leaves(tree)] == ["['a'][0]", "['a'][1]", "['b'].logits", "['c'][0]", "['c'][1]"]
    doubled = map_tensors(lambda x: 2 * x, tree)
    assert doubled["b"].logits.item() == 2
    assert tree["b"].logits.item() == 1
    assert isinstance(doubled["c"], Pair)
    loop: list[Any] = [one]
    loop.append(loop)
    assert len(list(named_leaves(loop))) == 1


class TwoWays(nn.Module):
    """8 -> 6 -> outputs; `wide` is for images over 16 pixels, `encode` has a projection, `aux` needs targets."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 6, 1), nn.Linear(6, 4)
        self.wide, self.project, self.aux = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 5, 1), nn.Linear(6, 4)

    def forward(self, image: Tensor, targets: Tensor | None = None) -> Tensor:
        x = self.a(image).relu()
        if image.shape[-1] > 16:
            x = x + self.wide(x)
        x = self.b(x).relu().mean((2, 3))
        if not self.training:
            return self.head(x)
        if targets is None:
            raise ValueError("targets must be given in training mode")
        return F.cross_entropy(self.head(x), targets) + F.cross_entropy(self.aux(x), targets)

    def encode(self, image: Tensor) -> dict[str, Tensor]:
        return {"features": self.project(self.a(image).relu())}


def _ways() -> dict[str, Any]:
    training = legr.Example((torch.zeros(4, 3, 8, 8),), {"targets": torch.arange(4)}, training=True)
    return {"examples": [torch.zeros(1, 3, 20, 20), training], "methods": ["encode"]}


def test_examples_and_methods_are_traced_together_and_proved() -> None:
    model, image = make(TwoWays), torch.zeros(1, 3, 8, 8)
    structure = legr.trace(model, image, **_ways())
    assert not structure.untouched
    assert structure.training_only == ("aux.weight", "aux.bias")
    assert structure.n_units == 8 + 6
    assert structure.axis_of["wide.weight", 0].labels.tolist() == structure.axis_of["a.weight", 0].labels.tolist()
    assert structure.axis_of["aux.weight", 1].labels.tolist() == structure.axis_of["b.weight", 0].labels.tolist()
    assert legr.verify(model, structure, image, **_ways()) < 1e-12
    keep = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure))).at(macs=0.5)
    smaller = legr.prune(model, structure, keep)
    smaller.eval()(torch.randn(1, 3, 32, 32))
    smaller.encode(torch.randn(1, 3, 8, 8))  # type: ignore[operator]
    smaller.train()(torch.randn(4, 3, 8, 8), torch.arange(4)).backward()


def test_costs_are_those_of_the_first_example() -> None:
    model, image = make(TwoWays), torch.zeros(1, 3, 8, 8)
    alone = 8 * 8 * (8 * 3 * 9 + 8 * 6) + 6 * 4  # a and b at 64 positions, and the head
    assert legr.structure.cost.original_cost(legr.trace(model, examples=[image], methods=["encode"])).macs == alone


def test_a_mistake_in_one_example_is_found_by_a_proof_with_it() -> None:
    model, image = make(TwoWays), torch.zeros(1, 3, 8, 8)
    structure = legr.trace(model, image, **_ways())
    axes = tuple(axis for axis in structure.axes if axis.parameter != "wide.weight")
    structure = replace(structure, axes=axes)
    assert legr.verify(model, structure, image) < 1e-12
    with pytest.raises(legr.VerificationError, match=r"with inputs \(1, 3, 20, 20\)"):
        legr.verify(model, structure, image, examples=[torch.zeros(1, 3, 20, 20)])


def test_keyword_arguments_are_taken_by_their_names() -> None:
    model, image = make(TwoWays), torch.zeros(1, 3, 8, 8)
    by_name = legr.trace(model, {"image": image}, methods=["encode"])
    assert by_name.n_units == legr.trace(model, image, methods={"encode": image}).n_units
    assert legr.verify(model, by_name, {"image": image}) < 1e-12

    class OneDict(Returning):
        def forward(self, batch: dict[str, Tensor]) -> Any:
            return super().forward(batch["image"])

    assert legr.trace(make(OneDict), {"image": image}).n_units == 8


def test_inputs_in_objects_are_found() -> None:
    class Batched(Returning):
        def forward(self, batch: Answer) -> Any:
            return super().forward(batch.logits)

    model, batch = make(Batched), (Answer(torch.zeros(1, 3, 4, 4)),)
    structure = legr.trace(model, batch)
    assert structure.input_shapes == ((1, 3, 4, 4),)
    assert legr.verify(model, structure, batch) < 1e-12


def test_one_example_or_method_needs_no_list() -> None:
    model, image = make(TwoWays), torch.zeros(1, 3, 8, 8)
    alone = legr.trace(model, examples=image, methods="encode")  # type: ignore[arg-type]
    assert alone.n_units == legr.trace(model, legr.Example(image), methods=["encode"]).n_units  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "an example must be given"),
        ({"examples": [legr.Example((torch.zeros(1, 3, 8, 8),), training=True)]}, "first example must be one of eval"),
        ({"examples": [torch.zeros(1, 3, 8, 8)], "methods": ["encod"]}, "'encod' must be a method of the model"),
        ({"examples": [torch.zeros(1, 3, 8, 8), "image"]}, "example_input must be a tensor"),
    ],
)
def test_mistakes_are_said_in_one_sentence(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(legr.TraceError, match=said):
        legr.trace(make(TwoWays), **arguments)
