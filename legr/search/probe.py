"""What the return of every removed unit, and the loss of every kept one, would change: measured on training images.

It does not know rankings or budgets.
"""

import copy
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from legr.data.batches import iterate
from legr.data.images import Normalization, Split
from legr.ranking.types import FloatArray
from legr.search.masks import MaskedNetwork
from legr.search.statistics import set_statistics
from legr.structure.types import BoolArray, Structure
from legr.training.compute import autocast
from legr.training.evaluate import batch_for


class TrainingProbe:
    """Cross-entropy on a few training images drawn anew each time, and its slope for every unit's mask.

    Args:
        images: of a probe.
    """

    def __init__(
        self,
        model: nn.Module,
        structure: Structure,
        split: Split,
        normalization: Normalization,
        *,
        images: int,
        device: torch.device,
    ) -> None:
        self._split, self._normalization, self._images, self._device = split, normalization, images, device
        network = copy.deepcopy(model).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        still = set_statistics(cast(nn.Module, network), "batch").requires_grad_(False)
        self._masked = MaskedNetwork(still, structure)

    def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
        """How the loss rises with every unit's mask where `units` are kept, float64 (U,)."""
        order = torch.from_numpy(rng.integers(len(self._split), size=self._images))
        chunk = min(self._images, batch_for(self._split))  # large images go through a few at a time
        batches = iterate(self._split, self._normalization, batch=chunk, device=self._device, order=order)
        mask = torch.from_numpy(units.astype(np.float32)).to(self._device).requires_grad_()
        for inputs, labels in batches:
            with autocast(self._device):
                logits = self._masked(mask, inputs)
            loss = F.cross_entropy(logits, labels, reduction="sum") / self._images
            loss.backward()  # type: ignore[no-untyped-call]
        assert mask.grad is not None
        slopes: FloatArray = mask.grad.double().cpu().numpy()
        return slopes if np.isfinite(slopes).all() else np.zeros(len(slopes))  # no numbers say nothing
