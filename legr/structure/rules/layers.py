"""Rules for layers: they read the input's channels and write channels of their own.

They do not know the table they stand in.
"""

from math import prod
from typing import TYPE_CHECKING, Any

from torch import Tensor

from legr.structure.gather import GatherChannels
from legr.structure.rules.call import Call, hold_all, unknown
from legr.structure.types import Op

if TYPE_CHECKING:
    from legr.structure.trace import Tracer


def convolution(tracer: "Tracer", call: Call) -> None:
    """Plain and depthwise convolution in 1 to 3 dimensions; input channels ~ weight dim 1, outputs = weight dim 0."""
    x, weight, groups = call["input"], call["weight"], call["groups"]
    slot = tracer.slot(weight)
    channel = x.dim() - weight.dim() + 1  # 0 where the batch dimension is missing
    channels = tracer.along(x, channel)
    depthwise = groups > 1 and weight.shape[1] == 1
    if call["transposed"] or (groups > 1 and not depthwise) or channels is None or not _is_whole(slot):
        return _opaque_layer(tracer, call)
    assert slot is not None
    if depthwise and not hasattr(tracer.network.get_submodule(tracer.module), "groups"):
        return _opaque_layer(tracer, call)
    out = tracer.axis(slot.name, 0)
    if depthwise:
        tracer.divisors[slot.name] = len(out) // groups
        tracer.unite(channels.repeat_interleave(len(out) // groups), out, call.name)
    else:
        tracer.unite(channels, tracer.axis(slot.name, 1), call.name)
    _finish_layer(tracer, call, slot.name, channel, out)


def linear(tracer: "Tracer", call: Call) -> None:
    """Linear layer over the last dim; after a flatten one unit is many of its inputs."""
    slot = tracer.slot(call["weight"])
    channels = tracer.along(call["input"], -1)
    if channels is None or not _is_whole(slot) or call["weight"].dim() != 2:
        return _opaque_layer(tracer, call)
    assert slot is not None
    tracer.unite(channels, tracer.axis(slot.name, 1), call.name)
    _finish_layer(tracer, call, slot.name, call.output.dim() - 1, tracer.axis(slot.name, 0))


def _is_whole(slot: Any) -> bool:
    return slot is not None and slot.dims == tuple(range(len(slot.dims)))


def _finish_layer(tracer: "Tracer", call: Call, weight: str, channel: int, out: Tensor) -> None:
    """Tie the bias, label the output, note the cost and the filters to score."""
    tracer.layers.setdefault(weight.removesuffix(".weight"), (weight, 0))
    bias = call["bias"]
    if bias is not None:
        slot = tracer.slot(bias)
        if slot is None or not _is_whole(slot):
            tracer.freeze(bias, call)
            tracer.hold(out, call.name, "its bias is computed, or a parameter seen in another shape")
        else:
            tracer.unite(tracer.axis(slot.name, 0), out, call.name)
    tracer.write_along(call.output, channel, out)
    positions = call.output.numel() // call.output.shape[channel]
    kernel_area = prod(call["weight"].shape[2:])
    tracer.ops.append(Op(weight, 0, 1, positions * kernel_area, tracer.module))


def _opaque_layer(tracer: "Tracer", call: Call) -> None:
    """A layer that no rule here can cut (grouped, transposed, a computed weight): held whole, its cost constant."""
    x, weight = call["input"], call["weight"]
    hold_all(tracer, call)
    multiplied = x.numel() if call["transposed"] else call.output.numel()
    tracer.ops.append(Op(None, 0, 0, multiplied * prod(weight.shape[1:]), tracer.module))


def batch_norm(tracer: "Tracer", call: Call) -> None:
    """Normalisation channel by channel: every 1-d parameter and buffer goes with its channel."""
    channels = tracer.along(call["input"], 1)
    if channels is None:
        return unknown(tracer, call)
    for name in ("weight", "bias", "running_mean", "running_var"):
        tensor = call[name]
        if tensor is None:
            continue
        slot = tracer.slot(tensor)
        if slot is None or not _is_whole(slot):
            tracer.freeze(tensor, call)
            tracer.hold(channels, call.name, f"its {name} is computed, or a parameter seen in another shape")
        else:
            tracer.unite(tracer.axis(slot.name, 0), channels, call.name)
    tracer.write_along(call.outputs[0], 1, channels)


def gather_channels(tracer: "Tracer", module: GatherChannels, x: Tensor, output: Tensor) -> None:
    """A shortcut by index: outputs are channels of their own, and may blank an input that has gone."""
    name = f"{tracer.module}.index".removeprefix(".")
    channels = tracer.along(x, 1)
    if channels is None:
        return tracer.hold(tracer.labels(x), "gather_channels", "its channels vary over several dimensions")
    tracer.unite(tracer.gathers.setdefault(name, channels), channels, "gather_channels")
    tracer.write_along(output, 1, tracer.axis(name, 0))
