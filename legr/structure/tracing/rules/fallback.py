"""One operation as a trace sees it, and what to do with an operation that has no rule.

It does not know any particular operation.
"""

from typing import TYPE_CHECKING

import torch
from torch.utils.flop_counter import flop_registry

from legr.structure.operations import Call

if TYPE_CHECKING:
    from legr.structure.tracing.tracer import Tracer


def unknown(tracer: "Tracer", call: Call) -> None:
    """No rule: hold every channel that comes in and count the cost as PyTorch counts it."""
    count = flop_registry.get(call.func._overloadpacket)
    if count is not None:
        tracer.add_cost(None, int(count(*call.args, **call.kwargs, out_val=call.output)) // 2)
    hold_all(tracer, call, "there is no rule for this operation")


def held_by_rehearsal(tracer: "Tracer", call: Call) -> None:
    """A rehearsal has shown that the operation does not survive pruning; its cost is counted where it ran."""
    hold_all(tracer, call, "sizes or values there are constants of the model's forward")


def hold_all(tracer: "Tracer", call: Call, reason: str) -> None:
    """Hold every channel and every parameter that an operation reads, and forget what its result is made of."""
    for tensor in call.inputs:
        tracer.freeze(tensor, call.name)
        tracer.hold(tracer.labels(tensor), call.name, reason)
    for tensor in call.outputs:
        tracer.write(tensor, torch.zeros((), dtype=torch.int64))
