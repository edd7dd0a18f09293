"""Rules for operations that work along dims: pooling, resizing, means, sums, softmax."""

import re

import torch

from legr.structure.operations import Call
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.hypotheses import Hypothesis
from legr.structure.tracing.nodes import varying
from legr.structure.tracing.rules.elementwise import pointwise
from legr.structure.tracing.rules.fallback import mark_all_unprunable
from legr.structure.tracing.rules.registry import rule

_OVER_CHANNELS = "it works over the channels, and their number changes its result"


@rule(
    """max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices
    avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
    adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
    upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d
    _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d roi_align roi_pool"""
)
def spatial(channels: Channels, call: Call) -> None:
    """Pooling and resizing over the last dims, as many as the name says, keep the channels as they are."""
    x = call.inputs[0]
    match = re.search(r"([123])d", call.name)
    dim = x.dim() - 1 - int(match[1]) if match else 1
    nodes = channels.nodes_along(x, dim)
    if nodes is None:
        return mark_all_unprunable(channels, call, "its input has channels along another dimension")
    for other in call.inputs[1:]:  # boxes, or a grid of sampling points
        channels.mark_unprunable(channels.labels(other), call.name, "they are places in space")
    for out in call.outputs:
        channels.write_along(out, dim, nodes)


@rule(
    """mean amax amin max min argmax argmin var std var_mean std_mean prod logsumexp norm linalg_vector_norm
    any all count_nonzero median nanmean"""
)
def reduce_dims(channels: Channels, call: Call) -> None:
    """A reduction over other dims keeps the labels; one over the channels makes them unprunable."""
    if call["other"] is not None:  # max(a, b)
        return pointwise(channels, call)
    labels, reduced = channels.labels(call["self"]), _reduced_dims(call)
    if reduced & set(varying(labels)) or not labels.numel():
        return mark_all_unprunable(channels, call, _OVER_CHANNELS)
    for d in reduced:
        labels = labels.narrow(d, 0, 1)
    for out in call.outputs:
        channels.write(out, labels.reshape(out.shape) if labels.dim() != out.dim() else labels)


@rule("sum nansum")
def add_up(channels: Channels, call: Call) -> None:
    """A sum over channels is right where removed channels, zeroed, are 0; a dry run finds out."""
    labels = channels.labels(call["self"])
    if not _reduced_dims(call) & set(varying(labels)):
        return reduce_dims(channels, call)
    if channels.choose((Hypothesis.REMOVED_IS_HARMLESS,), labels) is Hypothesis.UNPRUNABLE:
        return mark_all_unprunable(channels, call, "a removed channel is not zero there")
    for out in call.outputs:
        channels.write(out, torch.zeros((), dtype=torch.int64))


@rule("softmax _softmax log_softmax _log_softmax cumsum cumprod logcumsumexp cummax cummin sort")
def along_dim(channels: Channels, call: Call) -> None:
    """Softmax and cumulative sums keep the shape; over the channels they make them unprunable."""
    x, labels = call["self"], channels.labels(call["self"])
    if call["dim"] % max(x.dim(), 1) in varying(labels):
        return mark_all_unprunable(channels, call, _OVER_CHANNELS)
    for out in call.outputs:
        channels.write(out, labels)


def _reduced_dims(call: Call) -> set[int]:
    x, dims = call["self"], call["dim"]
    if isinstance(dims, int):
        dims = [dims]
    return {d % x.dim() for d in (dims or range(x.dim()))} if x.dim() else set()
