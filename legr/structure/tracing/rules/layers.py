"""Rules for layers: they read the input's channels and write channels of their own.

They do not know the table they stand in.
"""

from math import prod
from typing import TYPE_CHECKING

from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from legr.structure.operations import Call
from legr.structure.tracing.rules.fallback import hold_all, unknown

if TYPE_CHECKING:
    from legr.structure.tracing.channels import Slot
    from legr.structure.tracing.tracer import Tracer

_COMPUTED = "its weight is computed in the forward; remove the parametrization to make it prunable"
_SPREAD = "its input has channels along another dimension than the one it mixes"


def convolution(tracer: "Tracer", call: Call) -> None:
    """Convolution in 1 to 3 dimensions: plain, transposed, grouped, depthwise.

    Weights are (out, in / groups, …), transposed ones (in, out / groups, …).
    """
    x, weight, groups = call["input"], call["weight"], call["groups"]
    transposed = bool(call["transposed"]) or "transpose" in call.name
    slot = tracer.slot(weight)
    channel = x.dim() - weight.dim() + 1  # 0 where the batch dimension is missing
    channels = tracer.along(x, channel)
    if channels is None or slot is None or None in slot.dims[:2]:
        return _opaque(tracer, call, _COMPUTED if slot is None else _SPREAD)
    first, second = slot.dims[0], slot.dims[1]
    assert first is not None and second is not None
    in_dim, out_dim = (first, second) if transposed else (second, first)
    if groups == 1:
        tracer.unite(channels, tracer.axis(slot.name, in_dim), call.name)
        out, scored = tracer.axis(slot.name, out_dim), out_dim
    else:
        found = _grouped(tracer, call, slot.name, (first, second), channels, transposed)
        if found is None:
            return _opaque(tracer, call, "its groups cannot be cut")
        out, scored = found
    tracer.note("in_channels", channels, owner=slot.name)
    tracer.note("out_channels", out, owner=slot.name)
    positions = (x if transposed else call.output).numel() // (len(channels) if transposed else len(out))
    tracer.add_cost(slot.name, positions * prod(weight.shape[2:]), out_dim, in_dim)
    _finish(tracer, call, slot.name, scored, channel, out)


def _grouped(
    tracer: "Tracer", call: Call, weight: str, dims: tuple[int, int], channels: Tensor, transposed: bool
) -> tuple[Tensor, int] | None:
    """Tie what a grouped convolution ties; return its output's channels and the weight's dim to score.

    Whole: a group leaves with all its inputs and outputs. Columns: the i-th input of every group leaves
    together, and the j-th output of every group; the number of groups stays.
    """
    groups = call["groups"]
    wide = tracer.axis(weight, dims[0])  # [out], transposed: [in]
    per_group = (
        len(channels) // groups,
        call.output.shape[call["input"].dim() - len(call["weight"].shape) + 1] // groups,
    )
    options: tuple[str, ...] = ("columns", "whole")
    if per_group[0] == 1:
        options = ("whole",)
    elif groups >= sum(per_group):
        options = ("whole", "columns")
    option = tracer.choose(options, call.name, channels)
    name = call.name
    if option == "whole":
        reason = "its groups can only leave whole"
        inputs = channels.view(groups, -1)
        if per_group[0] > 1:
            inputs = tracer.tie(inputs.t(), name, reason)[:, None]
        rows = wide.view(groups, -1)
        if rows.shape[1] > 1:
            tracer.unite(rows, rows[:, :1].expand_as(rows), name)
        tracer.unite(inputs[:, 0], rows[:, 0], name)
        tracer.note("groups", channels, divisor=per_group[0], owner=weight)
        out = rows[:, :1].repeat(1, per_group[1]).reshape(-1)
        return tracer.nodes.find(out), dims[0]
    if option == "columns":
        reason = "every group loses the same channels"
        inside = tracer.tie(channels.view(groups, -1), name, reason)  # [in / groups]
        if transposed:
            tracer.unite(wide.view(groups, -1), inside.expand(groups, -1), name)
            out = tracer.axis(weight, dims[1]).repeat(groups)
            return tracer.nodes.find(out), dims[1]
        tracer.unite(tracer.axis(weight, dims[1]), inside, name)
        rows = wide.view(groups, -1)
        tracer.unite(rows, rows[:1].expand_as(rows), name)
        return tracer.nodes.find(wide), dims[0]
    return None


def linear(tracer: "Tracer", call: Call) -> None:
    """Linear layer over the last dim, weight (out, in); after a flatten one unit is many of its inputs."""
    _multiply(tracer, call, call["input"], call["weight"], call["bias"], (1, 0))


def matrix_product(tracer: "Tracer", call: Call) -> None:
    """`x @ weight`, with a bias (addmm) or without (mm): a linear layer whose weight is (in, out)."""
    plain = call["mat2"] is not None and (call["alpha"] or 1) == 1 and (call["beta"] or 1) == 1
    if not plain:
        return unknown(tracer, call)
    x, bias = (call["mat1"], call["self"]) if call["mat1"] is not None else (call["self"], None)
    if tracer.slot(call["mat2"]) is None or not tracer.is_active(x):
        return unknown(tracer, call)
    _multiply(tracer, call, x, call["mat2"], bias, (0, 1))


def _multiply(
    tracer: "Tracer", call: Call, x: Tensor, weight: Tensor, bias: Tensor | None, dims: tuple[int, int]
) -> None:
    """`dims`: the weight's dims that hold inputs and outputs."""
    slot, channels = tracer.slot(weight), tracer.along(x, -1)
    if slot is None or weight.dim() != 2 or None in slot.dims:
        return _opaque(tracer, call, _COMPUTED)
    in_dim, out_dim = slot.dims[dims[0]], slot.dims[dims[1]]
    assert in_dim is not None and out_dim is not None
    if channels is None:
        return _opaque(tracer, call, _SPREAD)
    tracer.unite(channels, tracer.axis(slot.name, in_dim), call.name)
    out = tracer.axis(slot.name, out_dim)
    tracer.note("in_features", channels, owner=slot.name)
    tracer.note("out_features", out, owner=slot.name)
    tracer.add_cost(slot.name, call.output.numel() // len(out), out_dim, in_dim)
    _finish(tracer, call, slot.name, out_dim, call.output.dim() - 1, out, bias)


def _finish(
    tracer: "Tracer", call: Call, weight: str, scored: int, channel: int, out: Tensor, bias: Tensor | None = None
) -> None:
    """Tie the bias, label the output, note the filters to score."""
    if tracer.is_parameter(weight):  # the filters of a buffer are fixed numbers: nobody ranks them
        tracer.layers.setdefault(weight.removesuffix(".weight"), (weight, scored))
    bias = call["bias"] if bias is None else bias
    if bias is not None:
        slot = tracer.slot(bias)
        dim = only_dim(slot, bias)
        if slot is None or dim is None:
            tracer.freeze(bias, call.name)
            tracer.hold(out, call.name, "its bias is computed, or a parameter seen in another shape")
        else:
            tracer.unite(tracer.axis(slot.name, dim), out, call.name)
    tracer.write_along(call.output, channel, out)


def only_dim(slot: "Slot | None", tensor: Tensor) -> int | None:
    """The parameter's dim behind a vector; None where the tensor is not one."""
    if slot is None or tensor.dim() != 1:
        return None
    return slot.dims[0]


def _opaque(tracer: "Tracer", call: Call, reason: str) -> None:
    """A layer that cannot be cut: held whole, its cost constant."""
    hold_all(tracer, call, reason)
    with FlopCounterMode(display=False) as counter:
        call.again()
    tracer.add_cost(None, counter.get_total_flops() // 2)
