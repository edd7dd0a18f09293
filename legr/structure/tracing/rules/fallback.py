"""What happens to operations that no rule follows: every channel they read becomes unprunable."""

import torch

from legr.structure.macs import macs_of
from legr.structure.operations import Call
from legr.structure.tracing.channels import Channels


def unknown(channels: Channels, call: Call) -> None:
    """An operation without a rule: its cost is constant, and reported where nobody knows it."""
    macs = macs_of(call)
    if macs is None:
        channels.note_uncounted(call.name)
    else:
        channels.add_cost(None, macs)
    mark_all_unprunable(channels, call, "there is no rule for this operation")


def refuted(channels: Channels, call: Call) -> None:
    """An operation that went wrong in every dry run; its cost is counted where it runs."""
    mark_all_unprunable(channels, call, "sizes or values there are constants of the model's forward")


def mark_all_unprunable(channels: Channels, call: Call, reason: str) -> None:
    """Make every channel and every parameter that an operation reads unprunable; its results have no channels."""
    for tensor in call.inputs:
        channels.mark_parameter_unprunable(tensor, call.name)
        channels.mark_unprunable(channels.labels(tensor), call.name, reason)
    for tensor in call.outputs:
        channels.write(tensor, torch.zeros((), dtype=torch.int64))
