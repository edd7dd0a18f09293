"""Rules for operations that take a part of the channels: what their bounds assume is a hypothesis.

They do not know the table they stand in. A slice is a view: its labels need no rule, its bounds do.
"""

from typing import TYPE_CHECKING

from torch import Tensor

from legr.structure.operations import Call
from legr.structure.tracing.nodes import varying

if TYPE_CHECKING:
    from legr.structure.tracing.tracer import Tracer

_BOUNDS = "its bounds are constants in the model's forward"
_FEWEST = 8  # units that pieces of one size must have left to be worth tying


def take(tracer: "Tracer", call: Call) -> None:
    """slice, narrow, split, select: bounds that follow the shapes, or constants below which nothing may go."""
    labels, dim = tracer.labels(call["self"]), _dim(call)
    if dim not in varying(labels) or all(out.shape == call["self"].shape for out in call.outputs):
        return
    bounds = _bounds(call, labels.shape[dim])
    pieces = _equal_pieces(call, labels.shape[dim], dim)
    options = (
        *(("follow",) if "select" not in call.name else ()),
        *(("tie",) if pieces > 1 else ()),
        *(("below",) if bounds is not None else ()),
    )
    option = tracer.choose(options, call.name, labels)
    if option == "tie":
        _tie_pieces(tracer, call, labels, dim, pieces)
    elif option == "below":
        assert bounds is not None
        front, back = bounds
        for start, length in ((0, front), (labels.shape[dim] - back, back)):
            tracer.hold(labels.narrow(dim, start, length), call.name, _BOUNDS)
    elif option == "hold":
        tracer.hold(labels, call.name, _BOUNDS)


def chunk(tracer: "Tracer", call: Call) -> None:
    """Pieces of one size: every piece loses the same channels, or none does."""
    labels, dim = tracer.labels(call["self"]), _dim(call)
    if dim not in varying(labels) or len(call.outputs) == 1:
        return None
    equal = len({out.shape[dim] for out in call.outputs}) == 1
    fewest = min(_FEWEST, labels.shape[dim] // len(call.outputs))
    if equal and tracer.choose(("tie",), call.name, labels, fewest=fewest) == "tie":
        return _tie_pieces(tracer, call, labels, dim, len(call.outputs))
    tracer.hold(labels, call.name, _BOUNDS)


def gated(tracer: "Tracer", call: Call) -> None:
    """glu: the second half of the channels gates the first; both halves lose the same."""
    x, labels = call["self"], tracer.labels(call["self"])
    dim = call["dim"] % x.dim()
    if dim in varying(labels):
        _tie_pieces(tracer, call, labels, dim, 2)
    tracer.write(call.output, tracer.nodes.find(labels.narrow(dim, 0, labels.shape[dim] // 2)))


def unbind(tracer: "Tracer", call: Call) -> None:
    """Every channel by itself: their number is a constant of the forward."""
    labels = tracer.labels(call["self"])
    if _dim(call) in varying(labels):
        tracer.hold(labels, call.name, _BOUNDS)


def _tie_pieces(tracer: "Tracer", call: Call, labels: Tensor, dim: int, pieces: int) -> None:
    for other in range(labels.dim()):
        if other != dim:
            labels = labels.narrow(other, 0, 1)
    tracer.tie(labels.reshape(pieces, -1), call.name, "pieces of one size lose the same channels")


def _equal_pieces(call: Call, size: int, dim: int) -> int:
    """How many pieces of one size the bounds divide the channels into; 0 where they do not."""
    if "select" in call.name:
        return 0
    sizes = {out.shape[dim] for out in call.outputs}
    piece, start = sizes.pop(), call["start"] or 0
    whole = not sizes and piece > 0 and size % piece == 0 and start % piece == 0 and call["step"] in (None, 1)
    return size // piece if whole else 0


def _bounds(call: Call, size: int) -> tuple[int, int] | None:
    """How many channels at the front and at the back must stay for constant bounds to stay right."""
    name = call.name
    if "slice" in name:
        if call["step"] != 1:
            return None
        ends = [bound for bound in (call["start"], call["end"]) if bound is not None]
    elif "narrow" in name:
        ends = [call["start"], call["start"] + call["length"]]
    elif "select" in name:
        number = call["index"]
        ends = [number + 1] if number >= 0 else [number]
    elif "sizes" in name:
        return None  # the sizes must add up to what is there
    else:
        ends = [out * call["split_size"] for out in range(1, len(call.outputs))]
    front = max([bound for bound in ends if 0 < bound < size], default=0)
    back = max([-bound for bound in ends if -size < bound < 0], default=0)
    return front, back


def _dim(call: Call) -> int:
    x: Tensor = call["self"]
    return int(call["dim"] or 0) % max(x.dim(), 1)
