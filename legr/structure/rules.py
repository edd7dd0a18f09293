"""The table of operations: how channel labels flow through each one, and what it assumes.

It does not know models or pruning. An operation that is not in the table makes the channels that
touch it unremovable, and is reported: never a guess.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from legr.structure.gather import GatherChannels
from legr.structure.types import Op

if TYPE_CHECKING:
    from legr.structure.trace import Tracer

aten = torch.ops.aten


@dataclass(frozen=True)
class Call:
    """One operation as it ran: `call["weight"]` is the argument of that name in the operation's schema."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any

    def __getitem__(self, name: str) -> Any:
        for position, argument in enumerate(self.func._schema.arguments):
            if argument.name == name:
                if position < len(self.args):
                    return self.args[position]
                return self.kwargs.get(name, argument.default_value)
        return None

    @property
    def name(self) -> str:
        """Name for messages, such as "conv2d"."""
        return str(self.func._schema.name).removeprefix("aten::")

    @property
    def inputs(self) -> list[Tensor]:
        """Every tensor argument."""
        return [leaf for leaf in tree_leaves((self.args, self.kwargs)) if isinstance(leaf, Tensor)]

    @property
    def outputs(self) -> list[Tensor]:
        """Every tensor result."""
        return [leaf for leaf in tree_leaves(self.output) if isinstance(leaf, Tensor)]


Rule = Callable[["Tracer", Call], None]


# -- layers: read the input's channels, write channels of their own ------------------------------------------------


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
        if slot is None:
            tracer.hold(out, call.name, "its bias is computed, not a parameter")
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
        if slot is None:
            tracer.hold(channels, call.name, f"its {name} is computed, not a parameter or buffer")
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


# -- element by element --------------------------------------------------------------------------------------------


def pointwise(tracer: "Tracer", call: Call) -> None:
    """Unite the operands element by element; one that is broadcast over the channels must be fixed."""
    out = call.outputs[0]
    operands = [x for x in call.inputs if x.dim() > 0]
    result: Tensor | None = None
    for x in operands:
        own = tracer.labels(x)
        spread = own.expand(out.shape)
        if result is None:
            result = spread
            continue
        dims = {d for labels in (result, spread) for d in varying(labels)}
        if any(_size(x, d, out) == 1 and out.shape[d] > 1 for d in dims):
            tracer.hold(own, call.name, "they are broadcast over the channels of another tensor")
            continue
        narrow = [result, spread]
        for d in range(out.dim()):
            if d not in dims:
                narrow = [labels.narrow(d, 0, 1) for labels in narrow]
        tracer.unite(narrow[0], narrow[1], call.name)
        result = tracer.nodes.find(result)
    if result is not None:
        tracer.write(out, result)


def _size(x: Tensor, dim: int, out: Tensor) -> int:
    """Size of `x` along the output's dim `dim`, broadcasting from the right."""
    own = dim - (out.dim() - x.dim())
    return x.shape[own] if own >= 0 else 1


def varying(labels: Tensor) -> list[int]:
    """Dims along which representative labels differ."""
    return [d for d in range(labels.dim()) if labels.size(d) > 1 and bool((labels != labels.narrow(d, 0, 1)).any())]


# -- movement ------------------------------------------------------------------------------------------------------


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
    if place < len(amounts):
        channels = torch.nn.functional.pad(channels, tuple(amounts[place : place + 2]), value=0)
    tracer.write_along(out, dim, channels)


# -- reductions over space -----------------------------------------------------------------------------------------


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


# -- everything else -----------------------------------------------------------------------------------------------


def unknown(tracer: "Tracer", call: Call) -> None:
    """No rule: hold every channel that comes in and count the cost as PyTorch counts it."""
    hold_all(tracer, call)
    count = flop_registry.get(call.func._overloadpacket)
    if count is not None:
        flops = count(*call.args, **call.kwargs, out_val=call.output)
        tracer.ops.append(Op(None, 0, 0, int(flops) // 2, tracer.module))


def hold_all(tracer: "Tracer", call: Call) -> None:
    """Hold every channel and every parameter that an operation reads, and forget what its result is made of."""
    for tensor in call.inputs:
        tracer.freeze(tensor, call)
        tracer.hold(tracer.labels(tensor), call.name, "there is no rule for this operation")
    for tensor in call.outputs:
        tracer.write(tensor, torch.zeros((), dtype=torch.int64))


def _table(rule: Rule, *names: str) -> dict[str, Rule]:
    return dict.fromkeys(names, rule)


_LAYERS: dict[str, Rule] = {
    **_table(convolution, "conv1d", "conv2d", "conv3d", "convolution"),
    **_table(linear, "linear"),
    **_table(batch_norm, "batch_norm"),
}
_RULES: dict[str, Rule] = {
    **_LAYERS,
    **_table(concatenate, "cat", "concat", "concatenate"),
    **_table(pad, "pad", "constant_pad_nd"),
    **_table(
        pooling,
        *(f"{kind}_pool{n}d" for n in (1, 2, 3) for kind in ("max", "avg", "adaptive_avg", "adaptive_max")),
        *(f"max_pool{n}d_with_indices" for n in (2, 3)),
    ),
    **_table(reduce_dims, "mean"),
    **_table(pick, "slice", "select", "narrow", "split", "split_with_sizes", "chunk", "unbind", "tensor_split"),
    **_table(
        pointwise,
        *(
            "relu",
            "relu6",
            "hardtanh",
            "hardswish",
            "hardsigmoid",
            "sigmoid",
            "silu",
            "gelu",
            "tanh",
            "elu",
            "celu",
        ),
        *(
            "selu",
            "leaky_relu",
            "mish",
            "softplus",
            "dropout",
            "feature_dropout",
            "add",
            "sub",
            "mul",
            "div",
            "neg",
        ),
        *("clamp", "clone", "contiguous", "_to_copy"),
    ),
}
_VIEWS = frozenset(
    [
        "view",
        "_unsafe_view",
        "permute",
        "transpose",
        "t",
        "unsqueeze",
        "squeeze",
        "expand",
        "alias",
        "detach",
        "lift_fresh",
    ]
)
#: Operations that read the axes of a parameter one by one; all others take it as a whole.
READS_AXES = frozenset(_LAYERS)


def base_name(func: Any) -> str:
    """Name without overload and without the underscore of the in-place form: "relu_" is "relu"."""
    name = str(func._schema.name).removeprefix("aten::")
    return name if name.startswith("_") else name.removesuffix("_")


def find(func: Any) -> Rule | None:
    """The rule for an operation, or None."""
    if func.namespace != "aten":
        return None
    name = base_name(func)
    return view if name in _VIEWS else _RULES.get(name)


def is_view(func: Any) -> bool:
    """Whether an operation only changes how its input is looked at."""
    return base_name(func) in _VIEWS or _RULES.get(base_name(func)) is pick


__all__ = ["READS_AXES", "Call", "find", "gather_channels", "is_view", "unknown", "varying"]
