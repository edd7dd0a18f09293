"""Batch norms of narrow layers in training on a processor, computed in rows that are wide enough for its vectors.

PyTorch's kernel for channels-last images takes a layer of 7 channels at a fifth of the pace of one of 32 in bfloat16,
and of 2 at a seventh in float32: every row of channels is shorter than a vector. Seen as rows of several pixels, the
same numbers are a wide layer.
Shapes: N images, C channels, H, W pixels; P pixels a row, R = N H W / P rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDE = 16  # channels from which on PyTorch's kernel is as fast
PIXELS = 32  # in a row, at most


@contextmanager
def fast_batch_norm(network: nn.Module) -> Iterator[None]:
    """Compute narrow batch norms of `network` this way until the block is left."""
    narrow = compute_fast(network)
    try:
        yield
    finally:
        for module in narrow:
            module.__class__ = nn.BatchNorm2d


def compute_fast(network: nn.Module) -> list[nn.Module]:
    """Compute narrow batch norms of `network` this way from now on; return them."""
    narrow = [m for m in network.modules() if type(m) is nn.BatchNorm2d and m.num_features < WIDE and _is_usual(m)]
    for module in narrow:
        module.__class__ = _FastBatchNorm2d
    return narrow  # type: ignore[return-value]


def _is_usual(norm: nn.BatchNorm2d) -> bool:
    return norm.affine and norm.track_running_stats and norm.momentum is not None


class _FastBatchNorm2d(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        n_values = x.shape[0] * x[0, 0].numel()  # of a channel
        row_pixels = next((p for p in (PIXELS, PIXELS // 2) if n_values % p == 0 and n_values > p), 0)
        supported = (
            self.training and x.dtype in (torch.bfloat16, torch.float32) and x.device.type == "cpu" and row_pixels
        )
        if not supported or not x.is_contiguous(memory_format=torch.channels_last):
            return super().forward(x)
        y, mean, variance = _InRows.apply(x, self.weight, self.bias, self.eps, row_pixels)
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (n_values / (n_values - 1)), self.momentum)
        out: Tensor = y
        return out


class _InRows(torch.autograd.Function):
    """(x, weight, bias) -> (y, mean, variance); the statistics, float32[C], are not differentiated."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, row_pixels: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        rows = _rows(x, row_pixels)
        means, variances = torch.zeros(rows.shape[1]), torch.ones(rows.shape[1])
        torch.batch_norm_update_stats(rows, means, variances, 1.0)  # into these two, unbiased
        # Statistics of each pixel of a row, float32[P, C], put together: the variance within, and that of the means.
        means, variances = means.view(row_pixels, -1), variances.view(row_pixels, -1) * ((len(rows) - 1) / len(rows))
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        wide = [v.repeat(row_pixels) for v in (mean, variance, weight, bias)]
        y = F.batch_norm(rows, wide[0], wide[1], wide[2], wide[3], False, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.eps, ctx.row_pixels = eps, row_pixels
        ctx.mark_non_differentiable(mean, variance)
        out = torch.empty_like(x)  # not a view, which an operation in place could not follow
        _rows(out, row_pixels).copy_(y)
        return out, mean, variance

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, weight and bias, with n values a channel and x' = (x - mean) / std.

        weight: sum(grad x'); bias: sum(grad);
        x: weight / std (grad - sum(grad) / n - x' sum(grad x') / n), computed as grad weight / std + slope x + offset.
        """
        x, weight, mean, variance = ctx.saved_tensors
        row_pixels, eps = ctx.row_pixels, ctx.eps
        rows, grads = _rows(x, row_pixels), _rows(grad.contiguous(memory_format=torch.channels_last), row_pixels)
        wide = [v.repeat(row_pixels) for v in (weight, mean, variance)]
        # As in evaluation: grad weight / std, and for each pixel of a row the two sums over the rows.
        grad_x, grad_weight, grad_bias = torch.ops.aten.native_batch_norm_backward(
            grads, rows, *wide, None, None, False, eps, [True, True, True]
        )
        grad_weight, grad_bias = grad_weight.view(row_pixels, -1).sum(0), grad_bias.view(row_pixels, -1).sum(0)
        n_values, std = rows.numel() / len(weight), (variance + eps).sqrt()
        slope = -weight * grad_weight / (n_values * variance.add(eps))
        offset = -weight * grad_bias / (n_values * std) - slope * mean
        # slope x + offset by the norm's own fast kernel, with mean 0 and variance 1.
        zero, one = torch.zeros_like(wide[0]), torch.ones_like(wide[0])
        wide_slope, wide_offset = slope.repeat(row_pixels), offset.repeat(row_pixels)
        grad_x += F.batch_norm(rows, zero, one, wide_slope, wide_offset, False, 0.0, 0.0)
        return _images(grad_x, x), grad_weight, grad_bias, None, None


def _rows(x: Tensor, row_pixels: int) -> Tensor:
    """[N, C, H, W], channels last -> a view [R, P C]."""
    return x.permute(0, 2, 3, 1).reshape(-1, row_pixels * x.shape[1])


def _images(rows: Tensor, like: Tensor) -> Tensor:
    """[R, P C] -> a view [N, C, H, W], channels last."""
    n, c, h, w = like.shape
    return rows.view(n, h, w, c).permute(0, 3, 1, 2)
