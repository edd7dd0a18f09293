"""Rules for operations that work element by element.

They do not know which operations those are.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from legr.structure.operations import Call
from legr.structure.tracing.nodes import lay_along, varying
from legr.structure.tracing.rules.fallback import hold_all, unknown

if TYPE_CHECKING:
    from legr.structure.tracing.tracer import Tracer

_ZERO = "a removed channel has no number there"


def pointwise(tracer: "Tracer", call: Call) -> None:
    """Unite the operands element by element; one that is broadcast over another's channels must be fixed."""
    if call.name == "where" and len(call.inputs) == 1:  # places, not values
        return unknown(tracer, call)
    out = call.outputs[0]
    tensors = [x for x in call.inputs if x.dim() > 0]
    operands = [(x, labels) for x in tensors if (labels := operand_labels(tracer, x)) is not None]
    dims = sorted({d for _, labels in operands for d in varying(labels.expand(out.shape))})
    for x in tensors:
        if not any(x is known for known, _ in operands):
            operands.append((x, _parameter_labels(tracer, call, x, out, dims)))
    result = torch.zeros((), dtype=torch.int64)
    united = False
    for x, labels in operands:
        if any(_size(x, d, out) == 1 and out.shape[d] > 1 for d in dims):
            tracer.hold(labels, call.name, "they are broadcast over the channels of another tensor")
            continue
        along = labels.expand(out.shape)
        for d in range(out.dim()):
            if d not in dims:
                along = along.narrow(d, 0, 1)
        if united:
            tracer.unite(result, along, call.name)
        result, united = along, True
    tracer.write(out, tracer.nodes.find(result))


def operand_labels(tracer: "Tracer", x: Tensor) -> Tensor | None:
    """Labels of an operand: a vector of parameters has nodes of its own; None: a parameter of several dims."""
    slot = tracer.slot(x)
    if slot is None:
        tracer.freeze(x, "part of it is read")
        return tracer.labels(x)
    long = [d for d in range(x.dim()) if x.shape[d] > 1]
    if not long:
        return tracer.labels(x)
    if len(long) > 1 or slot.dims[long[0]] is None:
        return None
    dim = slot.dims[long[0]]
    assert dim is not None
    return lay_along(tracer.axis(slot.name, dim), long[0], x.dim())


def _parameter_labels(tracer: "Tracer", call: Call, x: Tensor, out: Tensor, dims: list[int]) -> Tensor:
    """A parameter of several dims goes with the channels of the others along one of them, else stays whole."""
    slot = tracer.slot(x)
    assert slot is not None
    own = dims[0] - (out.dim() - x.dim()) if len(dims) == 1 else -1
    dim = slot.dims[own] if own >= 0 else None
    if dim is not None and x.shape[own] > 1:
        return lay_along(tracer.axis(slot.name, dim), own, x.dim())
    if len(dims) != 1 or (own >= 0 and x.shape[own] > 1):
        tracer.freeze(x, call.name)
    return torch.zeros((), dtype=torch.int64).expand(x.shape)


def like(tracer: "Tracer", call: Call) -> None:
    """A new tensor in the shape of another: its channels are those of the model."""
    tracer.write(call.output, tracer.labels(call["self"]))


def overwrite(tracer: "Tracer", call: Call) -> None:
    """Copy into a tensor or a part of one: what was there is forgotten."""
    target, source = call["self"], call["src"]
    if tracer.is_stored(target):
        return hold_all(tracer, call, "they are stored in the model")
    tracer.write(target, tracer.labels(source).expand(target.shape))


def factory(tracer: "Tracer", call: Call) -> None:
    """A new tensor that takes no more than its type from another."""


def fill(tracer: "Tracer", call: Call) -> None:
    """Set every element to one value: channels stay channels."""


def undefined_at_zero(tracer: "Tracer", call: Call) -> None:
    """Logarithms and reciprocals: of a removed channel, often 0, they may be no number, as a rehearsal finds out."""
    for x in call.inputs:
        labels = operand_labels(tracer, x)
        if labels is not None and labels.any() and tracer.choose(("exact",), call.name, labels) == "hold":
            tracer.hold(labels, call.name, _ZERO)
    return pointwise(tracer, call)


def divide(tracer: "Tracer", call: Call) -> None:
    """A quotient of two tensors: 0 / 0 is no number; whether a removed divisor is 0, a rehearsal finds out."""
    divisor = call["other"]
    labels = operand_labels(tracer, divisor) if isinstance(divisor, Tensor) else None
    if labels is not None and labels.any() and tracer.choose(("exact",), call.name, labels) == "hold":
        tracer.hold(labels, call.name, _ZERO)
    return pointwise(tracer, call)


def power(tracer: "Tracer", call: Call) -> None:
    """x ** y: as a logarithm unless the exponent is a number that is not negative."""
    exponent = call["exponent"]
    if isinstance(exponent, (int, float)) and exponent >= 0:
        return pointwise(tracer, call)
    if not isinstance(call["self"], Tensor):
        return pointwise(tracer, call)
    return undefined_at_zero(tracer, call)


def _size(x: Tensor, dim: int, out: Tensor) -> int:
    """Size of `x` along the output's dim `dim`, broadcasting from the right."""
    own = dim - (out.dim() - x.dim())
    return x.shape[own] if own >= 0 else 1
