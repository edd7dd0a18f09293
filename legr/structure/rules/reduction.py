"""Rules for operations that shrink a tensor in space and leave its channels alone.

They do not know the table they stand in.
"""

from typing import TYPE_CHECKING

from legr.structure.rules.call import Call, unknown, varying

if TYPE_CHECKING:
    from legr.structure.trace import Tracer


def pooling(tracer: "Tracer", call: Call) -> None:
    """Pooling over space: channels stay where they are; indices, if returned, are not followed."""
    x = call["self"] if call["self"] is not None else call["input"]
    out = call.outputs[0]
    channel = x.dim() - 1 - _spatial_dims(call)
    channels = tracer.along(x, channel)
    if channels is None:
        return unknown(tracer, call)
    tracer.write_along(out, channel, channels)


def _spatial_dims(call: Call) -> int:
    return next(n for n in (1, 2, 3) if f"{n}d" in call.name)


def reduce_dims(tracer: "Tracer", call: Call) -> None:
    """Mean or sum over dims that hold no channels."""
    x, out = call["self"], call.output
    dims = call["dim"]
    reduced = {d % x.dim() for d in ([dims] if isinstance(dims, int) else dims or range(x.dim()))}
    labels = tracer.labels(x)
    if reduced & set(varying(labels)):
        return unknown(tracer, call)
    for d in reduced:
        labels = labels.narrow(d, 0, 1)
    tracer.write(out, labels.reshape(out.shape) if not call["keepdim"] else labels)
