"""Rules for layers: they read the input's channels through a weight, and write channels of their own."""

from collections.abc import Sequence
from math import prod

from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from legr.structure.operations import Call
from legr.structure.tracing.channels import Channels, ParameterView
from legr.structure.tracing.hypotheses import Assumption, Hypothesis
from legr.structure.tracing.rules.fallback import mark_all_unprunable, unknown
from legr.structure.tracing.rules.registry import rule

_COMPUTED = "its weight is computed in the forward; remove the parametrization to make it prunable"
_SPREAD = "its input has channels along another dimension than the one it mixes"


@rule("conv1d conv2d conv3d convolution conv_transpose1d conv_transpose2d conv_transpose3d", reads_axes=True)
def convolution(channels: Channels, call: Call) -> None:
    """Convolution in 1 to 3 dimensions: plain, transposed, grouped, depthwise.

    A weight is [out, in / groups, …], a transposed one [in, out / groups, …].
    """
    x, weight, groups = call["input"], call["weight"], call["groups"]
    transposed = bool(call["transposed"]) or "transpose" in call.name
    view = channels.parameter_behind(weight)
    channel_dim = x.dim() - weight.dim() + 1  # 0 where the batch dimension is missing
    inputs = channels.nodes_along(x, channel_dim)
    if inputs is None or view is None or None in view.dims[:2]:
        return _uncut(channels, call, _COMPUTED if view is None else _SPREAD)
    first, second = view.dims[0], view.dims[1]
    assert first is not None and second is not None
    in_dim, out_dim = (first, second) if transposed else (second, first)
    if groups == 1:
        channels.unite(inputs, channels.axis(view.name, in_dim), call.name)
        outputs, scored_dim = channels.axis(view.name, out_dim), out_dim
    else:
        cut = _grouped(channels, call, view.name, (first, second), inputs, transposed)
        if cut is None:
            return _uncut(channels, call, "its groups cannot be cut")
        outputs, scored_dim = cut
    channels.note_attribute("in_channels", inputs, owner=view.name)
    channels.note_attribute("out_channels", outputs, owner=view.name)
    positions = (x if transposed else call.output).numel() // (len(inputs) if transposed else len(outputs))
    channels.add_cost(view.name, positions * prod(weight.shape[2:]), out_dim, in_dim)
    _finish(channels, call, view.name, scored_dim, channel_dim, outputs)


def _grouped(
    channels: Channels, call: Call, weight: str, dims: tuple[int, int], inputs: Tensor, transposed: bool
) -> tuple[Tensor, int] | None:
    """Couple what a grouped convolution couples.

    Args:
        dims: dims 0 and 1 of the weight as the operation sees it, as dims of the parameter.
        inputs: nodes of the input's channels, int64[in].

    Returns:
        Nodes of the output's channels, int64[out], and the weight's dim to score; None where nothing can be cut.
    """
    in_per_group, out_per_group = _per_group(call, inputs)
    assumption = channels.choose(_group_options(call["groups"], in_per_group, out_per_group), inputs)
    if assumption is Assumption.WHOLE_GROUPS:
        return _whole_groups(channels, call, weight, dims, inputs, in_per_group, out_per_group)
    if assumption is Assumption.SAME_IN_EVERY_GROUP:
        return _same_in_every_group(channels, call, weight, dims, inputs, transposed)
    return None


def _per_group(call: Call, inputs: Tensor) -> tuple[int, int]:
    """Input and output channels of one group."""
    channel_dim = call["input"].dim() - call["weight"].dim() + 1
    return len(inputs) // call["groups"], call.output.shape[channel_dim] // call["groups"]


def _group_options(groups: int, in_per_group: int, out_per_group: int) -> Sequence[Hypothesis]:
    """What may be removed of a grouped convolution, first what leaves the finer choice."""
    if in_per_group == 1:
        return (Assumption.WHOLE_GROUPS,)
    if groups >= in_per_group + out_per_group:
        return (Assumption.WHOLE_GROUPS, Assumption.SAME_IN_EVERY_GROUP)
    return (Assumption.SAME_IN_EVERY_GROUP, Assumption.WHOLE_GROUPS)


def _whole_groups(
    channels: Channels,
    call: Call,
    weight: str,
    dims: tuple[int, int],
    inputs: Tensor,
    in_per_group: int,
    out_per_group: int,
) -> tuple[Tensor, int]:
    """A group leaves with all its inputs and outputs."""
    groups, name = call["groups"], call.name
    group_inputs = inputs.view(groups, -1)  # [groups, in / groups]
    if in_per_group > 1:
        group_inputs = channels.couple(group_inputs.t(), name, "its groups can only leave whole")[:, None]
    rows = channels.axis(weight, dims[0]).view(groups, -1)  # [groups, out / groups], transposed: [groups, in / groups]
    if rows.shape[1] > 1:
        channels.unite(rows, rows[:, :1].expand_as(rows), name)
    channels.unite(group_inputs[:, 0], rows[:, 0], name)
    channels.note_attribute("groups", inputs, divisor=in_per_group, owner=weight)
    outputs = rows[:, :1].repeat(1, out_per_group).reshape(-1)
    return channels.find(outputs), dims[0]


def _same_in_every_group(
    channels: Channels, call: Call, weight: str, dims: tuple[int, int], inputs: Tensor, transposed: bool
) -> tuple[Tensor, int]:
    """The i-th input of every group leaves together, and the j-th output of every group; groups stay as many."""
    groups, name = call["groups"], call.name
    one_group = channels.couple(inputs.view(groups, -1), name, "every group loses the same channels")  # [in / groups]
    first = channels.axis(weight, dims[0])  # [out], transposed: [in]
    if transposed:
        channels.unite(first.view(groups, -1), one_group.expand(groups, -1), name)
        outputs = channels.axis(weight, dims[1]).repeat(groups)
        return channels.find(outputs), dims[1]
    channels.unite(channels.axis(weight, dims[1]), one_group, name)
    rows = first.view(groups, -1)
    channels.unite(rows, rows[:1].expand_as(rows), name)
    return channels.find(first), dims[0]


@rule("linear", reads_axes=True)
def linear(channels: Channels, call: Call) -> None:
    """Linear layer over the last dim, weight [out, in]; after a flatten one unit is many of its inputs."""
    _multiply(channels, call, call["input"], call["weight"], call["bias"], (1, 0))


@rule("mm addmm", reads_axes=True)
def matrix_product(channels: Channels, call: Call) -> None:
    """`x @ weight`, with a bias (addmm) or without (mm): a linear layer whose weight is [in, out]."""
    plain = call["mat2"] is not None and (call["alpha"] or 1) == 1 and (call["beta"] or 1) == 1
    if not plain:
        return unknown(channels, call)
    x, bias = (call["mat1"], call["self"]) if call["mat1"] is not None else (call["self"], None)
    if channels.parameter_behind(call["mat2"]) is None or not channels.depends_on_input(x):
        return unknown(channels, call)
    _multiply(channels, call, x, call["mat2"], bias, (0, 1))


def _multiply(
    channels: Channels, call: Call, x: Tensor, weight: Tensor, bias: Tensor | None, dims: tuple[int, int]
) -> None:
    """Multiply the last dim of `x` by a weight whose inputs and outputs lie along `dims`."""
    view, inputs = channels.parameter_behind(weight), channels.nodes_along(x, -1)
    if view is None or weight.dim() != 2 or None in view.dims:
        return _uncut(channels, call, _COMPUTED)
    in_dim, out_dim = view.dims[dims[0]], view.dims[dims[1]]
    assert in_dim is not None and out_dim is not None
    if inputs is None:
        return _uncut(channels, call, _SPREAD)
    channels.unite(inputs, channels.axis(view.name, in_dim), call.name)
    outputs = channels.axis(view.name, out_dim)
    channels.note_attribute("in_features", inputs, owner=view.name)
    channels.note_attribute("out_features", outputs, owner=view.name)
    channels.add_cost(view.name, call.output.numel() // len(outputs), out_dim, in_dim)
    _finish(channels, call, view.name, out_dim, call.output.dim() - 1, outputs, bias)


def _finish(
    channels: Channels,
    call: Call,
    weight: str,
    scored_dim: int,
    channel_dim: int,
    outputs: Tensor,
    bias: Tensor | None = None,
) -> None:
    """Unite the bias with the outputs, label the output, note the filters to score."""
    if channels.is_parameter(weight):  # the filters of a buffer are constants of the model: they have no rank
        channels.layers.setdefault(weight.removesuffix(".weight"), (weight, scored_dim))
    bias = call["bias"] if bias is None else bias
    if bias is not None:
        view = channels.parameter_behind(bias)
        dim = only_dim(view, bias)
        if view is None or dim is None:
            channels.mark_parameter_unprunable(bias, call.name)
            channels.mark_unprunable(outputs, call.name, "its bias is computed, or a parameter seen in another shape")
        else:
            channels.unite(channels.axis(view.name, dim), outputs, call.name)
    channels.write_along(call.output, channel_dim, outputs)


def only_dim(view: ParameterView | None, tensor: Tensor) -> int | None:
    """The parameter's dim behind a vector; None where the tensor is not one."""
    if view is None or tensor.dim() != 1:
        return None
    return view.dims[0]


def _uncut(channels: Channels, call: Call, reason: str) -> None:
    """A layer that cannot be cut: all of it is unprunable, and its cost constant."""
    mark_all_unprunable(channels, call, reason)
    with FlopCounterMode(display=False) as counter:
        call.again()
    channels.add_cost(None, counter.get_total_flops() // 2)
