"""Evaluate a network: top-1 and loss on a split, and its most probable classes.

Batch norms use the statistics that the network has, never those of the images that it is evaluated on.
Shapes: N images, B of a batch, K classes that are asked for.
"""

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from legr.data.batches import iterate
from legr.data.images import Split
from legr.data.normalization import Normalization


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well a network does on a split."""

    top1: float  # in [0, 1]
    loss: float  # mean cross-entropy
    images: int

    @property
    def finite_loss(self) -> float | None:
        """The loss as it is stored and shown: None where an output was NaN or infinite."""
        return self.loss if math.isfinite(self.loss) else None


def batch_size_for(split: Split, pixels: int = 128 * 1024) -> int:
    """Images a batch: 128 of 32 x 32 pixels, fewer of larger ones."""
    return max(8, pixels // (split.images.shape[-1] * split.images.shape[-2]))


def evaluate_split(
    model: nn.Module,
    split: Split,
    normalization: Normalization,
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    order: Tensor | None = None,
) -> Evaluation:
    """Top-1 and loss in evaluation mode; the model itself is put into it, on `device`, channels last.

    Args:
        dtype: float32 for every number that is reported; bfloat16 only to compare networks with each other.
        order: int64[M], indices of the images to evaluate on; None is all.
    """
    correct, loss, images = 0, 0.0, 0
    for logits, labels in _logits(model, split, normalization, device, dtype, order):
        correct += int((logits.argmax(1) == labels).sum())
        loss += float(F.cross_entropy(logits, labels, reduction="sum"))
        images += len(labels)
    return Evaluation(correct / images, loss / images, images)


def correct(
    model: nn.Module,
    split: Split,
    normalization: Normalization,
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    order: Tensor | None = None,
) -> Tensor:
    """Whether the first class of each image is its own, bool[M]; the arguments are those of `evaluate_split`."""
    batches = _logits(model, split, normalization, device, dtype, order)
    return torch.cat([(logits.argmax(1) == labels).cpu() for logits, labels in batches])


def predict_topk(
    model: nn.Module,
    split: Split,
    normalization: Normalization,
    *,
    device: torch.device,
    top: int,
    progress: Callable[[int], None] = lambda images: None,
) -> tuple[Tensor, Tensor]:
    """The most probable classes of every image in float32, by the same passes as `evaluate_split`.

    Args:
        top: how many of each image; all where there are fewer classes.
        progress: called after each batch with the number of images done so far.

    Returns:
        Classes, int64[N, K], the most probable first and of equals the first; probabilities, float32[N, K].
    """
    classes, probabilities, images = [], [], 0
    for logits, labels in _logits(model, split, normalization, device, torch.float32, None):
        order = logits.argsort(dim=1, descending=True, stable=True)[:, :top]  # `topk` leaves the order of equals open
        classes.append(order.cpu())
        probabilities.append(logits.softmax(1).gather(1, order).cpu())
        images += len(labels)
        progress(images)
    return torch.cat(classes), torch.cat(probabilities)


def _logits(
    model: nn.Module,
    split: Split,
    normalization: Normalization,
    device: torch.device,
    dtype: torch.dtype,
    order: Tensor | None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits, float32[B, classes], and labels, int64[B], batch by batch."""
    network = copy.deepcopy(model) if dtype != torch.float32 else model
    network = cast(nn.Module, network.to(device, dtype, memory_format=torch.channels_last)).eval()  # type: ignore[call-overload]
    return _outputs(
        network, iterate(split, normalization, batch=batch_size_for(split), device=device, dtype=dtype, order=order)
    )


@torch.inference_mode()
def _outputs(network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Only the forward runs in inference mode: tensors made in it cannot be used by autograd later."""
    for inputs, labels in batches:
        yield network(inputs).float(), labels
