"""Rules for operations that move values without changing them: views, concatenation, padding, shuffles.

Shapes: N batch, C channels, H and W height and width, r a factor, g groups, k a kernel's side, L patches.
"""

import torch
from torch import Tensor

from legr.structure.gather_channels import GatherChannels
from legr.structure.operations import Call
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.nodes import varying
from legr.structure.tracing.rules.elementwise import operand_labels
from legr.structure.tracing.rules.fallback import mark_all_unprunable, unknown
from legr.structure.tracing.rules.registry import rule

_BY_POSITION = "it takes channels by their positions"


@rule(
    """view _unsafe_view permute transpose t unsqueeze squeeze expand alias detach lift_fresh as_strided unfold
    diagonal view_as_real _reshape_alias""",
    reads_axes=True,
    is_view=True,
)
def view(channels: Channels, call: Call) -> None:
    """The same storage has the same labels already; a copy, where the memory layout demands one, gets them."""
    source, out = call.inputs[0], call.outputs[0]
    if out.untyped_storage()._cdata != source.untyped_storage()._cdata:
        channels.write(out, channels.labels(source).reshape(out.shape))


@rule("flip repeat repeat_interleave")
def move(channels: Channels, call: Call) -> None:
    """Labels move as values do: the operation is run on them."""
    if call["self"] is None:  # `repeat_interleave` of counts alone
        return unknown(channels, call)
    channels.write(call.output, call.again({"self": channels.labels(call["self"])}))


@rule("roll")
def shift(channels: Channels, call: Call) -> None:
    """Roll moves labels in space; along channels the distance is a constant of the forward."""
    x = call["self"]
    dims = {d % x.dim() for d in call["dims"]} if call["dims"] else set(range(x.dim()))
    if dims & set(varying(channels.labels(x))):
        return mark_all_unprunable(channels, call, _BY_POSITION)
    return move(channels, call)


@rule("index_select", reads_axes=True)
def select_by_index(channels: Channels, call: Call) -> None:
    """Take positions by an index: along other dims than the channels', or by the index of a `GatherChannels`."""
    if isinstance(channels.network.get_submodule(channels.module), GatherChannels):
        return _gather(channels, call)
    x = call["self"]
    channels.mark_parameter_unprunable(call["index"], call.name)
    if call["dim"] % max(x.dim(), 1) in varying(channels.labels(x)):
        return mark_all_unprunable(channels, call, _BY_POSITION)
    return move(channels, call)


def _gather(channels: Channels, call: Call) -> None:
    """A shortcut by index: its outputs are channels of their own; one whose input is removed becomes blank."""
    name = f"{channels.module}.index".removeprefix(".")
    nodes = channels.nodes_along(call["self"], 1)
    if nodes is None:
        return mark_all_unprunable(channels, call, "its channels vary over several dimensions")
    inputs = nodes[1:]  # the blank channel is in front
    channels.unite(channels.gathers.setdefault(name, inputs), inputs, call.name)
    channels.write_along(call.output, 1, channels.axis(name, 0))


@rule("index _unsafe_index")
def index(channels: Channels, call: Call) -> None:
    """Advanced indexing: along other dims than the channels'."""
    x, indices = call["self"], call["indices"]
    dims = {d for d, index in enumerate(indices) if index is not None}
    by_mask = any(index is not None and index.dtype == torch.bool for index in indices)
    if by_mask or dims & set(varying(channels.labels(x))):
        return mark_all_unprunable(channels, call, _BY_POSITION)
    return move(channels, call)


@rule("cat concat concatenate", reads_axes=True)
def concatenate(channels: Channels, call: Call) -> None:
    """Concatenation moves labels as it moves values; along other dims the channels of all parts are the same."""
    tensors, dim = [x for x in call["tensors"] if x.numel()], call["dim"] % call.output.dim()
    parts = [_labels_of_part(channels, x).expand(x.shape) for x in tensors]
    for d in range(call.output.dim()):
        if d != dim and all(part.size(d) == 1 or part.stride(d) == 0 for part in parts):
            parts = [part.narrow(d, 0, 1) for part in parts]
    across = sorted({d for part in parts for d in varying(part)} - {dim})
    for d in across[:1]:
        lines = [part.movedim(d, 0).flatten(1)[:, 0] for part in parts]
        for line in lines[1:]:
            channels.unite(lines[0], line, call.name)
    channels.write(call.output, channels.find(torch.cat(parts, dim=dim)))


def _labels_of_part(channels: Channels, x: Tensor) -> Tensor:
    labels = operand_labels(channels, x)
    return channels.labels(x) if labels is None else labels


@rule("stack")
def stack(channels: Channels, call: Call) -> None:
    """Stacking makes a new dim; labels move as values do."""
    channels.write(call.output, torch.stack([channels.labels(x) for x in call["tensors"]], dim=call["dim"]))


@rule(
    """pad constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d
    replication_pad3d"""
)
def pad(channels: Channels, call: Call) -> None:
    """Padding: new channels are unprunable; a border in space belongs to its channel."""
    x, out = call["self"], call.output
    amounts = call["pad"] if call["pad"] is not None else call["padding"]
    labels = channels.labels(x)
    dims = varying(labels)
    if len(dims) != 1:
        return channels.write(out, labels.flatten()[:1].view([1] * out.dim())) if labels.numel() else None
    (dim,) = dims
    nodes = channels.nodes_along(x, dim)
    assert nodes is not None
    first = 2 * (x.dim() - 1 - dim)  # where the channels' amounts stand: `amounts` starts at the last dim
    ours = tuple(amounts[first : first + 2])
    if any(ours):
        constant = call.name in ("pad", "constant_pad_nd") and call["mode"] in ("constant", None)
        if not constant or min(ours) < 0:
            return mark_all_unprunable(channels, call, _BY_POSITION)
        nodes = torch.nn.functional.pad(nodes, ours, value=0)
    channels.write_along(out, dim, nodes)


@rule("pixel_shuffle")
def pixel_shuffle(channels: Channels, call: Call) -> None:
    """[N, C r², H, W] -> [N, C, H r, W r]: the r² channels of a block leave together."""
    dim = call["self"].dim() - 3
    nodes = channels.nodes_along(call["self"], dim)
    if nodes is None:
        return mark_all_unprunable(channels, call, _BY_POSITION)
    blocks = nodes.view(-1, call["upscale_factor"] ** 2)  # int64[C, r²]
    if nodes.any():
        channels.couple(blocks.t(), call.name, "channels of one block become one channel")
    channels.write_along(call.output, dim, channels.find(blocks[:, 0]))


@rule("pixel_unshuffle")
def pixel_unshuffle(channels: Channels, call: Call) -> None:
    """[N, C, H r, W r] -> [N, C r², H, W]: every channel becomes r² channels."""
    dim = call["self"].dim() - 3
    nodes = channels.nodes_along(call["self"], dim)
    if nodes is None:
        return mark_all_unprunable(channels, call, _BY_POSITION)
    channels.write_along(call.output, dim, nodes.repeat_interleave(call["downscale_factor"] ** 2))


@rule("channel_shuffle native_channel_shuffle")
def channel_shuffle(channels: Channels, call: Call) -> None:
    """[N, g, C / g, …] -> [N, C / g, g, …]: every group g loses the same channels."""
    nodes = channels.nodes_along(call["self"], 1)
    if nodes is None:
        return mark_all_unprunable(channels, call, _BY_POSITION)
    groups = nodes.view(call["groups"], -1)  # int64[g, C / g]
    if nodes.any():
        channels.couple(groups, call.name, "every group loses the same channels")
    channels.write_along(call.output, 1, channels.find(groups).t().reshape(-1))


@rule("im2col")
def patches(channels: Channels, call: Call) -> None:
    """[N, C, H, W] -> [N, C k k, L]: every channel becomes k k of them."""
    x = call["self"]
    nodes = channels.nodes_along(x, x.dim() - 3)
    if nodes is None:
        return mark_all_unprunable(channels, call, _BY_POSITION)
    area = call.output.shape[-2] // len(nodes)
    channels.write_along(call.output, call.output.dim() - 2, nodes.repeat_interleave(area))
