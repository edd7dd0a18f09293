"""Rules for operations that move values without changing them: views, slices, concatenation, padding.

They do not know the table they stand in.
"""

from typing import TYPE_CHECKING

import torch

from legr.structure.rules.call import Call, unknown, varying

if TYPE_CHECKING:
    from legr.structure.trace import Tracer


def view(tracer: "Tracer", call: Call) -> None:
    """Same storage, same labels: nothing to do. A copy where the layout demands one keeps them as well."""


def pick(tracer: "Tracer", call: Call) -> None:
    """Slices: along space they are views; along channels their bounds are constants that pruning would falsify."""
    x = call["self"]
    labels = tracer.labels(x)
    dim = (call["dim"] or 0) % max(x.dim(), 1)
    if dim in varying(labels) and any(out.shape != x.shape for out in call.outputs):
        tracer.hold(labels, call.name, "its bounds are constants in the model's forward")


def concatenate(tracer: "Tracer", call: Call) -> None:
    """Concatenation moves labels as it moves values."""
    tensors = [x for x in call["tensors"] if x.numel()]
    tracer.write(call.output, torch.cat([tracer.labels(x) for x in tensors], dim=call["dim"]))


def pad(tracer: "Tracer", call: Call) -> None:
    """Constant padding: new channels are fixed; a border in space belongs to its channel."""
    x, out, amounts = call["self"], call.output, call["pad"]
    if call["mode"] not in ("constant", None):
        return unknown(tracer, call)
    dims = varying(tracer.labels(x))
    if len(dims) != 1:
        return None if not dims and not tracer.labels(x).any() else unknown(tracer, call)
    (dim,) = dims
    channels = tracer.along(x, dim)
    assert channels is not None
    place = 2 * (x.dim() - 1 - dim)  # amounts start at the last dim
    if place < len(amounts) and min(amounts[place : place + 2]) < 0:
        return unknown(tracer, call)  # cropping channels by a constant
    if place < len(amounts):
        channels = torch.nn.functional.pad(channels, tuple(amounts[place : place + 2]), value=0)
    tracer.write_along(out, dim, channels)
