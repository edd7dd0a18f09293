"""Rules for operations that take a part of the channels: what their bounds mean is a hypothesis.

A slice is a view: its labels need no rule, its bounds do.
"""

from torch import Tensor

from legr.structure.operations import Call
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.hypotheses import AnyHypothesis, Hypothesis
from legr.structure.tracing.nodes import varying
from legr.structure.tracing.rules.registry import rule

_BOUNDS = "its bounds are constants in the model's forward"
_FEWEST = 8  # units that equal pieces must have left to be worth coupling


@rule("slice select narrow split split_with_sizes unsafe_split unsafe_split_with_sizes", reads_axes=True, is_view=True)
def take(channels: Channels, call: Call) -> None:
    """Take a part of the channels, by bounds that follow the shapes or by constants."""
    labels, dim = channels.labels(call["self"]), _dim(call)
    size = labels.shape[dim] if labels.dim() else 0
    if dim not in varying(labels) or all(out.shape == call["self"].shape for out in call.outputs):
        return
    bounds, n_pieces = _constant_bounds(call, size), _equal_pieces(call, size, dim)
    options: list[AnyHypothesis] = []
    if "select" not in call.name:
        options.append(Hypothesis.FOLLOWS_SHAPES)
    if n_pieces > 1:
        options.append(Hypothesis.EQUAL_PIECES)
    if bounds is not None:
        options.append(Hypothesis.CONSTANT_BOUNDS)
    hypothesis = channels.choose(options, labels)
    if hypothesis is Hypothesis.EQUAL_PIECES:
        _couple_pieces(channels, call, labels, dim, n_pieces)
    elif hypothesis is Hypothesis.CONSTANT_BOUNDS:
        assert bounds is not None
        front, back = bounds
        for start, length in ((0, front), (size - back, back)):
            channels.mark_unprunable(labels.narrow(dim, start, length), call.name, _BOUNDS)
    elif hypothesis is Hypothesis.UNPRUNABLE:
        channels.mark_unprunable(labels, call.name, _BOUNDS)


@rule("chunk unsafe_chunk tensor_split", reads_axes=True)
def chunk(channels: Channels, call: Call) -> None:
    """Pieces of one size: every piece loses the same channels, or none does."""
    labels, dim = channels.labels(call["self"]), _dim(call)
    n_pieces = len(call.outputs)
    if dim not in varying(labels) or n_pieces == 1:
        return None
    if len({out.shape[dim] for out in call.outputs}) == 1:
        min_units = min(_FEWEST, labels.shape[dim] // n_pieces)
        hypothesis = channels.choose((Hypothesis.EQUAL_PIECES,), labels, min_units=min_units)
        if hypothesis is Hypothesis.EQUAL_PIECES:
            return _couple_pieces(channels, call, labels, dim, n_pieces)
    channels.mark_unprunable(labels, call.name, _BOUNDS)


@rule("glu")
def gated(channels: Channels, call: Call) -> None:
    """glu: the second half of the channels gates the first; both halves lose the same."""
    x, labels = call["self"], channels.labels(call["self"])
    dim = call["dim"] % x.dim()
    if dim in varying(labels):
        _couple_pieces(channels, call, labels, dim, 2)
    channels.write(call.output, channels.find(labels.narrow(dim, 0, labels.shape[dim] // 2)))


@rule("unbind", reads_axes=True)
def unbind(channels: Channels, call: Call) -> None:
    """Every channel as a tensor of its own: their number is a constant of the forward."""
    labels = channels.labels(call["self"])
    if _dim(call) in varying(labels):
        channels.mark_unprunable(labels, call.name, _BOUNDS)


def _couple_pieces(channels: Channels, call: Call, labels: Tensor, dim: int, n_pieces: int) -> None:
    for other in range(labels.dim()):
        if other != dim:
            labels = labels.narrow(other, 0, 1)
    channels.couple(labels.reshape(n_pieces, -1), call.name, "pieces of one size lose the same channels")


def _equal_pieces(call: Call, size: int, dim: int) -> int:
    """How many pieces of one size the bounds divide the channels into; 0 where they do not."""
    if "select" in call.name:
        return 0
    sizes = {out.shape[dim] for out in call.outputs}
    piece, start = sizes.pop(), call["start"] or 0
    whole = not sizes and piece > 0 and size % piece == 0 and start % piece == 0 and call["step"] in (None, 1)
    return size // piece if whole else 0


def _constant_bounds(call: Call, size: int) -> tuple[int, int] | None:
    """How many channels at the front and at the back must stay, if the bounds are constants; None: all must."""
    name = call.name
    if "slice" in name:
        if call["step"] != 1:
            return None
        bounds = [bound for bound in (call["start"], call["end"]) if bound is not None]
    elif "narrow" in name:
        bounds = [call["start"], call["start"] + call["length"]]
    elif "select" in name:
        number = call["index"]
        bounds = [number + 1] if number >= 0 else [number]
    elif "sizes" in name:
        return None  # the sizes must add up to the channels there are
    else:
        bounds = [piece * call["split_size"] for piece in range(1, len(call.outputs))]
    front = max([bound for bound in bounds if 0 < bound < size], default=0)
    back = max([-bound for bound in bounds if -size < bound < 0], default=0)
    return front, back


def _dim(call: Call) -> int:
    x: Tensor = call["self"]
    return int(call["dim"] or 0) % max(x.dim(), 1)
