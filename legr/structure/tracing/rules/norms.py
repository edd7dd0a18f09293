"""Rules for normalisation: parameters and statistics go with their channels."""

from torch import Tensor

from legr.structure.operations import Call
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.hypotheses import Hypothesis
from legr.structure.tracing.nodes import varying
from legr.structure.tracing.rules.fallback import mark_all_unprunable
from legr.structure.tracing.rules.layers import only_dim
from legr.structure.tracing.rules.registry import rule

_SPREAD = "its channels vary over several dimensions"


@rule("batch_norm instance_norm", reads_axes=True)
def per_channel_norm(channels: Channels, call: Call) -> None:
    """Batch and instance normalisation: every vector of theirs goes with its channel."""
    nodes = channels.nodes_along(call["input"], 1)
    if nodes is None:
        return mark_all_unprunable(channels, call, _SPREAD)
    for name in ("weight", "bias", "running_mean", "running_var"):
        _unite_vector(channels, call, name, nodes)
    channels.note_attribute("num_features", nodes)
    channels.write_along(call.outputs[0], 1, nodes)


@rule("group_norm", reads_axes=True)
def group_norm(channels: Channels, call: Call) -> None:
    """A norm group, whose channels share their statistics, leaves whole; one over all channels is exempt."""
    groups, nodes = call["num_groups"], channels.nodes_along(call["input"], 1)
    if nodes is None:
        return mark_all_unprunable(channels, call, _SPREAD)
    if groups == 1:
        _exempt(channels, nodes)
    elif len(nodes) > groups:
        if channels.choose((Hypothesis.WHOLE_NORM_GROUPS,), nodes) is Hypothesis.UNPRUNABLE:
            return mark_all_unprunable(channels, call, "its groups cannot be cut")
        channels.couple(nodes.view(groups, -1).t(), call.name, "channels of one group share their statistics")
        nodes = channels.find(nodes)
    for name in ("weight", "bias"):
        _unite_vector(channels, call, name, nodes)
    channels.note_attribute("num_channels", nodes)
    if groups > 1:
        channels.note_attribute("num_groups", nodes, divisor=len(nodes) // groups)
    channels.write_along(call.output, 1, nodes)


@rule("layer_norm rms_norm", reads_axes=True)
def layer_norm(channels: Channels, call: Call) -> None:
    """Normalisation over the last dims, LayerNorm or RMSNorm: statistics are those of the channels that stay."""
    x, labels = call["input"], channels.labels(call["input"])
    first = x.dim() - len(call["normalized_shape"])
    dims = varying(labels)
    channels.write(call.output, labels)
    if not dims or dims[0] < first:  # every channel is normalised by itself
        return
    nodes = channels.nodes_along(x, dims[0])
    assert nodes is not None  # labels vary along one dim only
    _exempt(channels, nodes)
    place = dims[0] - first
    for name in ("weight", "bias"):
        tensor = call[name]
        view = channels.parameter_behind(tensor)
        if tensor is not None and view is not None and view.dims[place] is not None:
            channels.unite_axis(view.name, view.dims[place], nodes, call.name)
        elif tensor is not None:
            channels.mark_parameter_unprunable(tensor, call.name)
            channels.mark_unprunable(nodes, call.name, f"its {name} is computed")
    channels.note_attribute("normalized_shape", nodes, place=place)


def _exempt(channels: Channels, nodes: Tensor) -> None:
    if nodes.any():
        channels.exempt[channels.module] = None


def _unite_vector(channels: Channels, call: Call, name: str, nodes: Tensor) -> None:
    """Unite one of the norm's vectors, if it has it, with the channels of its input."""
    tensor = call[name]
    if tensor is None:
        return
    view = channels.parameter_behind(tensor)
    dim = only_dim(view, tensor)
    if view is None or dim is None:
        channels.mark_parameter_unprunable(tensor, call.name)
        channels.mark_unprunable(nodes, call.name, f"its {name} is computed, or a parameter seen in another shape")
    else:
        channels.unite_axis(view.name, dim, nodes, call.name)
