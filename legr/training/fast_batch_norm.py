"""Batch norms of narrow layers on a processor, computed in rows that are wide enough for its vectors.

PyTorch's kernel for channels-last bfloat16 takes a layer of 7 channels at a fifth of the pace of one of 32: every row
of channels is shorter than a vector. Seen as rows of several pixels the same numbers are a wide layer. It does not
know what is trained.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDE = 16  # channels from which on the kernel is as fast
PIXELS = 32  # in a row, at most


@contextmanager
def fast_batch_norm(network: nn.Module) -> Iterator[None]:
    """Let narrow batch norms of `network` go this way until the block is left."""
    narrow = [m for m in network.modules() if type(m) is nn.BatchNorm2d and m.num_features < WIDE and _is_usual(m)]
    for module in narrow:
        module.__class__ = _FastBatchNorm2d
    try:
        yield
    finally:
        for module in narrow:
            module.__class__ = nn.BatchNorm2d


def _is_usual(norm: nn.BatchNorm2d) -> bool:
    return norm.affine and norm.track_running_stats and norm.momentum is not None


class _FastBatchNorm2d(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        pixels = x.shape[0] * x[0, 0].numel()
        fold = next((fold for fold in (PIXELS, PIXELS // 2) if pixels % fold == 0 and pixels > fold), 0)
        quick = self.training and x.dtype == torch.bfloat16 and x.device.type == "cpu" and fold
        if not quick or not x.is_contiguous(memory_format=torch.channels_last):
            return super().forward(x)
        y, mean, variance = _Folded.apply(x, self.weight, self.bias, self.eps, fold)
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (pixels / (pixels - 1)), self.momentum)
        out: Tensor = y
        return out


class _Folded(torch.autograd.Function):
    """(x, weight, bias) -> (y, mean, variance); the statistics, float32 (C,), are not differentiated."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, fold: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        rows = _rows(x, fold)
        means, variances = torch.zeros(rows.shape[1]), torch.ones(rows.shape[1])
        torch.batch_norm_update_stats(rows, means, variances, 1.0)  # into these two, unbiased
        means, variances = means.view(fold, -1), variances.view(fold, -1) * ((len(rows) - 1) / len(rows))
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        wide = [v.repeat(fold) for v in (mean, variance, weight, bias)]
        y = F.batch_norm(rows, wide[0], wide[1], wide[2], wide[3], False, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.eps, ctx.fold = eps, fold
        ctx.mark_non_differentiable(mean, variance)
        out = torch.empty_like(x)  # no view, which an operation in place could not follow
        _rows(out, fold).copy_(y)
        return out, mean, variance

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance = ctx.saved_tensors
        fold, eps = ctx.fold, ctx.eps
        rows, grads = _rows(x, fold), _rows(grad.contiguous(memory_format=torch.channels_last), fold)
        wide = [v.repeat(fold) for v in (weight, mean, variance)]
        scaled, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            grads, rows, *wide, None, None, False, eps, [True, True, True]
        )  # grad * weight / std; the sums over the pixels, of each place in a row
        by_weight, by_bias = by_weight.view(fold, -1).sum(0), by_bias.view(fold, -1).sum(0)
        pixels, std = rows.numel() / len(weight), (variance + eps).sqrt()
        slope = -weight * by_weight / (pixels * variance.add(eps))
        offset = -weight * by_bias / (pixels * std) - slope * mean
        zero, one = torch.zeros_like(wide[0]), torch.ones_like(wide[0])
        scaled += F.batch_norm(rows, zero, one, slope.repeat(fold), offset.repeat(fold), False, 0.0, 0.0)
        return _as(scaled, x), by_weight, by_bias, None, None


def _rows(x: Tensor, fold: int) -> Tensor:
    """(N, C, H, W), channels last -> a view (N H W / fold, fold C)."""
    return x.permute(0, 2, 3, 1).reshape(-1, fold * x.shape[1])


def _as(rows: Tensor, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return rows.view(n, h, w, c).permute(0, 3, 1, 2)
