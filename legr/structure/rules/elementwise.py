"""The rule for operations that work element by element.

It does not know which operations those are.
"""

from typing import TYPE_CHECKING

from torch import Tensor

from legr.structure.rules.call import Call, varying

if TYPE_CHECKING:
    from legr.structure.trace import Tracer


def pointwise(tracer: "Tracer", call: Call) -> None:
    """Unite the operands element by element; one that is broadcast over the channels must be fixed."""
    out = call.outputs[0]
    operands = [x for x in call.inputs if x.dim() > 0]
    result: Tensor | None = None
    for x in operands:
        own = tracer.labels(x)
        spread = own.expand(out.shape)
        if result is None:
            result = spread
            continue
        dims = {d for labels in (result, spread) for d in varying(labels)}
        if any(_size(x, d, out) == 1 and out.shape[d] > 1 for d in dims):
            tracer.hold(own, call.name, "they are broadcast over the channels of another tensor")
            continue
        narrow = [result, spread]
        for d in range(out.dim()):
            if d not in dims:
                narrow = [labels.narrow(d, 0, 1) for labels in narrow]
        tracer.unite(narrow[0], narrow[1], call.name)
        result = tracer.nodes.find(result)
    if result is not None:
        tracer.write(out, result)


def _size(x: Tensor, dim: int, out: Tensor) -> int:
    """Size of `x` along the output's dim `dim`, broadcasting from the right."""
    own = dim - (out.dim() - x.dim())
    return x.shape[own] if own >= 0 else 1
