"""The table of rules: which rule every operation has, and with which properties."""

from dataclasses import fields

import pytest
import torch

import legr
from legr.structure.operations import Call
from legr.structure.tracing import rules
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.rules import registry
from legr.structure.tracing.rules.registry import rule
from tests.nets import Chain, example, make

#: Rule -> (its operations, those of its properties that are true).
RULES: dict[str, tuple[str, set[str]]] = {
    "layers.convolution": (
        """
        conv1d conv2d conv3d convolution conv_transpose1d conv_transpose2d conv_transpose3d
        """,
        {"reads_axes"},
    ),
    "layers.linear": ("linear", {"reads_axes"}),
    "layers.matrix_product": ("mm addmm", {"reads_axes"}),
    "layers.product_of_many": ("linalg_multi_dot chain_matmul", set()),
    "layers.deformable": ("deform_conv2d", {"reads_axes"}),
    "norms.per_channel_norm": ("batch_norm instance_norm", {"reads_axes"}),
    "norms.group_norm": ("group_norm", {"reads_axes"}),
    "norms.layer_norm": ("layer_norm rms_norm", {"reads_axes"}),
    "elementwise.pointwise": (
        """
        _to_copy clone contiguous dropout feature_dropout alpha_dropout feature_alpha_dropout hardswish
        hardsigmoid _prelu_kernel rrelu log_sigmoid clamp nan_to_num where masked_fill threshold celu selu
        softplus
        """,
        {"reads_axes"},
    ),
    "elementwise.like": ("zeros_like ones_like empty_like full_like rand_like randn_like", set()),
    "elementwise.factory": ("new_zeros new_ones new_full new_empty new_empty_strided", {"creates"}),
    "elementwise.overwrite": ("copy", set()),
    "elementwise.fill": ("fill zero", set()),
    "elementwise.divide": ("div true_divide floor_divide remainder fmod", {"reads_axes", "may_be_nonfinite"}),
    "elementwise.power": ("pow float_power", {"reads_axes", "may_be_nonfinite"}),
    "elementwise.undefined_at_zero": (
        """
        reciprocal rsqrt log log2 log10 logit digamma lgamma polygamma acosh xlogy atan2 addcdiv special_xlog1py
        special_entr
        """,
        {"reads_axes", "may_be_nonfinite"},
    ),
    "movement.view": (
        """
        view _unsafe_view permute transpose t unsqueeze squeeze expand alias detach lift_fresh as_strided unfold
        diagonal view_as_real _reshape_alias
        """,
        {"reads_axes", "is_view"},
    ),
    "movement.move": ("flip repeat repeat_interleave", set()),
    "movement.shift": ("roll", set()),
    "movement.select_by_index": ("index_select", {"reads_axes"}),
    "movement.index": ("index _unsafe_index", set()),
    "movement.concatenate": ("cat concat concatenate", {"reads_axes"}),
    "movement.stack": ("stack", set()),
    "movement.pad": (
        """
        pad constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
        replication_pad2d replication_pad3d
        """,
        set(),
    ),
    "movement.pixel_shuffle": ("pixel_shuffle", set()),
    "movement.pixel_unshuffle": ("pixel_unshuffle", set()),
    "movement.channel_shuffle": ("channel_shuffle native_channel_shuffle", set()),
    "movement.patches": ("im2col", set()),
    "slices.take": (
        "slice select narrow split split_with_sizes unsafe_split unsafe_split_with_sizes",
        {"reads_axes", "is_view"},
    ),
    "slices.chunk": ("chunk unsafe_chunk tensor_split", {"reads_axes"}),
    "slices.gated": ("glu", set()),
    "slices.unbind": ("unbind", {"reads_axes"}),
    "reduction.spatial": (
        """
        max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices
        avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
        adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d upsample_nearest1d upsample_nearest2d
        upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d
        upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d _upsample_bilinear2d_aa
        _upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d roi_align roi_pool
        """,
        set(),
    ),
    "reduction.reduce_dims": (
        """
        mean amax amin max min argmax argmin var std var_mean std_mean prod logsumexp norm linalg_vector_norm any
        all count_nonzero median nanmean
        """,
        set(),
    ),
    "reduction.add_up": ("sum nansum", set()),
    "reduction.along_dim": (
        """
        softmax _softmax log_softmax _log_softmax cumsum cumprod logcumsumexp cummax cummin sort
        """,
        set(),
    ),
}


def test_every_operation_has_its_rule_and_properties() -> None:
    expected = {name: (rule, props) for rule, (names, props) in RULES.items() for name in names.split()}
    registered = {
        name: (f"{entry.apply.__module__.rpartition('.')[2]}.{entry.apply.__name__}", properties(entry))
        for name, entry in rules.registered().items()
    }
    assert registered == expected


def properties(entry: rules.Rule) -> set[str]:
    return {field.name for field in fields(entry) if getattr(entry, field.name) is True}


def test_a_pointwise_operation_without_a_rule_of_its_own_has_that_of_its_kind() -> None:
    pointwise = rules.registered()["clone"]
    for operation in (torch.ops.aten.relu.default, torch.ops.aten.add_.Tensor, torch.ops.aten.sigmoid.default):
        assert rules.find(operation) is pointwise
    assert rules.find(torch.ops.aten.div.Tensor) is not pointwise
    assert rules.find(torch.ops.aten.bmm.default) is None
    assert rules.find(torch.ops.prim.device.default) is None


def test_properties_are_read_by_name() -> None:
    assert rules.is_view("view") and not rules.is_view("relu") and not rules.is_view("no such operation")
    assert rules.may_be_nonfinite("div") and not rules.may_be_nonfinite("relu")


def test_an_operation_has_one_rule() -> None:
    with pytest.raises(ValueError, match="got a second one for linear"):
        rule("linear")(lambda channels, call: None)


def test_an_error_in_a_rule_is_not_blamed_on_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(channels: Channels, call: Call) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(registry._BY_NAME, "linear", rules.Rule(broken))
    with pytest.raises(ZeroDivisionError):
        legr.trace(make(Chain), example())
