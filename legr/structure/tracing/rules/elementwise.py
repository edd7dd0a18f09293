"""Rules for operations that work element by element."""

from collections.abc import Sequence

import torch
from torch import Tensor

from legr.structure.operations import Call
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.hypotheses import Hypothesis
from legr.structure.tracing.nodes import lay_along, varying
from legr.structure.tracing.rules.fallback import mark_all_unprunable, unknown
from legr.structure.tracing.rules.registry import rule
from legr.structure.zeros import Zeros

_NONFINITE = "a removed channel would be NaN or infinite there"


@rule(
    """_to_copy clone contiguous dropout feature_dropout alpha_dropout feature_alpha_dropout hardswish hardsigmoid
    _prelu_kernel rrelu log_sigmoid clamp nan_to_num where masked_fill threshold celu selu softplus""",
    tag=torch.Tag.pointwise,
    reads_axes=True,
)
def pointwise(channels: Channels, call: Call) -> None:
    """Unite the operands element by element; one that is broadcast over another's channels must be unprunable."""
    if call.name == "where" and len(call.inputs) == 1:  # it returns positions, not values
        return unknown(channels, call)
    out = call.outputs[0]
    if call.name == "mul" and _is_masked(channels, call.inputs, out):
        return None
    operands, dims = _labelled_operands(channels, call, out)
    united: Tensor | None = None  # labels of the operands so far, size 1 along all dims but `dims`
    for x, labels in operands:
        if any(_size(x, d, out) == 1 and out.shape[d] > 1 for d in dims):
            channels.mark_unprunable(labels, call.name, "they are broadcast over the channels of another tensor")
            continue
        few = _narrow_to(dims, labels.expand(out.shape))
        if united is not None:
            channels.unite(united, few, call.name)
        united = few
    channels.write(out, torch.zeros((), dtype=torch.int64) if united is None else channels.find(united))


def _is_masked(channels: Channels, factors: Sequence[Tensor], product: Tensor) -> bool:
    """Whether it is a parameter times its mask, which then counts as the parameter."""
    if len(factors) != 2 or product.dim() == 0:
        return False
    first, second = factors
    return channels.note_masked(product, first, second) or channels.note_masked(product, second, first)


def _labelled_operands(
    channels: Channels, call: Call, out: Tensor
) -> tuple[list[tuple[Tensor, Tensor]], Sequence[int]]:
    """The operands of more than one number with their labels, and the output's dims along which any of them vary.

    Parameters of several dims come last: they go with the channels of the others.
    """
    pairs = [(x, operand_labels(channels, x)) for x in call.inputs if x.dim() > 0]
    operands = [(x, labels) for x, labels in pairs if labels is not None]
    dims = sorted({d for _, labels in operands for d in varying(labels.expand(out.shape))})
    operands += [(x, _parameter_labels(channels, call, x, out, dims)) for x, labels in pairs if labels is None]
    return operands, dims


def operand_labels(channels: Channels, x: Tensor) -> Tensor | None:
    """Labels of an operand; the nodes of its axis for a parameter that is a vector; None for one of several dims."""
    view = channels.parameter_behind(x)
    if view is None:
        channels.mark_parameter_unprunable(x, "part of it is read")
        return channels.labels(x)
    long = [d for d in range(x.dim()) if x.shape[d] > 1]
    if not long:
        return channels.labels(x)
    if len(long) > 1 or view.dims[long[0]] is None:
        return None
    dim = view.dims[long[0]]
    assert dim is not None
    return lay_along(channels.axis(view.name, dim), long[0], x.dim())


def _parameter_labels(channels: Channels, call: Call, x: Tensor, out: Tensor, dims: Sequence[int]) -> Tensor:
    """Labels of a parameter of several dims: the channels of the others lie along one of them, or it stays whole."""
    view = channels.parameter_behind(x)
    assert view is not None
    along = dims[0] - (out.dim() - x.dim()) if len(dims) == 1 else -1  # dim of `x` where the channels lie
    dim = view.dims[along] if along >= 0 else None
    if dim is not None and x.shape[along] > 1:
        return lay_along(channels.axis(view.name, dim), along, x.dim())
    if len(dims) != 1 or (along >= 0 and x.shape[along] > 1):
        channels.mark_parameter_unprunable(x, call.name)
    return torch.zeros((), dtype=torch.int64).expand(x.shape)


def _narrow_to(dims: Sequence[int], labels: Tensor) -> Tensor:
    """The labels at the first position of every dim but `dims`."""
    for d in range(labels.dim()):
        if d not in dims:
            labels = labels.narrow(d, 0, 1)
    return labels


def _size(x: Tensor, dim: int, out: Tensor) -> int:
    """Size of `x` along the output's dim `dim`, broadcasting from the right."""
    own = dim - (out.dim() - x.dim())
    return x.shape[own] if own >= 0 else 1


@rule("zeros_like ones_like empty_like full_like rand_like randn_like")
def like(channels: Channels, call: Call) -> None:
    """A new tensor in the shape of another has its channels."""
    channels.write(call.output, channels.labels(call["self"]))


@rule("copy")
def overwrite(channels: Channels, call: Call) -> None:
    """Copy into a tensor, or into a part of one: its labels are replaced."""
    target, source = call["self"], call["src"]
    if channels.existed_before(target):
        return mark_all_unprunable(channels, call, "they are stored in the model")
    channels.write(target, channels.labels(source).expand(target.shape))


@rule("new_zeros new_ones new_full new_empty new_empty_strided", creates=True)
def factory(channels: Channels, call: Call) -> None:
    """A new tensor that takes only dtype and device from another has no channels, but for what `Zeros` returns."""
    module = channels.network.get_submodule(channels.module)
    if not isinstance(module, Zeros):
        return None
    out = call.outputs[0]
    if module.dim < 0:
        return channels.write(out, channels.labels(call["self"]))
    nodes = channels.nodes.new(out.shape[module.dim])
    channels.note_attribute("channels", nodes)
    channels.write_along(out, module.dim, nodes)


@rule("fill zero")
def fill(channels: Channels, call: Call) -> None:
    """Set every element to one value: the labels stay."""


@rule(
    """reciprocal rsqrt log log2 log10 logit digamma lgamma polygamma acosh xlogy atan2 addcdiv special_xlog1py
    special_entr""",
    reads_axes=True,
    may_be_nonfinite=True,
)
def undefined_at_zero(channels: Channels, call: Call) -> None:
    """Logarithms and reciprocals: NaN or infinite where a removed channel, zeroed, is 0; a dry run finds out."""
    for x in call.inputs:
        _mark_unless_harmless(channels, call, operand_labels(channels, x))
    return pointwise(channels, call)


@rule("div true_divide floor_divide remainder fmod", reads_axes=True, may_be_nonfinite=True)
def divide(channels: Channels, call: Call) -> None:
    """A quotient is NaN or infinite where a removed channel of the divisor, zeroed, is 0; a dry run finds out."""
    divisor = call["other"]
    _mark_unless_harmless(channels, call, operand_labels(channels, divisor) if isinstance(divisor, Tensor) else None)
    return pointwise(channels, call)


@rule("pow float_power", reads_axes=True, may_be_nonfinite=True)
def power(channels: Channels, call: Call) -> None:
    """x ** y is defined at x = 0 where y is a number from 0 on; else it is treated as a reciprocal."""
    exponent = call["exponent"]
    defined = isinstance(exponent, (int, float)) and exponent >= 0
    if defined or not isinstance(call["self"], Tensor):
        return pointwise(channels, call)
    return undefined_at_zero(channels, call)


def _mark_unless_harmless(channels: Channels, call: Call, labels: Tensor | None) -> None:
    """Make an operand's channels unprunable where a dry run has shown that one that is zero does harm."""
    if labels is None or not labels.any():
        return
    if channels.choose((Hypothesis.REMOVED_IS_HARMLESS,), labels) is Hypothesis.UNPRUNABLE:
        channels.mark_unprunable(labels, call.name, _NONFINITE)
