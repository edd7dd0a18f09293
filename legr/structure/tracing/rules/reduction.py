"""Rules for operations that work along dims: pooling, resizing, means, sums, softmax.

They do not know the table they stand in.
"""

import re
from typing import TYPE_CHECKING

import torch

from legr.structure.operations import Call
from legr.structure.tracing.nodes import varying
from legr.structure.tracing.rules.elementwise import pointwise
from legr.structure.tracing.rules.fallback import hold_all

if TYPE_CHECKING:
    from legr.structure.tracing.tracer import Tracer

_OVER = "it works over the channels, and their number changes its result"


def spatial(tracer: "Tracer", call: Call) -> None:
    """Pooling and resizing over the last dims, as many as the name says: channels stay where they are."""
    x = call.inputs[0]
    match = re.search(r"([123])d", call.name)
    channel = x.dim() - 1 - int(match[1]) if match else 1
    channels = tracer.along(x, channel)
    if channels is None:
        return hold_all(tracer, call, "its input has channels along another dimension")
    for other in call.inputs[1:]:  # where to look: boxes, a flow
        tracer.hold(tracer.labels(other), call.name, "they are places in space")
    for out in call.outputs:
        tracer.write_along(out, channel, channels)


def reduce_dims(tracer: "Tracer", call: Call) -> None:
    """Reductions over dims that hold no channels; over channels they hold them."""
    if call["other"] is not None:  # max(a, b)
        return pointwise(tracer, call)
    labels, reduced = tracer.labels(call["self"]), _reduced(call)
    if reduced & set(varying(labels)) or not labels.numel():
        return hold_all(tracer, call, _OVER)
    for d in reduced:
        labels = labels.narrow(d, 0, 1)
    for out in call.outputs:
        tracer.write(out, labels.reshape(out.shape) if labels.dim() != out.dim() else labels)


def add_up(tracer: "Tracer", call: Call) -> None:
    """A sum over channels: exact where removed channels are zero, which a rehearsal finds out."""
    labels = tracer.labels(call["self"])
    if not _reduced(call) & set(varying(labels)):
        return reduce_dims(tracer, call)
    if tracer.choose(("exact",), call.name, labels) == "hold":
        return hold_all(tracer, call, "a removed channel is not zero there")
    for out in call.outputs:
        tracer.write(out, torch.zeros((), dtype=torch.int64))


def along_dim(tracer: "Tracer", call: Call) -> None:
    """Softmax, cumulative sums: the result has the input's shape; over channels they hold them."""
    x, labels = call["self"], tracer.labels(call["self"])
    if call["dim"] % max(x.dim(), 1) in varying(labels):
        return hold_all(tracer, call, _OVER)
    for out in call.outputs:
        tracer.write(out, labels)


def _reduced(call: Call) -> set[int]:
    x, dims = call["self"], call["dim"]
    if isinstance(dims, int):
        dims = [dims]
    return {d % x.dim() for d in (dims or range(x.dim()))} if x.dim() else set()
