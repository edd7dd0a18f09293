"""Rules for normalisation: parameters and statistics go with their channels.

They do not know the table they stand in.
"""

from typing import TYPE_CHECKING

from torch import Tensor

from legr.structure.operations import Call
from legr.structure.tracing.nodes import varying
from legr.structure.tracing.rules.fallback import hold_all
from legr.structure.tracing.rules.layers import only_dim

if TYPE_CHECKING:
    from legr.structure.tracing.tracer import Tracer

_SPREAD = "its channels vary over several dimensions"


def per_channel_norm(tracer: "Tracer", call: Call) -> None:
    """Batch and instance normalisation: every vector it holds goes with its channel."""
    channels = tracer.along(call["input"], 1)
    if channels is None:
        return hold_all(tracer, call, _SPREAD)
    for name in ("weight", "bias", "running_mean", "running_var"):
        _tie_vector(tracer, call, name, channels)
    tracer.note("num_features", channels)
    tracer.write_along(call.outputs[0], 1, channels)


def group_norm(tracer: "Tracer", call: Call) -> None:
    """Groups of channels that share their statistics leave whole; one group over all channels is exempt."""
    groups, channels = call["num_groups"], tracer.along(call["input"], 1)
    if channels is None:
        return hold_all(tracer, call, _SPREAD)
    if groups == 1:
        _exempt(tracer, channels)
    elif len(channels) > groups:
        if tracer.choose(("whole",), call.name, channels) == "hold":
            return hold_all(tracer, call, "its groups cannot be cut")
        tracer.tie(channels.view(groups, -1).t(), call.name, "channels of one group share their statistics")
        channels = tracer.nodes.find(channels)
    for name in ("weight", "bias"):
        _tie_vector(tracer, call, name, channels)
    tracer.note("num_channels", channels)
    if groups > 1:
        tracer.note("num_groups", channels, divisor=len(channels) // groups)
    tracer.write_along(call.output, 1, channels)


def layer_norm(tracer: "Tracer", call: Call) -> None:
    """Normalisation over the last dims, LayerNorm or RMSNorm: statistics are those of the channels that stay."""
    x, labels = call["input"], tracer.labels(call["input"])
    first = x.dim() - len(call["normalized_shape"])
    dims = varying(labels)
    tracer.write(call.output, labels)
    if not dims or dims[0] < first:  # every channel is normalised by itself
        return
    channels = tracer.along(x, dims[0])
    assert channels is not None  # labels vary along one dim only
    _exempt(tracer, channels)
    place = dims[0] - first
    for name in ("weight", "bias"):
        tensor = call[name]
        slot = tracer.slot(tensor)
        if tensor is not None and slot is not None and slot.dims[place] is not None:
            tracer.unite(tracer.axis(slot.name, slot.dims[place]), channels, call.name)
        elif tensor is not None:
            tracer.freeze(tensor, call.name)
            tracer.hold(channels, call.name, f"its {name} is computed")
    tracer.note("normalized_shape", channels, place=place)


def _exempt(tracer: "Tracer", channels: Tensor) -> None:
    if channels.any():
        tracer.exempt[tracer.module] = None


def _tie_vector(tracer: "Tracer", call: Call, name: str, channels: Tensor) -> None:
    tensor = call[name]
    if tensor is None:
        return
    slot = tracer.slot(tensor)
    dim = only_dim(slot, tensor)
    if slot is None or dim is None:
        tracer.freeze(tensor, call.name)
        tracer.hold(channels, call.name, f"its {name} is computed, or a parameter seen in another shape")
    else:
        tracer.unite(tracer.axis(slot.name, dim), channels, call.name)
