"""Train a pruned network back to accuracy: SGD, cosine schedule, distillation from the original.

It does not know studies. Every epoch draws its randomness from (seed, epoch) alone, so a run that was
killed goes on from its last checkpoint to the same weights.
"""

import copy
import json
import logging
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from legr.data.batches import iterate
from legr.data.images import Dataset, Normalization
from legr.errors import SettingsError
from legr.progress import Progress, Report
from legr.training.compute import autocast, fast_dtype, own_randomness
from legr.training.evaluate import score
from legr.training.weights import load_state, save_weights

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FineTuneSettings:
    """How to train; validated when made.

    Raises:
        SettingsError: a value is out of range.
    """

    epochs: int = 10
    distill: bool = True  # learn from the original network's outputs as well
    lr: float = 0.01  # at the top of the schedule (LeGR, section 4.1)
    momentum: float = 0.9
    weight_decay: float = 5e-4
    batch: int = 128
    warmup: float = 0.05  # share of steps in which the rate rises
    temperature: float = 4.0  # softness of the teacher's outputs
    teacher_weight: float = 0.5  # of the loss; the rest is cross-entropy
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise SettingsError(f"epochs must be at least 1, got {self.epochs}")
        if self.batch < 2:
            raise SettingsError(f"batch must be at least 2 (batch norm needs two images), got {self.batch}")
        if not self.lr > 0:
            raise SettingsError(f"the learning rate must be above 0, got {self.lr}")


@dataclass(frozen=True)
class FineTuneResult:
    """A trained network and how it came there."""

    model: nn.Module
    curve: tuple[dict[str, float], ...]  # per epoch: loss, heldout_top1, heldout_loss, seconds
    resumed_from: int  # epochs that were finished before this call


def finetune(
    model: nn.Module,
    teacher: nn.Module,
    dataset: Dataset,
    normalization: Normalization,
    settings: FineTuneSettings,
    *,
    device: torch.device,
    checkpoint: Path,
    report: Report,
) -> FineTuneResult:
    """Train a copy of `model`; resumes from `checkpoint` where that belongs to the same run.

    Args:
        teacher: the original network; used where `settings.distill`.
        checkpoint: safetensors file, rewritten after every epoch; the caller removes it.

    Raises:
        SettingsError: the loss is no longer a number.
    """
    network = cast(nn.Module, copy.deepcopy(model).to(device, memory_format=torch.channels_last)).train()  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        nesterov=True,
        weight_decay=settings.weight_decay,
    )
    curve = _load(checkpoint, network, optimizer, settings)
    guide = _Teacher(teacher, device) if settings.distill else None
    resumed_from = len(curve)
    if resumed_from:
        log.info("going on after epoch %d of %d", resumed_from, settings.epochs)
    steps = math.ceil(len(dataset.train) / settings.batch)
    schedule = _Schedule(settings, steps)
    for epoch in range(resumed_from, settings.epochs):
        start = time.monotonic()
        loss = _run_epoch(network, guide, optimizer, schedule, dataset, normalization, settings, epoch, device)
        held = score(network, dataset.heldout, normalization, device=device, dtype=fast_dtype(device))
        seconds = time.monotonic() - start
        curve.append({"loss": loss, "heldout_top1": held.top1, "heldout_loss": held.loss, "seconds": seconds})
        _save(checkpoint, network, optimizer, settings, curve)
        report(Progress("epoch", epoch + 1, settings.epochs, seconds * (settings.epochs - epoch - 1), curve[-1]))
    return FineTuneResult(network.eval(), tuple(curve), resumed_from)


def _run_epoch(
    network: nn.Module,
    guide: "_Teacher | None",
    optimizer: torch.optim.Optimizer,
    schedule: "_Schedule",
    dataset: Dataset,
    normalization: Normalization,
    settings: FineTuneSettings,
    epoch: int,
    device: torch.device,
) -> float:
    """One pass over the training images; returns the mean loss."""
    network.train()
    generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
    order = torch.randperm(len(dataset.train), generator=generator)
    if len(order) % settings.batch == 1:
        order = order[:-1]  # batch norm cannot train on one image
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
    with own_randomness(settings.seed * 1_000_003 + epoch, device):
        for step, (inputs, labels) in enumerate(batches):
            for group in optimizer.param_groups:
                group["lr"] = schedule.rate(epoch, step)
            with autocast(device):
                outputs = network(inputs)
            logits, *further = outputs if isinstance(outputs, tuple) else (outputs,)
            loss = _loss(logits.float(), labels, guide(inputs) if guide else None, settings)
            loss = loss + _further_loss(further, labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += float(loss.detach()) * len(labels)
            images += len(labels)
            if not math.isfinite(total):
                raise SettingsError(
                    f"the loss is no longer a number in epoch {epoch + 1}; "
                    f"choose a larger budget, or a learning rate below {settings.lr}"
                )
    return total / images


def _loss(logits: Tensor, labels: Tensor, taught: Tensor | None, settings: FineTuneSettings) -> Tensor:
    """Cross-entropy, mixed with the divergence from the teacher's softened outputs (Hinton et al., 2015)."""
    hard = F.cross_entropy(logits, labels)
    if taught is None:
        return hard
    t = settings.temperature
    soft = F.kl_div(F.log_softmax(logits / t, 1), F.log_softmax(taught / t, 1), reduction="batchmean", log_target=True)
    return (1 - settings.teacher_weight) * hard + settings.teacher_weight * t * t * soft


def _further_loss(outputs: list[Tensor | None], labels: Tensor) -> Tensor | float:
    """What heads that only training has add: two weigh 0.3 each (GoogLeNet), one 0.4 (Inception v3)."""
    heads = [F.cross_entropy(logits.float(), labels) for logits in outputs if logits is not None]
    return (0.3 if len(heads) > 1 else 0.4) * sum(heads)


class _Teacher:
    """The original network in evaluation mode and the fast type."""

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        self._dtype = fast_dtype(device)
        copied = copy.deepcopy(model)
        self._network = cast(nn.Module, copied.to(device, self._dtype, memory_format=torch.channels_last)).eval()  # type: ignore[call-overload]

    def __call__(self, inputs: Tensor) -> Tensor:
        with torch.no_grad():
            return cast(Tensor, self._network(inputs.to(self._dtype))).float()


@dataclass(frozen=True)
class _Schedule:
    """Linear warm-up, then half a cosine down to 0."""

    settings: FineTuneSettings
    steps_per_epoch: int

    def rate(self, epoch: int, step: int) -> float:
        total = self.settings.epochs * self.steps_per_epoch
        warmup = max(1, int(total * self.settings.warmup))
        now = epoch * self.steps_per_epoch + step
        if now < warmup:
            return self.settings.lr * (now + 1) / warmup
        return self.settings.lr * 0.5 * (1 + math.cos(math.pi * (now - warmup) / max(1, total - warmup)))


def _save(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    settings: FineTuneSettings,
    curve: list[dict[str, float]],
) -> None:
    """Write weights, momentum and curve in one file: a run is resumed with all of them or none."""
    state = {f"model.{name}": tensor for name, tensor in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        momentum = optimizer.state.get(parameter, {}).get("momentum_buffer")
        if momentum is not None:
            state[f"momentum.{name}"] = momentum
    save_weights(state, path, {"settings": json.dumps(asdict(settings)), "curve": json.dumps(curve)})


def _load(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, settings: FineTuneSettings
) -> list[dict[str, float]]:
    """Put a checkpoint of the same run into the network and optimizer; return its curve, [] where there is none."""
    if not path.exists():
        return []
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            state: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError):
        return []  # unreadable: nothing to resume, start again
    if json.loads(metadata.get("settings", "null")) != asdict(settings):
        return []
    load_state(network, {name[6:]: tensor for name, tensor in state.items() if name.startswith("model.")})
    for name, parameter in network.named_parameters():
        if f"momentum.{name}" in state:
            optimizer.state[parameter]["momentum_buffer"] = state[f"momentum.{name}"].to(parameter)
    curve: list[dict[str, float]] = json.loads(metadata["curve"])
    return curve
