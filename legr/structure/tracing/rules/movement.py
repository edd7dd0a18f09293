"""Rules for operations that move values without changing them: views, concatenation, padding, shuffles.

They do not know the table they stand in.
"""

from typing import TYPE_CHECKING

import torch

from legr.structure.gather_channels import GatherChannels
from legr.structure.operations import Call
from legr.structure.tracing.nodes import varying
from legr.structure.tracing.rules.elementwise import operand_labels
from legr.structure.tracing.rules.fallback import hold_all, unknown

if TYPE_CHECKING:
    from legr.structure.tracing.tracer import Tracer

_BY_NUMBER = "it takes channels by their numbers"


def view(tracer: "Tracer", call: Call) -> None:
    """Same storage, same labels: nothing to do. A copy where the layout demands one keeps them as well."""
    source, out = call.inputs[0], call.outputs[0]
    if out.untyped_storage()._cdata != source.untyped_storage()._cdata:
        tracer.write(out, tracer.labels(source).reshape(out.shape))


def move(tracer: "Tracer", call: Call) -> None:
    """Flip, repeat: labels move as values do."""
    if call["self"] is None:  # `repeat_interleave` of counts alone
        return unknown(tracer, call)
    tracer.write(call.output, call.again({"self": tracer.labels(call["self"])}))


def shift(tracer: "Tracer", call: Call) -> None:
    """Roll: moves in space; along channels the distance is a constant of the forward."""
    x = call["self"]
    dims = {d % x.dim() for d in call["dims"]} if call["dims"] else set(range(x.dim()))
    if dims & set(varying(tracer.labels(x))):
        return hold_all(tracer, call, _BY_NUMBER)
    return move(tracer, call)


def select_by_index(tracer: "Tracer", call: Call) -> None:
    """Take rows by an index: along other dims than the channels', or by the index of a `GatherChannels`."""
    if isinstance(tracer.network.get_submodule(tracer.module), GatherChannels):
        return _gather(tracer, call)
    x = call["self"]
    tracer.freeze(call["index"], call.name)
    if call["dim"] % max(x.dim(), 1) in varying(tracer.labels(x)):
        return hold_all(tracer, call, _BY_NUMBER)
    return move(tracer, call)


def _gather(tracer: "Tracer", call: Call) -> None:
    """A shortcut by index: outputs are channels of their own, and may blank an input that has gone."""
    name = f"{tracer.module}.index".removeprefix(".")
    channels = tracer.along(call["self"], 1)
    if channels is None:
        return hold_all(tracer, call, "its channels vary over several dimensions")
    sources = channels[1:]  # the blank channel is in front
    tracer.unite(tracer.gathers.setdefault(name, sources), sources, call.name)
    tracer.write_along(call.output, 1, tracer.axis(name, 0))


def index(tracer: "Tracer", call: Call) -> None:
    """Advanced indexing: along other dims than the channels'."""
    x, indices = call["self"], call["indices"]
    dims = {d for d, index in enumerate(indices) if index is not None}
    if dims & set(varying(tracer.labels(x))) or any(i is not None and i.dtype == torch.bool for i in indices):
        return hold_all(tracer, call, _BY_NUMBER)
    return move(tracer, call)


def concatenate(tracer: "Tracer", call: Call) -> None:
    """Concatenation moves labels as it moves values; along other dims the channels of all parts are the same."""
    tensors, dim = [x for x in call["tensors"] if x.numel()], call["dim"] % call.output.dim()
    labels = [tracer.labels(x) if (found := operand_labels(tracer, x)) is None else found for x in tensors]
    labels = [part.expand(x.shape) for part, x in zip(labels, tensors, strict=True)]
    for d in range(call.output.dim()):
        if d != dim and all(part.size(d) == 1 or part.stride(d) == 0 for part in labels):
            labels = [part.narrow(d, 0, 1) for part in labels]
    across = sorted({d for part in labels for d in varying(part)} - {dim})
    for d in across[:1]:
        lines = [part.movedim(d, 0).flatten(1)[:, 0] for part in labels]
        for line in lines[1:]:
            tracer.unite(lines[0], line, call.name)
    tracer.write(call.output, tracer.nodes.find(torch.cat(labels, dim=dim)))


def stack(tracer: "Tracer", call: Call) -> None:
    """Stacking makes a dim of its own."""
    tracer.write(call.output, torch.stack([tracer.labels(x) for x in call["tensors"]], dim=call["dim"]))


def pad(tracer: "Tracer", call: Call) -> None:
    """Padding: new channels are fixed; a border in space belongs to its channel."""
    x, out = call["self"], call.output
    amounts = call["pad"] if call["pad"] is not None else call["padding"]
    labels = tracer.labels(x)
    dims = varying(labels)
    if len(dims) != 1:
        return tracer.write(out, labels.flatten()[:1].view([1] * out.dim())) if labels.numel() else None
    (dim,) = dims
    channels = tracer.along(x, dim)
    assert channels is not None
    place = 2 * (x.dim() - 1 - dim)  # amounts start at the last dim
    if place < len(amounts) and any(amounts[place : place + 2]):
        constant = call.name in ("pad", "constant_pad_nd") and call["mode"] in ("constant", None)
        if not constant or min(amounts[place : place + 2]) < 0:
            return hold_all(tracer, call, _BY_NUMBER)
        channels = torch.nn.functional.pad(channels, tuple(amounts[place : place + 2]), value=0)
    tracer.write_along(out, dim, channels)


def pixel_shuffle(tracer: "Tracer", call: Call) -> None:
    """(N, C r², H, W) -> (N, C, H r, W r): the r² channels of a block leave together."""
    dim = call["self"].dim() - 3
    channels = tracer.along(call["self"], dim)
    if channels is None:
        return hold_all(tracer, call, _BY_NUMBER)
    blocks = channels.view(-1, call["upscale_factor"] ** 2)
    if channels.any():
        tracer.tie(blocks.t(), call.name, "channels of one block become one channel")
    tracer.write_along(call.output, dim, tracer.nodes.find(blocks[:, 0]))


def pixel_unshuffle(tracer: "Tracer", call: Call) -> None:
    """(N, C, H r, W r) -> (N, C r², H, W): every channel becomes r² channels."""
    dim = call["self"].dim() - 3
    channels = tracer.along(call["self"], dim)
    if channels is None:
        return hold_all(tracer, call, _BY_NUMBER)
    tracer.write_along(call.output, dim, channels.repeat_interleave(call["downscale_factor"] ** 2))


def channel_shuffle(tracer: "Tracer", call: Call) -> None:
    """(N, g, C / g, …) -> (N, C / g, g, …): every group loses the same channels."""
    channels = tracer.along(call["self"], 1)
    if channels is None:
        return hold_all(tracer, call, _BY_NUMBER)
    inside = channels.view(call["groups"], -1)
    if channels.any():
        tracer.tie(inside, call.name, "every group loses the same channels")
    tracer.write_along(call.output, 1, tracer.nodes.find(inside).t().reshape(-1))


def patches(tracer: "Tracer", call: Call) -> None:
    """im2col, (N, C, H, W) -> (N, C k k, L): every channel becomes k k of them."""
    x = call["self"]
    channels = tracer.along(x, x.dim() - 3)
    if channels is None:
        return hold_all(tracer, call, _BY_NUMBER)
    area = call.output.shape[-2] // len(channels)
    tracer.write_along(call.output, call.output.dim() - 2, channels.repeat_interleave(area))
