"""Score a network: accuracy in float32, with its own or with recalibrated batch-norm statistics.

It does not know studies or budgets. Statistics of the images that are scored are never used.
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
class Score:
    """How well a network does on a split."""

    top1: float  # in [0, 1]
    loss: float  # mean cross-entropy
    images: int

    @property
    def known_loss(self) -> float | None:
        """The loss as it is stored and told: None where an output was no number."""
        return self.loss if math.isfinite(self.loss) else None


def batch_for(split: Split, pixels: int = 128 * 1024) -> int:
    """Images a batch: about 128 of 32x32, fewer of larger ones."""
    return max(8, pixels // (split.images.shape[-1] * split.images.shape[-2]))


def score(
    model: nn.Module,
    split: Split,
    normalization: Normalization,
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    order: Tensor | None = None,
) -> Score:
    """Accuracy and loss in evaluation mode; the model itself is put into it, on `device`, channels last.

    Args:
        dtype: float32 for every number that is reported; bf16 only to compare candidates.
        order: indices of the images to score; None is all.
    """
    correct, loss, images = 0, 0.0, 0
    for logits, labels in _logits(model, split, normalization, device, dtype, order):
        correct += int((logits.argmax(1) == labels).sum())
        loss += float(F.cross_entropy(logits, labels, reduction="sum"))
        images += len(labels)
    return Score(correct / images, loss / images, images)


def predict_topk(
    model: nn.Module,
    split: Split,
    normalization: Normalization,
    *,
    device: torch.device,
    top: int,
    seen: Callable[[int], None] = lambda images: None,
) -> tuple[Tensor, Tensor]:
    """The most probable classes of every image in float32, by the same passes as `score`.

    Args:
        top: how many of each image; all where there are fewer classes.
        seen: called after each batch with the images done so far.

    Returns:
        Classes, int64 (N, K), the most probable first and of equals the first; probabilities, float32 (N, K).
    """
    classes, probabilities, images = [], [], 0
    for logits, labels in _logits(model, split, normalization, device, torch.float32, None):
        order = logits.argsort(dim=1, descending=True, stable=True)[:, :top]  # `topk` leaves the order of equals open
        classes.append(order.cpu())
        probabilities.append(logits.softmax(1).gather(1, order).cpu())
        images += len(labels)
        seen(images)
    return torch.cat(classes), torch.cat(probabilities)


def _logits(
    model: nn.Module,
    split: Split,
    normalization: Normalization,
    device: torch.device,
    dtype: torch.dtype,
    order: Tensor | None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Outputs in float32, and labels, batch by batch."""
    network = copy.deepcopy(model) if dtype != torch.float32 else model
    network = cast(nn.Module, network.to(device, dtype, memory_format=torch.channels_last)).eval()  # type: ignore[call-overload]
    return _asked(
        network, iterate(split, normalization, batch=batch_for(split), device=device, dtype=dtype, order=order)
    )


@torch.inference_mode()
def _asked(network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """No tensor of the network is made here: one that is trained could not go on with it."""
    for inputs, labels in batches:
        yield network(inputs).float(), labels
