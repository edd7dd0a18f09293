"""How good a candidate is: loss of its pruned networks on held-out images, batch by batch.

The numbers compare candidates and are never reported as accuracy. Dims of arrays: B budgets, K batches.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from legr.data.batches import iterate
from legr.data.images import Dataset, Split
from legr.data.normalization import Normalization
from legr.errors import DataError
from legr.ranking.types import FloatArray
from legr.search.types import PASSES_PER_TRAINING_IMAGE
from legr.search.workers import Workers
from legr.structure.surgery import prune
from legr.structure.types import Keep, Structure
from legr.study.records import SearchSettings
from legr.training.batch_norm import calibration_batches, set_statistics
from legr.training.calibration import PLAIN, Calibration
from legr.training.device import autocast, fast_dtype, own_randomness
from legr.training.evaluate import batch_size_for

FAILED = 1e6  # loss of a network whose outputs are NaN or infinite
_CALIBRATION = 1024  # training images that statistics are recalibrated on
_TRAINED_ON = 128  # images of a training step

#: Losses so far, float64[B, K], NaN on batches not seen yet -> whether the candidate has lost already.
HasLost = Callable[[FloatArray], bool]


@dataclass(frozen=True, slots=True, eq=False)
class CandidateScore:
    """What scoring a candidate gave."""

    losses: FloatArray  # float64[B, K], NaN on batches after it was stopped
    passes: float  # that scoring took


class Fitness:
    """Scores the networks of a candidate; deterministic for one machine and number of threads.

    Held-out images are drawn by the seed, and shuffled: statistics of a batch of one class would be worthless.
    """

    def __init__(
        self,
        model: nn.Module,
        structure: Structure,
        dataset: Dataset,
        normalization: Normalization,
        settings: SearchSettings,
        device: torch.device,
        workers: Workers | None = None,
        calibration: Calibration = PLAIN,
    ) -> None:
        self._structure, self._settings, self._device = structure, settings, device
        self._workers = workers or Workers(None, device)
        self._dtype = fast_dtype(device)
        self._model = model.to(device)
        self._normalization = normalization
        generator = torch.Generator().manual_seed(settings.seed)
        order = torch.randperm(len(dataset.heldout), generator=generator)[: settings.images]
        if len(order) < 2:
            raise DataError(f"scoring needs 2 held-out images at least, and there are {len(order)}; use more images")
        n_batches = max(1, round(len(order) / batch_size_for(dataset.heldout, pixels=256 * 1024)))
        parts = order.tensor_split(n_batches)  # sizes differ by one at most
        self._batches = [batch for part in parts for batch in self._read(dataset.heldout, part, len(part), self._dtype)]
        order = torch.randperm(len(dataset.train), generator=generator)
        self._calibration: list[Tensor] = []
        if settings.statistics == "recalibrated":
            calibration = PLAIN if calibration.images == "given" else calibration  # the settings say otherwise
            images = order[: calibration.of_each_kind(_CALIBRATION)]
            self._calibration = list(
                calibration_batches(
                    dataset, normalization, device, calibration, images, self._dtype, seed=settings.seed
                )
            )
        self._training: list[tuple[Tensor, Tensor]] = []
        if settings.sgd_steps:
            order = order[: settings.sgd_steps * _TRAINED_ON]
            self._training = list(self._read(dataset.train, order, _TRAINED_ON, torch.float32))

    @property
    def n_images(self) -> int:
        """Images that a network is scored on: fewer than the settings say where fewer are held out."""
        return sum(len(labels) for _, labels in self._batches)

    def __call__(self, keeps: Sequence[Keep], has_lost: HasLost | None = None) -> CandidateScore:
        """Losses of the networks of `keeps` on one batch after the other, until the candidate has lost."""
        networks = [self._network(keep) for keep in keeps]
        losses = np.full((len(keeps), len(self._batches)), np.nan)
        images = 0
        for number, column in enumerate(self._columns(networks)):
            losses[:, number] = column
            images += len(keeps) * len(self._batches[number][1])
            if has_lost is not None and number + 1 < len(self._batches) and has_lost(losses):
                break
        trained_on = PASSES_PER_TRAINING_IMAGE * self._settings.sgd_steps * _TRAINED_ON
        prepared_on = sum(len(inputs) for inputs in self._calibration) + trained_on  # for each network
        return CandidateScore(losses, images / self.n_images + len(keeps) * prepared_on / self._settings.images)

    def _columns(self, networks: Sequence[nn.Module]) -> Iterator[FloatArray]:
        """Losses of all networks, float64[B], batch by batch; idle workers score later batches ahead of time."""
        at_once = math.ceil(self._workers.number / len(networks))
        largest_first = networks[::-1]
        for start in range(0, len(self._batches), at_once):
            batches = self._batches[start : start + at_once]
            tasks = [(network, batch) for batch in batches for network in largest_first]
            losses = np.array(self._workers.map(_loss, tasks))
            yield from losses.reshape(len(batches), len(networks))[:, ::-1]

    def _network(self, keep: Keep) -> nn.Module:
        network = prune(self._model, self._structure, keep)
        network = network.to(memory_format=torch.channels_last)
        if self._training:
            with own_randomness(self._settings.seed, self._device):
                self._train(network)
        return set_statistics(network.to(self._dtype), self._settings.statistics, self._calibration)

    def _train(self, network: nn.Module) -> None:
        """A few steps of SGD, the same images for every candidate (LeGR's tau)."""
        network.train()
        optimizer = torch.optim.SGD(self.trained(network), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
        for _, (inputs, labels) in zip(range(self._settings.sgd_steps), cycle(self._training), strict=False):
            with autocast(self._device):
                outputs = network(inputs)
            logits = outputs[0] if isinstance(outputs, tuple) else outputs  # auxiliary heads are ignored
            loss = F.cross_entropy(logits.float(), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    def trained(self, network: nn.Module) -> list[nn.Parameter]:
        """The parameters that SGD trains."""
        return list(network.parameters())

    def _read(self, split: Split, order: Tensor, batch: int, dtype: torch.dtype) -> Iterator[tuple[Tensor, Tensor]]:
        return iterate(split, self._normalization, batch=batch, device=self._device, dtype=dtype, order=order)


def _loss(task: tuple[nn.Module, tuple[Tensor, Tensor]]) -> float:
    """Mean loss of a network on a batch."""
    network, (inputs, labels) = task
    with torch.inference_mode():
        loss = float(F.cross_entropy(network(inputs).float(), labels))
    return loss if math.isfinite(loss) else FAILED
