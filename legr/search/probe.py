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
from legr.training.compute import fast_dtype


class TrainingProbe:
    """Cross-entropy on a few training images drawn anew each time, and its slope for every unit's mask."""

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
        self._dtype, self._device = fast_dtype(device), device
        network = copy.deepcopy(model).to(device, self._dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._masked = MaskedNetwork(set_statistics(cast(nn.Module, network), "batch"), structure)
        self._split, self._normalization, self._images = split, normalization, images

    def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
        """How the loss rises with every unit's mask where `units` are kept, float64 (U,)."""
        order = torch.from_numpy(rng.integers(len(self._split), size=self._images))
        inputs, labels = next(
            iterate(
                self._split,
                self._normalization,
                batch=self._images,
                device=self._device,
                dtype=self._dtype,
                order=order,
            )
        )
        return self._masked.slopes(units, inputs, lambda logits: F.cross_entropy(logits, labels))
