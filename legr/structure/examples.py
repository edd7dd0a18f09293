"""Examples of how a model is called: arguments, method and mode; and how they are made ready for a run."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from legr.errors import TraceError
from legr.structure.precision import COMPLEX
from legr.structure.trees import map_tensors, tensors_in


@dataclass(frozen=True, slots=True)
class Example:
    """One way in which a model is called.

    Attributes:
        args: its arguments.
        kwargs: its keyword arguments.
        method: what is called, such as "encode" or "decoder.loss".
        training: whether it is called in training mode. Floating-point tensors whose values differ are then taken
            as they are, as targets mean something.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    method: str = "forward"
    training: bool = False

    @property
    def tensors(self) -> list[Tensor]:
        """Every tensor among the arguments."""
        return tensors_in((self.args, dict(self.kwargs)))

    def map(self, change: Callable[[Tensor], Any]) -> "Example":
        """The same call with every tensor changed."""
        args, kwargs = map_tensors(change, (self.args, dict(self.kwargs)))
        return replace(self, args=args, kwargs=kwargs)

    def run(self, network: nn.Module) -> Any:
        """Call a network, in the mode that it is in."""
        call = network if self.method == "forward" else attrgetter(self.method)(network)
        return call(*self.args, **self.kwargs)


Inputs = Tensor | tuple[Any, ...] | Mapping[str, Any] | Example
"""A tensor, a tuple of arguments, a dict of keyword arguments, or an `Example`."""


def as_examples(
    model: nn.Module,
    example_input: Inputs | None,
    examples: Sequence[Inputs] = (),
    methods: Sequence[str] | Mapping[str, Inputs] = (),
) -> tuple[Example, ...]:
    """Everything that a caller says of how a model is called, the example whose costs count first.

    Args:
        example_input: the first example; None where `examples` has it.
        examples: further ones.
        methods: names of further methods to call, with the arguments of the first example or, by name, their own.

    Raises:
        TraceError: there is no example, the first one is one of training, an example holds no tensor, or the model
            has no such method.
    """
    further = [examples] if isinstance(examples, (Tensor, Mapping, Example)) else examples  # one, not in a list
    given = [*([] if example_input is None else [example_input]), *further]
    if not given:
        raise TraceError("an example must be given, got none; pass one, such as torch.zeros(1, 3, 224, 224)")
    calls = [as_example(model, inputs) for inputs in given]
    own = methods if isinstance(methods, Mapping) else dict.fromkeys([methods] if isinstance(methods, str) else methods)
    for name, inputs in own.items():
        calls.append(replace(calls[0] if inputs is None else as_example(model, inputs, name), method=name))
    if calls[0].training:
        raise TraceError("the first example must be one of evaluation mode, as costs are counted there; put it first")
    for call in calls:
        _require_method(model, call.method)
    return tuple(calls)


def as_example(model: nn.Module, inputs: Inputs, method: str = "forward") -> Example:
    """An example input as a call, its tensors on the CPU.

    A dict is taken as keyword arguments where the method has parameters of these names.
    """
    if isinstance(inputs, Example):
        example = inputs if isinstance(inputs.args, tuple) else replace(inputs, args=(inputs.args,))
    elif isinstance(inputs, Mapping) and _takes(model, method, inputs):
        example = Example(kwargs=inputs, method=method)
    else:
        example = Example(inputs if isinstance(inputs, tuple) else (inputs,), method=method)
    if not example.tensors:
        raise TraceError(
            "example_input must be a tensor, or a tuple or dict of arguments that holds one, such as "
            "torch.zeros(1, 3, 224, 224)"
        )
    return example.map(lambda x: x.detach().cpu())


def noise_like(example: Example, dtype: torch.dtype, generator: torch.Generator) -> Example:
    """Normal random numbers in the shapes of the inputs; integer tensors and other arguments stay as they are."""

    def noise(x: Tensor) -> Tensor:
        if not (x.is_floating_point() or x.is_complex()):
            return x
        kind = COMPLEX[dtype] if x.is_complex() else dtype
        if example.training and x.numel() and bool((x != x.flatten()[0]).any()):
            return x.to(kind)
        return torch.randn(x.shape, generator=generator, dtype=kind)

    return example.map(noise)


def twice(example: Example) -> Example:
    """The call in training mode, with other values in a second half: batch norms need several there."""
    others = iter(noise_like(example, torch.float64, torch.Generator().manual_seed(1)).tensors)

    def double(x: Tensor) -> Tensor:
        other = next(others).to(x)
        return torch.cat((x, other)) if x.dim() else x

    return replace(example.map(double), training=True)


def _takes(model: nn.Module, method: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a method can be called with these keyword arguments."""
    try:
        inspect.signature(attrgetter(method)(model)).bind(**arguments)
    except (TypeError, ValueError, AttributeError):
        return False
    return True


def _require_method(model: nn.Module, method: str) -> None:
    try:
        found = callable(attrgetter(method)(model))
    except AttributeError:
        found = False
    if not found:
        raise TraceError(f"{method!r} must be a method of the model, and {type(model).__name__} has none of this name")
