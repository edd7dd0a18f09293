"""Train a network: SGD, a schedule, distillation from a teacher; from scratch, or a pruned one back to accuracy.

It does not know studies. Every epoch draws its randomness from (seed, epoch) alone, so a run that was
killed goes on from its last checkpoint to the same weights, on as many threads of the same processor.
"""

import copy
import logging
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from legr.data.batches import iterate
from legr.data.images import Dataset
from legr.data.normalization import Normalization
from legr.errors import SettingsError
from legr.progress import Progress, Report
from legr.training.device import autocast, fast_dtype, own_randomness
from legr.training.evaluate import score
from legr.training.fast_batch_norm import fast_batch_norm
from legr.training.losses import loss_of
from legr.training.settings import TrainSettings
from legr.training.state import Run, is_number
from legr.training.teacher import Teacher

log = logging.getLogger(__name__)

TELL_EVERY_S = 5.0  # within an epoch: how long the rest takes


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came there."""

    model: nn.Module  # of the epoch that answers held-out images best, in evaluation mode
    curve: tuple[dict[str, float], ...]  # per epoch: loss, heldout_top1, heldout_loss, seconds, slower
    best_epoch: int  # from 0
    resumed_from: int  # epochs that were finished before this call


def train(
    model: nn.Module,
    teacher: nn.Module | None,
    dataset: Dataset,
    normalization: Normalization,
    settings: TrainSettings,
    *,
    device: torch.device,
    checkpoint: Path,
    report: Report,
    lessons: Path | None = None,
) -> Trained:
    """Train a copy of `model`; resumes from `checkpoint` where that belongs to the same run.

    Where a loss is no number, the run returns to its last good epoch and goes on at half the rate; where that does not
    help, it ends with the good epochs it has.

    Args:
        teacher: whose outputs are learned where `settings.distill`; None only without that.
        checkpoint: safetensors file, rewritten after every epoch; the caller removes it.
        lessons: folder of what the teacher answered in runs of the same images, seed and batch (`Teacher`).

    Raises:
        SettingsError: the loss is no number at any rate in the first epoch, or there are fewer than two images.
    """
    if len(dataset.train) < 2:
        raise SettingsError(f"training needs at least two images, {dataset.name} has {len(dataset.train)}; add some")
    network = cast(nn.Module, copy.deepcopy(model).to(device, memory_format=torch.channels_last)).train()  # type: ignore[call-overload]
    run = Run(network, settings, checkpoint)
    guide = Teacher(teacher, device, lessons) if settings.distill and teacher is not None else None
    resumed_from = len(run.curve)
    if resumed_from:
        log.info("going on after epoch %d of %d", resumed_from, settings.epochs)
    for number, row in enumerate(run.curve, 1):
        report(Progress("epoch", number, settings.epochs, None, row))
    while len(run.curve) < settings.epochs:
        start = time.monotonic()
        with fast_batch_norm(run.network):
            loss = _run_epoch(run, guide, dataset, normalization, device, report)
        held = score(run.judged, dataset.heldout, normalization, device=device, dtype=fast_dtype(device))
        seconds = time.monotonic() - start
        epoch = len(run.curve) + 1
        if not is_number(loss, held.loss):
            if _fall_back(run, epoch):
                continue
            break
        run.finish_epoch({"loss": loss, "heldout_top1": held.top1, "heldout_loss": held.loss, "seconds": seconds})
        report(Progress("epoch", epoch, settings.epochs, seconds * (settings.epochs - epoch), run.curve[-1]))
    return Trained(run.best(), tuple(run.curve), run.best_epoch, resumed_from)


def _run_epoch(
    run: Run,
    guide: Teacher | None,
    dataset: Dataset,
    normalization: Normalization,
    device: torch.device,
    report: Report,
) -> float:
    """One pass over the training images; returns the mean loss, not a number as soon as a batch has none."""
    settings, epoch = run.settings, len(run.curve)
    seed = settings.seed * 1_000_003 + epoch
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(dataset.train), generator=generator)
    if len(order) % settings.batch == 1:
        order = order[:-1]  # batch norm cannot train on one image
    steps = math.ceil(len(order) / settings.batch)
    batches = iterate(
        dataset.train,
        normalization,
        batch=settings.batch,
        device=device,
        order=order,
        augment=generator,
        flip=dataset.flip,
    )
    total, images = 0.0, 0
    start = told = time.monotonic()
    run.network.train()
    with own_randomness(seed, device), guide.epoch(epoch, len(order)) if guide else nullcontext() as taught:
        for number, (inputs, labels) in enumerate(batches, epoch * steps):
            rate = run.slower * settings.rate(number, settings.epochs * steps)
            loss = _step(run, rate, inputs, labels, taught, device)
            if not is_number(loss):
                return loss
            total += loss * len(labels)
            images += len(labels)
            now = time.monotonic()
            if now - told > TELL_EVERY_S:
                told, passed = now, images / len(order)
                left = (now - start) / passed * (settings.epochs - epoch - passed)
                report(Progress("epoch", epoch, settings.epochs, left))
    return total / images


def _step(
    run: Run,
    rate: float,
    inputs: Tensor,
    labels: Tensor,
    taught: Callable[[Tensor], Tensor] | None,
    device: torch.device,
) -> float:
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    with autocast(device):
        outputs = run.network(inputs)
    loss = loss_of(outputs, labels, taught(inputs) if taught else None, run.settings)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if run.settings.clip:
        nn.utils.clip_grad_norm_(run.network.parameters(), run.settings.clip)
    run.optimizer.step()
    if run.average is not None:
        run.average.update_parameters(run.network)
    return float(loss.detach())


def _fall_back(run: Run, epoch: int) -> bool:
    """Return to the last good epoch and go on more slowly; False where that was tried and a good epoch can be kept."""
    rate = run.settings.lr * run.slower
    if not run.fall_back():
        said = f"the loss is no longer a number in epoch {epoch}, at a learning rate of {rate:.2g} as well"
        if run.curve:
            log.warning("%s: the best of the epochs before is kept, and the run ends here", said)
            return False
        raise SettingsError(f"{said}; choose one far below {run.settings.lr:g}, such as --option lr={rate / 10:.1g}")
    log.warning(
        "the loss was no number in epoch %d: back to the epoch before, at half the learning rate (%.2g)",
        epoch,
        run.settings.lr * run.slower,
    )
    return True
