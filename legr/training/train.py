"""Train a network: SGD, a schedule, distillation from a teacher; from scratch, or a pruned one back to accuracy.

Every epoch draws its randomness from (seed, epoch) alone, so a run that was killed and resumed from its last checkpoint
ends with the same weights, on as many threads of the same processor.
"""

import copy
import logging
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from legr.data.batches import Augmentation, iterate
from legr.data.images import Dataset
from legr.data.normalization import Normalization
from legr.errors import SettingsError
from legr.progress import Progress, Report
from legr.training.batch_norm import restart_norms
from legr.training.device import autocast, fast_dtype, own_randomness
from legr.training.evaluate import Evaluation, evaluate_split
from legr.training.fast_batch_norm import fast_batch_norm
from legr.training.losses import loss_of
from legr.training.settings import TrainSettings
from legr.training.state import TrainingState, all_finite
from legr.training.teacher import Teacher

log = logging.getLogger(__name__)

REPORT_EVERY_S = 5.0  # within an epoch


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came there."""

    model: nn.Module  # of the epoch with the best held-out top-1, in evaluation mode
    curve: tuple[dict[str, float], ...]  # per epoch: loss, heldout_top1, heldout_loss, seconds, slower
    best_epoch: int  # from 0
    resumed_from: int  # epochs that were finished before this call


class Objective(Protocol):
    """What a run minimises, and what its epochs are judged by."""

    def backward(self, step: int, inputs: Tensor, labels: Tensor, teacher_logits: Tensor | None) -> float:
        """Add the gradients of one batch to the trained parameters; return its loss.

        Args:
            step: number of the batch in the run, from 0; what is drawn at random depends on it and the seed alone.
            inputs: float32[B, C, H, W].
            labels: int64[B].
            teacher_logits: float32[B, classes]; None without distillation.
        """

    def heldout(self, network: nn.Module) -> Evaluation:
        """Judge the network, or its average over steps, on held-out images."""

    def begin_epoch(self, epoch: int, network: nn.Module) -> None:
        """Prepare an epoch, from 0; called again for one that is begun anew.

        Args:
            network: as `heldout` would judge it.
        """


@dataclass(frozen=True)
class Run:
    """What a run of training needs beside a network.

    Attributes:
        teacher: whose outputs are learned where `settings.distill`; None only without that.
        checkpoint: safetensors file, rewritten after every epoch; the caller removes it.
    """

    teacher: Teacher | None
    dataset: Dataset
    normalization: Normalization
    settings: TrainSettings
    device: torch.device
    checkpoint: Path
    report: Report

    def __post_init__(self) -> None:
        if len(self.dataset.train) < 2:
            name, images = self.dataset.name, len(self.dataset.train)
            raise SettingsError(f"training needs at least two images, {name} has {images}; add some")


def train(
    model: nn.Module,
    teacher: Teacher | None,
    dataset: Dataset,
    normalization: Normalization,
    settings: TrainSettings,
    *,
    device: torch.device,
    checkpoint: Path,
    report: Report,
) -> Trained:
    """Train a copy of `model`; the other arguments are those of `Run`, and errors those of `fit`."""
    run = Run(teacher, dataset, normalization, settings, device, checkpoint, report)
    network = copied(model, device, restart=bool(settings.restart_norms))
    return fit(network, OneNetwork(network, run), run)


def copied(model: nn.Module, device: torch.device, *, restart: bool = False) -> nn.Module:
    """A copy to be trained on a device.

    Args:
        restart: its batch norms begin anew.
    """
    network = cast(nn.Module, copy.deepcopy(model).to(device, memory_format=torch.channels_last))  # type: ignore[call-overload]
    if restart:
        restart_norms(network)
    return network.train()


def fit(network: nn.Module, objective: Objective, run: Run) -> Trained:
    """Train a network in place; resumes from the checkpoint where that belongs to the same run.

    Where a loss is NaN or infinite, the run returns to its last good epoch and goes on at half the rate; where that
    does not help, it ends with the good epochs it has.

    Raises:
        SettingsError: the loss is not finite at any rate in the first epoch.
    """
    settings, report = run.settings, run.report
    state = TrainingState(network, settings, run.checkpoint)
    resumed_from = len(state.curve)
    if resumed_from:
        log.info("going on after epoch %d of %d", resumed_from, settings.epochs)
    for number, row in enumerate(state.curve, 1):
        report(Progress("epoch", number, settings.epochs, None, row))
    while len(state.curve) < settings.epochs:
        start = time.monotonic()
        objective.begin_epoch(len(state.curve), state.evaluated)
        with fast_batch_norm(state.network):
            loss = _run_epoch(state, objective, run)
        heldout = objective.heldout(state.evaluated)
        seconds = time.monotonic() - start
        epoch = len(state.curve) + 1
        if not all_finite(loss, heldout.loss):
            if _fall_back(state, epoch):
                continue
            break
        state.finish_epoch(
            {"loss": loss, "heldout_top1": heldout.top1, "heldout_loss": heldout.loss, "seconds": seconds}
        )
        report(Progress("epoch", epoch, settings.epochs, seconds * (settings.epochs - epoch), state.curve[-1]))
    return Trained(state.best(), tuple(state.curve), state.best_epoch, resumed_from)


@dataclass(frozen=True)
class OneNetwork:
    """The objective of a network that is trained by itself."""

    network: nn.Module
    run: Run

    def backward(self, step: int, inputs: Tensor, labels: Tensor, teacher_logits: Tensor | None) -> float:
        with autocast(self.run.device):
            outputs = self.network(inputs)
        loss = loss_of(outputs, labels, teacher_logits, self.run.settings)
        loss.backward()
        return float(loss.detach())

    def heldout(self, network: nn.Module) -> Evaluation:
        device = self.run.device
        return evaluate_split(
            network, self.run.dataset.heldout, self.run.normalization, device=device, dtype=fast_dtype(device)
        )

    def begin_epoch(self, epoch: int, network: nn.Module) -> None:
        pass


def _run_epoch(state: TrainingState, objective: Objective, run: Run) -> float:
    """One pass over the training images; returns the mean loss, or the first batch loss that is NaN or infinite."""
    settings, epoch, dataset = run.settings, len(state.curve), run.dataset
    teacher = run.teacher if settings.distill else None
    seed = settings.seed * 1_000_003 + epoch
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(dataset.train), generator=generator)
    if len(order) % settings.batch == 1:
        order = order[:-1]  # batch norm cannot train on one image
    steps = math.ceil(len(order) / settings.batch)
    batches = iterate(
        dataset.train,
        run.normalization,
        batch=settings.batch,
        device=run.device,
        order=order,
        augment=Augmentation(generator, dataset.flip),
    )
    total, images = 0.0, 0
    start = reported = time.monotonic()
    state.network.train()
    with own_randomness(seed, run.device), teacher.epoch(epoch, len(order)) if teacher else nullcontext() as logits_of:
        for number, (inputs, labels) in enumerate(batches, epoch * steps):
            rate = state.rate_factor * settings.rate(number, settings.epochs * steps)
            logits = logits_of(inputs) if logits_of else None
            loss = _step(state, rate, partial(objective.backward, number, inputs, labels, logits))
            if not all_finite(loss):
                return loss
            total += loss * len(labels)
            images += len(labels)
            now = time.monotonic()
            if now - reported > REPORT_EVERY_S:
                reported, share = now, images / len(order)
                left = (now - start) / share * (settings.epochs - epoch - share)
                run.report(Progress("epoch", epoch, settings.epochs, left))
    return total / images


def _step(state: TrainingState, rate: float, backward: Callable[[], float]) -> float:
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.optimizer.zero_grad(set_to_none=True)
    loss = backward()
    if state.settings.clip:
        nn.utils.clip_grad_norm_(state.network.parameters(), state.settings.clip)
    state.optimizer.step()
    if state.average is not None:
        state.average.update_parameters(state.network)
    return loss


def _fall_back(state: TrainingState, epoch: int) -> bool:
    """Return to the last good epoch and go on more slowly; False where that was tried and a good epoch can be kept."""
    rate = state.settings.lr * state.rate_factor
    if not state.fall_back():
        problem = f"the loss is NaN or infinite in epoch {epoch}, at a learning rate of {rate:.2g} as well"
        if state.curve:
            log.warning("%s: the best of the epochs before is kept, and the run ends here", problem)
            return False
        raise SettingsError(
            f"{problem}; choose one far below {state.settings.lr:g}, such as --option lr={rate / 10:.1g}"
        )
    log.warning(
        "the loss was NaN or infinite in epoch %d: back to the epoch before, at half the learning rate (%.2g)",
        epoch,
        state.settings.lr * state.rate_factor,
    )
    return True
