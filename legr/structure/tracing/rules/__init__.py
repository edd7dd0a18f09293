"""The table of operations: how channel labels flow through each one, and what it assumes.

It does not know models or pruning. An operation that is not in the table makes the channels that
touch it unremovable, and is reported: never a guess.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from legr.structure.operations import Call, base_name
from legr.structure.tracing.nodes import varying
from legr.structure.tracing.rules import elementwise, layers, movement, norms, reduction, slices
from legr.structure.tracing.rules.fallback import held_by_rehearsal, unknown

if TYPE_CHECKING:
    from legr.structure.tracing.tracer import Tracer

__all__ = [
    "Call",
    "Rule",
    "base_name",
    "decomposes",
    "find",
    "held_by_rehearsal",
    "is_factory",
    "is_view",
    "reads_axes",
    "unknown",
    "varying",
]

Rule = Callable[["Tracer", Call], None]

#: Rule -> the operations it holds for, without namespace, overload and the underscore of in-place forms.
_RULES: dict[Rule, str] = {
    layers.convolution: "conv1d conv2d conv3d convolution conv_transpose1d conv_transpose2d conv_transpose3d",
    layers.linear: "linear",
    layers.matrix_product: "mm addmm",
    norms.per_channel_norm: "batch_norm instance_norm",
    norms.group_norm: "group_norm",
    norms.layer_norm: "layer_norm rms_norm",
    elementwise.pointwise: """
        _to_copy clone contiguous dropout feature_dropout alpha_dropout feature_alpha_dropout hardswish hardsigmoid
        _prelu_kernel rrelu log_sigmoid clamp nan_to_num where masked_fill threshold celu selu softplus""",
    elementwise.like: "zeros_like ones_like empty_like full_like rand_like randn_like",
    elementwise.factory: "new_zeros new_ones new_full new_empty new_empty_strided",
    elementwise.overwrite: "copy",
    elementwise.fill: "fill zero",
    elementwise.divide: "div true_divide floor_divide remainder fmod",
    elementwise.power: "pow float_power",
    elementwise.undefined_at_zero: """
        reciprocal rsqrt log log2 log10 logit digamma lgamma polygamma acosh xlogy atan2 addcdiv special_xlog1py
        special_entr""",
    movement.view: """
        view _unsafe_view permute transpose t unsqueeze squeeze expand alias detach lift_fresh as_strided unfold
        diagonal view_as_real _reshape_alias""",
    movement.move: "flip repeat repeat_interleave",
    movement.shift: "roll",
    movement.select_by_index: "index_select",
    movement.index: "index _unsafe_index",
    movement.concatenate: "cat concat concatenate",
    movement.stack: "stack",
    movement.pad: """
        pad constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d
        replication_pad3d""",
    movement.pixel_shuffle: "pixel_shuffle",
    movement.pixel_unshuffle: "pixel_unshuffle",
    movement.channel_shuffle: "channel_shuffle native_channel_shuffle",
    movement.patches: "im2col",
    slices.take: "slice select narrow split split_with_sizes unsafe_split unsafe_split_with_sizes",
    slices.chunk: "chunk unsafe_chunk tensor_split",
    slices.gated: "glu",
    slices.unbind: "unbind",
    reduction.spatial: """
        max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices
        avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
        adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
        upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
        _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d
        _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d roi_align roi_pool""",
    reduction.reduce_dims: """
        mean amax amin max min argmax argmin var std var_mean std_mean prod logsumexp norm linalg_vector_norm
        any all count_nonzero median nanmean""",
    reduction.add_up: "sum nansum",
    reduction.along_dim: "softmax _softmax log_softmax _log_softmax cumsum cumprod logcumsumexp cummax cummin sort",
}
_RULE_OF = {name: rule for rule, names in _RULES.items() for name in names.split()}
_READ_AXES = frozenset(
    (
        *(layers.convolution, layers.linear, layers.matrix_product),
        *(norms.per_channel_norm, norms.group_norm, norms.layer_norm),
        *(elementwise.pointwise, elementwise.divide, elementwise.power, elementwise.undefined_at_zero),
        *(movement.view, movement.concatenate, movement.select_by_index),
        *(slices.take, slices.chunk, slices.unbind),
    )
)
_NAMESPACES = ("aten", "torchvision")


def find(func: Any) -> Rule | None:
    """The rule for an operation, or None."""
    if func.namespace not in _NAMESPACES:
        return None
    rule = _RULE_OF.get(base_name(func))
    return elementwise.pointwise if rule is None and torch.Tag.pointwise in func.tags else rule


def reads_axes(rule: Rule) -> bool:
    """Whether a rule reads the axes of a parameter one by one; all others take a parameter as a whole."""
    return rule in _READ_AXES


def is_factory(func: Any) -> bool:
    """Whether an operation reads nothing of its inputs but their type."""
    return find(func) is elementwise.factory


def is_view(name: str) -> bool:
    """Whether an operation of this name only looks at its input in another way."""
    return _RULE_OF.get(name) in (movement.view, slices.take)


def may_have_no_number(name: str) -> bool:
    """Whether an operation of this name may return no number for a channel that is zero."""
    return _RULE_OF.get(name) in (elementwise.divide, elementwise.power, elementwise.undefined_at_zero)


def decomposes(func: Any) -> bool:
    """Whether an operation is made of others that a trace can follow instead."""
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    return bool(func._can_decompose() and func.has_kernel_for_dispatch_key(key))
