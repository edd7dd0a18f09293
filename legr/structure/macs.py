"""MACs of single operations: formulas for those that PyTorch's counter does not know, and which have none to count.

Convolutions, linear layers and matrix products count, whatever the operation is called; all else is 0. An operation
that is in no list here may do either: it is reported as uncounted, never taken to be free.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from legr.structure.operations import Call, base_name

#: Operations of at least two tensors that multiply no matrices: they look up, write, compare, or work by element.
_FREE = """
    _add_relu _batch_norm_no_update _batch_norm_with_update _batch_norm_with_update_functional _copy_from
    _copy_from_and_resize _ctc_loss _cummax_helper _cummin_helper _grid_sampler_2d_cpu_fallback _index_put_impl
    _masked_scale _masked_softmax _native_batch_norm_legit _native_batch_norm_legit_functional
    _native_batch_norm_legit_no_training _fake_quantize_learnable_per_channel_affine
    _fake_quantize_learnable_per_tensor_affine _fake_quantize_per_tensor_affine_cachemask_tensor_qparams
    _thnn_fused_gru_cell _thnn_fused_lstm_cell _unsafe_index_put _unsafe_masked_index
    _unsafe_masked_index_put_accumulate _weight_norm_interface addr allclose as_strided_scatter batch_norm_elemt
    batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_update_stats binary_cross_entropy
    binary_cross_entropy_with_logits bernoulli bincount binomial box_iou_rotated bucketize complex copysign
    diagonal_scatter dist embedding embedding_renorm eq fake_quantize_per_channel_affine_cachemask
    fake_quantize_per_tensor_affine_cachemask fractional_max_pool2d fractional_max_pool3d gather ge gt heaviside
    histogram huber_loss index_add index_copy index_fill index_put index_reduce is_same_size is_set_to isin kthvalue le
    linalg_cross _linalg_check_errors linspace logspace lt masked_scatter masked_select max_unpool2d max_unpool3d mode
    mse_loss multi_margin_loss multilabel_margin_loss_forward nanmedian native_group_norm native_layer_norm ne
    nll_loss2d_forward nll_loss_forward nms normal polar ps_roi_align ps_roi_pool put qnms qroi_align
    quantize_per_channel quantize_per_tensor quantized_batch_norm resize_as rrelu_with_noise rrelu_with_noise_functional
    rsub scatter scatter_add scatter_reduce searchsorted segment_reduce select_scatter set slice_inverse slice_scatter
    smooth_l1_loss soft_margin_loss take topk add add_out add_scalar add_relu mul mul_out mul_relu mul_scalar cat
    cat_relu batch_norm batch_norm1d batch_norm2d batch_norm3d batch_norm_relu batch_norm2d_relu batch_norm3d_relu
    instance_norm layer_norm group_norm
"""
_PYTORCH = ("aten", "torchvision", "prims", "quantized")  # namespaces whose operations are known by name

Formula = Callable[..., int]  # arguments and result of an operation -> MACs


def _product(x: Tensor, *_: Any, out_val: Tensor, **__: Any) -> int:
    """Every element of the result sums over the last dim of `x`."""
    return out_val.numel() * x.shape[-1]


def _sum_of_products(_: Tensor, left: Tensor, right: Tensor, *__: Any, **___: Any) -> int:
    """`self + left @ right`, summed over a batch or not; `right` may be a vector."""
    return left.numel() * (right.shape[-1] if right.dim() > 1 else 1)


def _product_in_groups(x: Tensor, weight: Tensor, *_: Any, out_val: Tensor, **__: Any) -> int:
    """Rows of `x`, or columns, meet one of several matrices each."""
    return x.numel() * weight.shape[-1] if x.dim() == 2 else out_val.numel() * x.shape[-1]


def _convolution(_: Tensor, weight: Tensor, *__: Any, out_val: Tensor, **___: Any) -> int:
    """Every element of the result reads all weights of one filter: [out, in / groups, …]."""
    return out_val.numel() * prod(weight.shape[1:])


def _transposed_convolution(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    """Every element of the input meets all weights of its channel: [in, out / groups, …]."""
    return x.numel() * prod(weight.shape[1:])


def _packed_convolution(x: Tensor, packed: Any, *_: Any, out_val: Tensor, **__: Any) -> int:
    return _convolution(x, packed.unpack()[0], out_val=out_val)


def _packed_transposed_convolution(x: Tensor, packed: Any, *_: Any, **__: Any) -> int:
    return _transposed_convolution(x, packed.unpack()[0])


def _convolution_in_time(_: Tensor, weight: Tensor, *__: Any, out_val: Tensor, **___: Any) -> int:
    """`conv_tbc`: a weight is [k, in, out]."""
    return out_val.numel() * prod(weight.shape[:2])


def _trilinear(first: Tensor, second: Tensor, third: Tensor, *dims: Any, **_: Any) -> int:
    """`bilinear` and its like: every triple of elements is multiplied once.

    Args:
        dims: where each of the three gets a dim of size 1, before they are broadcast.
    """
    shapes = []
    for tensor, added in zip((first, second, third), dims, strict=False):
        for dim in added:
            tensor = tensor.unsqueeze(dim)
        shapes.append(tensor.shape)
    return prod(torch.broadcast_shapes(*shapes))


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Queries times keys, and the result times values, each [batch, heads, length, width]."""
    return query.numel() * key.shape[-2] + query.shape[:-1].numel() * key.shape[-2] * value.shape[-1]


def _attention_of_heads(
    query: Tensor, key: Tensor, value: Tensor, width: int, heads: int, *weights: Any, **_: Any
) -> int:
    """A whole nn.MultiheadAttention: [batch, length, width] each, with projections in front and behind."""
    projections = (2 * query.numel() + key.numel() + value.numel()) * width
    return projections + 2 * query.numel() * key.shape[-2]


def _encoder_layer(x: Tensor, width: int, heads: int, *args: Any, **_: Any) -> int:
    """A whole nn.TransformerEncoderLayer: attention, and two linear layers."""
    first, second = args[11], args[13]
    n_tokens = x.numel() // x.shape[-1]
    return _attention_of_heads(x, x, x, width, heads) + n_tokens * int(first.numel() + second.numel())


def _recurrent(x: Tensor, weight: Tensor, recurrent_weight: Tensor, *_: Any, **__: Any) -> int:
    """One recurrent layer in one direction: both weights at every step of every sequence."""
    return x.numel() // x.shape[-1] * (weight.numel() + recurrent_weight.numel())


def _weighted_bags(weight: Tensor, *args: Any, **_: Any) -> int:
    """Sums of rows of a table: a matrix product where every row that is looked up has a weight, else no product."""
    of_rows: Tensor | None = args[5] if len(args) > 5 else None
    return 0 if of_rows is None else of_rows.numel() * weight.shape[1]


_OPERATIONS: tuple[tuple[Formula, str], ...] = (
    (
        _product,
        """aten::_int_mm aten::mv aten::dot aten::vdot aten::mkldnn_linear aten::_weight_int8pack_mm
        aten::_weight_int4pack_mm_for_cpu aten::_dyn_quant_matmul_4bit aten::_scaled_mm_v2 quantized::matmul
        quantized::linear quantized::linear_relu quantized::linear_leaky_relu quantized::linear_tanh
        quantized::linear_dynamic quantized::linear_relu_dynamic quantized::linear_dynamic_fp16
        quantized::linear_relu_dynamic_fp16""",
    ),
    (
        _sum_of_products,
        """aten::_addmm_activation aten::addbmm aten::addbmm_ aten::addmm_ aten::addmv aten::addmv_ aten::baddbmm_""",
    ),
    (_product_in_groups, "aten::_grouped_mm aten::_scaled_grouped_mm"),
    (
        _convolution,
        """aten::_conv_depthwise2d aten::conv_depthwise3d aten::mkldnn_convolution aten::_nnpack_spatial_convolution
        aten::slow_conv3d_forward aten::slow_conv_dilated2d aten::slow_conv_dilated3d torchvision::deform_conv2d""",
    ),
    (_transposed_convolution, "aten::slow_conv_transpose2d aten::slow_conv_transpose3d"),
    (
        _packed_convolution,
        """quantized::conv1d quantized::conv1d_relu quantized::conv1d_dynamic quantized::conv2d quantized::conv2d_relu
        quantized::conv2d_dynamic quantized::conv3d quantized::conv3d_relu quantized::conv3d_dynamic""",
    ),
    (
        _packed_transposed_convolution,
        """quantized::conv_transpose1d quantized::conv_transpose2d quantized::conv_transpose3d
        quantized::conv_transpose1d_dynamic quantized::conv_transpose2d_dynamic quantized::conv_transpose3d_dynamic""",
    ),
    (_convolution_in_time, "aten::conv_tbc"),
    (_trilinear, "aten::_trilinear"),
    (
        _attention,
        """aten::_scaled_dot_product_flash_attention_for_cpu aten::_scaled_dot_product_fused_attention_overrideable
        aten::_triton_scaled_dot_attention""",
    ),
    (_attention_of_heads, "aten::_native_multi_head_attention aten::_triton_multi_head_attention"),
    (_encoder_layer, "aten::_transformer_encoder_layer_fwd"),
    (_recurrent, "aten::mkldnn_rnn_layer"),
    (_weighted_bags, "aten::_embedding_bag aten::_embedding_bag_forward_only"),
)
_FREE_OPERATIONS = frozenset(_FREE.split())
_FORMULA_OF = {name: formula for formula, names in _OPERATIONS for name in names.split()}


def mac_counter() -> FlopCounterMode:
    """PyTorch's counter, with the formulas of this file; see `counted`."""
    formulas = ((_packet(name), formula) for name, formula in _FORMULA_OF.items())
    return FlopCounterMode(display=False, custom_mapping={p: _in_flops(f) for p, f in formulas if p is not None})


def counted(counter: FlopCounterMode) -> int:
    """The MACs that a counter has counted."""
    return int(counter.get_total_flops()) // 2


def macs_of(call: Call) -> int | None:
    """MACs of an operation that has run; None where it may have some and they are not known."""
    known = flop_registry.get(call.func._overloadpacket)  # a user may have added to it
    if known is not None:
        return int(known(*call.args, **call.kwargs, out_val=call.output)) // 2
    formula = _FORMULA_OF.get(f"{call.func.namespace}::{call.func._overloadpacket.__name__}")
    if formula is not None:
        return formula(*call.args, **call.kwargs, out_val=call.output)
    return None if _may_multiply(call) else 0


def _may_multiply(call: Call) -> bool:
    if call.func.namespace not in _PYTORCH:
        return bool(call.inputs and call.outputs)
    name = base_name(call.func)
    if name in _FREE_OPERATIONS:
        return False
    numbers = [x for x in call.inputs if x.is_floating_point() or x.is_complex() or x.is_quantized]
    return len(numbers) > 1 or name.startswith(("linalg_", "_linalg_"))


def _packet(name: str) -> Any:
    """An operation by its name; None where its library is not loaded."""
    namespace, _, operation = name.partition("::")
    return getattr(getattr(torch.ops, namespace), operation, None)


def _in_flops(formula: Formula) -> Formula:
    """The formula as PyTorch's counter calls it: two FLOPs a MAC, tensors in place of their shapes."""

    def flops(*args: Any, **kwargs: Any) -> int:
        return 2 * formula(*args, **kwargs)

    flops._get_raw = True  # type: ignore[attr-defined]
    return flops
