"""What the return of every removed unit, and the loss of every kept one, would change: measured on training images.

It does not know rankings or budgets. Between probes the weights take a step as well: which units matter is asked
of a network that has begun to live with pruning, not of one that never saw it.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from legr.data.batches import iterate
from legr.data.images import Normalization, Split
from legr.files import replacing
from legr.ranking.types import FloatArray
from legr.search.masks import MaskedNetwork
from legr.search.statistics import set_statistics
from legr.structure.types import BoolArray, Structure
from legr.training.compute import autocast
from legr.training.evaluate import batch_for

_LONGEST = 5.0  # length that the weights' gradient is cut to


class TrainingProbe:
    """Cross-entropy on a few training images drawn anew each time, and its slope for every unit's mask.

    Args:
        images: of a probe.
        rate: of the SGD that the weights follow; 0 leaves them as they are.
        memory: folder where the weights of a search are kept, so that it can go on.
    """

    def __init__(
        self,
        model: nn.Module,
        structure: Structure,
        split: Split,
        normalization: Normalization,
        *,
        images: int,
        rate: float,
        memory: Path,
        device: torch.device,
    ) -> None:
        self._model, self._structure, self._device = model, structure, device
        self._split, self._normalization = split, normalization
        self._images, self._rate, self._memory = images, rate, memory
        self._steps = 0
        self._begin()

    def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
        """How the loss rises with every unit's mask where `units` are kept, float64 (U,)."""
        order = torch.from_numpy(rng.integers(len(self._split), size=self._images))
        chunk = min(self._images, batch_for(self._split))  # large images go through a few at a time
        batches = iterate(self._split, self._normalization, batch=chunk, device=self._device, order=order)
        mask = torch.from_numpy(units.astype(np.float32)).to(self._device).requires_grad_()
        self._optimizer.zero_grad(set_to_none=True)
        for inputs, labels in batches:
            with autocast(self._device):
                logits = self._masked(mask, inputs)
            loss = F.cross_entropy(logits, labels, reduction="sum") / self._images
            loss.backward()  # type: ignore[no-untyped-call]
        self._steps += 1
        assert mask.grad is not None
        slopes: FloatArray = mask.grad.double().cpu().numpy()
        if not np.isfinite(slopes).all():  # a network whose outputs are no numbers says nothing
            return np.zeros(len(slopes))
        if self._rate:
            nn.utils.clip_grad_norm_(self._network.parameters(), _LONGEST)
            self._optimizer.step()
        return slopes

    def go_to(self, steps: int) -> bool:
        """Be as after so many probes; False where that is not known any more."""
        if steps == self._steps or not self._rate:
            return True
        if steps == 0:
            self._begin()
            return True
        try:
            state = load_file(self._file(steps), device=str(self._device))
        except (OSError, SafetensorError):
            return False
        with torch.no_grad():
            for name, tensor in self._tensors():
                tensor.copy_(state[name])
        self._steps = steps
        return True

    def remember(self) -> None:
        """Keep the weights as they are now, and those before, in case the step after them is lost."""
        if not self._rate:
            return
        with replacing(self._file(self._steps)) as path:
            save_file({name: tensor.detach().contiguous() for name, tensor in self._tensors()}, path)
        kept = sorted(self._memory.glob("*.safetensors"), key=lambda file: int(file.stem))
        for old in [file for file in kept if int(file.stem) < self._steps][:-1]:
            old.unlink()

    def _begin(self) -> None:
        """The original's weights, and no momentum."""
        network = copy.deepcopy(self._model).to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = set_statistics(cast(nn.Module, network), "batch").requires_grad_(self._rate > 0)
        self._masked = MaskedNetwork(self._network, self._structure)
        self._optimizer = torch.optim.SGD(
            self._network.parameters(), lr=self._rate, momentum=0.9, nesterov=True, weight_decay=5e-4
        )
        self._steps = 0

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Weights and momenta by name."""
        for name, parameter in self._network.named_parameters():
            yield f"weight.{name}", parameter
            state = self._optimizer.state[parameter]
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(parameter)
            yield f"momentum.{name}", state["momentum_buffer"]

    def _file(self, steps: int) -> Path:
        return self._memory / f"{steps}.safetensors"
