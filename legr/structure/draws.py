"""What a training forward draws, drawn alike for zeroed and pruned networks: one number for all elements.

Such numbers are drawn independently for every channel. So the two networks compute the same in training mode if they do
for any numbers that agree on the channels that both have.
"""

import functools
from typing import Any

import torch
from torch import Tensor

from legr.structure.operations import Call, base_name, parameter_names

_LIKE = ("rand_like", "randn_like", "randint_like")
_SIZED = ("rand", "randn", "randint", "normal")
_FILL = ("uniform", "normal", "exponential", "cauchy", "log_normal", "geometric", "random", "bernoulli")


def draw_alike(call: Call) -> Any:
    """Draw one number and return it, or write it, in every element; None for an operation that draws no numbers.

    An operation whose numbers are not independent, such as a permutation, is none of these.
    """
    if torch.Tag.nondeterministic_seeded not in call.func.tags:
        return None
    name, kwargs = base_name(call.func), call.kwargs
    x, p = call["self"], call["p"]
    if name == "rrelu":
        return call.again({"training": False})
    if name == "bernoulli" and (p is None or isinstance(p, Tensor)):  # a probability for every element
        drawn = torch.rand((), dtype=torch.float64, generator=call["generator"]) < (x if p is None else p)
        return x.copy_(drawn) if call.func._schema.is_mutable else drawn.to(x.dtype)
    if name in _FILL and call.func._schema.is_mutable:
        return x.copy_(call.func(torch.empty_like(x.flatten()[:1]), *call.args[1:], **kwargs).expand(x.shape))
    if name in _LIKE or (name == "bernoulli" and isinstance(x, Tensor)):
        one = call.func(torch.empty_like(x.flatten()[:1]), *call.args[1:], **kwargs)
        return one.expand(x.shape).clone(memory_format=torch.preserve_format)
    size = call["size"]
    if name in _SIZED and size is not None:
        return call.again({"size": [1] * len(size)}).expand(size).clone()
    return None


def without_dropout(call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of an operation, with the probability of a dropout inside of it set to 0."""
    position = _dropout_argument(call.func)
    if position is None:
        return call.args, call.kwargs
    name = parameter_names(call.func)[position]
    args = tuple(0.0 if number == position else value for number, value in enumerate(call.args))
    return args, {key: 0.0 if key == name else value for key, value in call.kwargs.items()}


@functools.cache
def _dropout_argument(func: Any) -> int | None:
    names = enumerate(parameter_names(func))
    return next((position for position, name in names if name in ("dropout", "dropout_p")), None)
