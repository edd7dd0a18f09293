"""Rules for layers: they read the input's channels through a weight, and write channels of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from torch import Tensor

from legr.structure.macs import counted, mac_counter
from legr.structure.operations import Call
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.hypotheses import AnyHypothesis, Hypothesis
from legr.structure.tracing.rules.fallback import mark_all_unprunable, unknown
from legr.structure.tracing.rules.registry import rule
from legr.structure.tracing.views import ParameterView
from legr.structure.types import Remark

_COMPUTED = (
    "its weight is computed in the forward; make it a plain one (parametrize.remove_parametrizations) to prune it"
)
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
        return _uncut(channels, call, _COMPUTED if view is None else _SPREAD, weight, channel_dim)
    first, second = view.dims[0], view.dims[1]
    assert first is not None and second is not None
    in_dim, out_dim = (first, second) if transposed else (second, first)
    if groups == 1:
        channels.unite_axis(view.name, in_dim, inputs, call.name)
        outputs, scored_dim = channels.axis(view.name, out_dim), out_dim
    else:
        cut = _cut_grouped(channels, _Grouped(call, view.name, (first, second), inputs, transposed))
        if cut is None:
            return _uncut(channels, call, "its groups cannot be cut", weight, channel_dim)
        outputs, scored_dim = cut
    channels.note_attribute("in_channels", inputs, owner=view.name)
    channels.note_attribute("out_channels", outputs, owner=view.name)
    positions = (x if transposed else call.output).numel() // (len(inputs) if transposed else len(outputs))
    n_products = 3 if call.output.is_complex() else 1  # PyTorch runs a complex one as three real ones
    channels.add_cost(view.name, n_products * positions * prod(weight.shape[2:]), out_dim, in_dim)
    _finish(channels, call, (view.name, scored_dim), channel_dim, outputs)


@rule("deform_conv2d", reads_axes=True)
def deformable(channels: Channels, call: Call) -> None:
    """A convolution that reads its input at places of its own: [N, 2 k k for every offset group, H, W]."""
    for places in (call["offset"], call["mask"]):
        channels.mark_unprunable(channels.labels(places), call.name, "they are places in space")
    if call["offset_groups"] > 1:
        channels.mark_unprunable(channels.labels(call["input"]), call.name, "its offset groups share out the channels")
    convolution(channels, call)


@dataclass(frozen=True)
class _Grouped:
    """A grouped convolution."""

    call: Call
    weight: str
    dims: tuple[int, int]  # the parameter's dims behind dims 0 and 1 of the weight
    inputs: Tensor  # nodes of the input's channels, int64[in]
    transposed: bool

    @property
    def groups(self) -> int:
        return int(self.call["groups"])

    @property
    def in_per_group(self) -> int:
        """Input channels of one convolution group."""
        return len(self.inputs) // self.groups

    @property
    def out_per_group(self) -> int:
        """Output channels of one convolution group."""
        channel_dim = self.call["input"].dim() - self.call["weight"].dim() + 1
        return int(self.call.output.shape[channel_dim]) // self.groups


def _cut_grouped(channels: Channels, conv: _Grouped) -> tuple[Tensor, int] | None:
    """Couple what a grouped convolution couples.

    Returns:
        Nodes of the output's channels, int64[out], and the weight's dim to score; None where nothing can be cut.
    """
    hypothesis = channels.choose(_group_options(conv), conv.inputs)
    if hypothesis is Hypothesis.WHOLE_CONV_GROUPS:
        return _cut_whole_groups(channels, conv)
    if hypothesis is Hypothesis.SAME_IN_EVERY_CONV_GROUP:
        return _cut_inside_groups(channels, conv)
    return None


def _group_options(conv: _Grouped) -> Sequence[AnyHypothesis]:
    """What may be removed, the larger number first: whole convolution groups, or channels inside all of them."""
    if conv.in_per_group == 1:
        return (Hypothesis.WHOLE_CONV_GROUPS,)
    if conv.groups >= conv.in_per_group + conv.out_per_group:
        return (Hypothesis.WHOLE_CONV_GROUPS, Hypothesis.SAME_IN_EVERY_CONV_GROUP)
    return (Hypothesis.SAME_IN_EVERY_CONV_GROUP, Hypothesis.WHOLE_CONV_GROUPS)


def _cut_whole_groups(channels: Channels, conv: _Grouped) -> tuple[Tensor, int]:
    """A convolution group leaves with all its inputs and outputs."""
    name, groups = conv.call.name, conv.groups
    group_inputs = conv.inputs.view(groups, -1)  # int64[groups, in / groups]
    if conv.in_per_group > 1:
        group_inputs = channels.couple(group_inputs.t(), name, "its groups can only leave whole")[:, None]
    # int64[groups, out / groups], or, transposed, int64[groups, in / groups]
    rows = channels.axis(conv.weight, conv.dims[0]).view(groups, -1)
    if rows.shape[1] > 1:
        channels.unite(rows, rows[:, :1].expand_as(rows), name)
    channels.unite(group_inputs[:, 0], rows[:, 0], name)
    channels.note_attribute("groups", conv.inputs, divisor=conv.in_per_group, owner=conv.weight)
    outputs = rows[:, :1].repeat(1, conv.out_per_group).reshape(-1)
    return channels.find(outputs), conv.dims[0]


def _cut_inside_groups(channels: Channels, conv: _Grouped) -> tuple[Tensor, int]:
    """The i-th inputs of all convolution groups leave together, and so do the j-th outputs; the groups stay."""
    name, groups = conv.call.name, conv.groups
    one_group = channels.couple(conv.inputs.view(groups, -1), name, "every group loses the same channels")
    first = channels.axis(conv.weight, conv.dims[0])  # int64[out], or, transposed, int64[in]
    if conv.transposed:
        channels.unite(first.view(groups, -1), one_group.expand(groups, -1), name)
        outputs = channels.axis(conv.weight, conv.dims[1]).repeat(groups)
        return channels.find(outputs), conv.dims[1]
    channels.unite(channels.axis(conv.weight, conv.dims[1]), one_group, name)
    rows = first.view(groups, -1)
    channels.unite(rows, rows[:1].expand_as(rows), name)
    return channels.find(first), conv.dims[0]


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


@rule("linalg_multi_dot chain_matmul")
def product_of_many(channels: Channels, call: Call) -> None:
    """Several matrices: in which order they are multiplied, and so their cost, depends on their sizes."""
    _uncut(channels, call, "the order of its products depends on the sizes")


def _multiply(
    channels: Channels, call: Call, x: Tensor, weight: Tensor, bias: Tensor | None, dims: tuple[int, int]
) -> None:
    """Multiply the last dim of `x` by a weight whose inputs and outputs lie along `dims`."""
    view, inputs = channels.parameter_behind(weight), channels.nodes_along(x, -1)
    if view is None or weight.dim() != 2 or None in view.dims:
        return _uncut(channels, call, _COMPUTED, weight)
    in_dim, out_dim = view.dims[dims[0]], view.dims[dims[1]]
    assert in_dim is not None and out_dim is not None
    if inputs is None:
        return _uncut(channels, call, _SPREAD, weight)
    channels.unite_axis(view.name, in_dim, inputs, call.name)
    outputs = channels.axis(view.name, out_dim)
    channels.note_attribute("in_features", inputs, owner=view.name)
    channels.note_attribute("out_features", outputs, owner=view.name)
    channels.add_cost(view.name, call.output.numel() // len(outputs), out_dim, in_dim)
    _finish(channels, call, (view.name, out_dim), call.output.dim() - 1, outputs, bias)


def _finish(
    channels: Channels,
    call: Call,
    scored: tuple[str, int],
    channel_dim: int,
    outputs: Tensor,
    bias: Tensor | None = None,
) -> None:
    """Unite the bias with the outputs, label the output, note the filters to score.

    Args:
        scored: the weight, and its dim along which the filters lie.
    """
    weight, _ = scored
    if channels.is_parameter(weight):  # the filters of a buffer are constants of the model: they have no rank
        channels.layers.setdefault(weight.removesuffix(".weight"), scored)
    bias = call["bias"] if bias is None else bias
    if bias is not None:
        view = channels.parameter_behind(bias)
        dim = only_dim(view, bias)
        if view is None or dim is None:
            channels.mark_parameter_unprunable(bias, call.name)
            channels.mark_unprunable(outputs, call.name, "its bias is computed, or a parameter seen in another shape")
        else:
            channels.unite_axis(view.name, dim, outputs, call.name)
    channels.write_along(call.output, channel_dim, outputs)


def only_dim(view: ParameterView | None, tensor: Tensor) -> int | None:
    """The parameter's dim behind a vector; None where the tensor is not one."""
    if view is None or tensor.dim() != 1:
        return None
    return view.dims[0]


def _uncut(channels: Channels, call: Call, reason: str, weight: Tensor | None = None, channel_dim: int = -1) -> None:
    """A layer that cannot be cut: all of it is unprunable, its own filters as well, and its cost constant.

    Args:
        weight: of a layer; where it is made of the input there are no filters.
        channel_dim: of the output.
    """
    mark_all_unprunable(channels, call, reason)
    if weight is not None and not channels.depends_on_input(weight):
        own = Remark(channels.module, call.name, reason, call.output.shape[channel_dim])
        if own not in channels.uncut:  # it may run several times
            channels.uncut.append(own)
            channels.unprunable.append(own)
    with mac_counter() as counter:
        call.again()
    channels.add_cost(None, counted(counter))
