"""The rule for operations that work element by element.

It does not know which operations those are.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from legr.structure.rules.call import Call, unknown, varying

if TYPE_CHECKING:
    from legr.structure.trace import Tracer


def pointwise(tracer: "Tracer", call: Call) -> None:
    """Unite the operands element by element; one that is broadcast over another's channels must be fixed."""
    out = call.outputs[0]
    operands = [(x, tracer.labels(x)) for x in call.inputs if x.dim() > 0]
    dims = sorted({d for _, labels in operands for d in varying(labels.expand(out.shape))})
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


def divide(tracer: "Tracer", call: Call) -> None:
    """A quotient of two tensors: a removed divisor is 0, and 0 / 0 is no number; its channels stay."""
    if len([x for x in call.inputs if x.dim() > 0]) > 1:
        return unknown(tracer, call)
    return pointwise(tracer, call)


def _size(x: Tensor, dim: int, out: Tensor) -> int:
    """Size of `x` along the output's dim `dim`, broadcasting from the right."""
    own = dim - (out.dim() - x.dim())
    return x.shape[own] if own >= 0 else 1
