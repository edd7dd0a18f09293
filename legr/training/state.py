"""The state of a training run, and the one file that holds it between two epochs: all of it or none."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from legr.models.weights import load_state, save_weights
from legr.outside import require_plain_file
from legr.record import Record
from legr.schema import Name, Real, SchemaError, parse
from legr.training.settings import TrainSettings

_Tensors = tuple[Tensor, ...] | list[Tensor]
_HALVINGS = 5  # of the learning rate before a run is given up


_ROW = {"loss", "heldout_top1", "heldout_loss", "seconds", "slower"}  # of an epoch


@dataclass(frozen=True)
class _Facts(Record):
    """What the header of a checkpoint says beside its tensors."""

    settings: dict[str, Any]
    curve: list[dict[Name, Real]]
    slower: Annotated[float, Field(gt=0, le=1)]  # factor of the rate


class TrainingState:
    """Network, optimiser, average and best weights of a run, epoch by epoch.

    Attributes:
        network: in training; changed in place.
        curve: per finished epoch: loss, heldout_top1, heldout_loss, seconds, slower (the rate factor).
        rate_factor: what the learning rate is multiplied by; halved each time that a loss was NaN or infinite.
    """

    def __init__(self, network: nn.Module, settings: TrainSettings, checkpoint: Path) -> None:
        self.network, self.settings = network, settings
        self.optimizer = torch.optim.SGD(
            _decaying(network, settings.weight_decay),
            lr=settings.lr,
            momentum=settings.momentum,
            nesterov=settings.momentum > 0,
        )
        self.average: AveragedModel | None = None
        if settings.average:
            self.average = AveragedModel(network, multi_avg_fn=_averaging(settings.average), use_buffers=True)
        self.curve: list[dict[str, float]] = []
        self.rate_factor = 1.0
        self._best: dict[str, Tensor] = {}
        self._checkpoint = checkpoint
        self._load()
        self._good = self._state()

    @property
    def evaluated(self) -> nn.Module:
        """The network that is evaluated on held-out images: the average where one is taken."""
        return self.network if self.average is None else self.average.module

    def finish_epoch(self, row: dict[str, float]) -> None:
        """Add a good epoch to the curve, keep its weights if they are the best so far, and write the checkpoint."""
        self.curve.append({**row, "slower": self.rate_factor})
        if self.best_epoch == len(self.curve) - 1:
            self._best = _copied(self.evaluated.state_dict())
        self._good = self._state()
        self._save()

    def fall_back(self) -> bool:
        """Return to the last good epoch and halve the rate; False where that was done too often."""
        if self.rate_factor <= 0.5**_HALVINGS:
            return False
        self.rate_factor /= 2
        self._restore(self._good)
        self._save()
        return True

    @property
    def best_epoch(self) -> int:
        """The epoch with the best held-out top-1, then loss, of those that may be kept; from 0."""
        return max(
            range(min(self.settings.first_kept, len(self.curve) - 1), len(self.curve)),
            key=lambda i: (self.curve[i]["heldout_top1"], -self.curve[i]["heldout_loss"]),
        )

    def best(self) -> nn.Module:
        """The network of that epoch, in evaluation mode."""
        load_state(self.network, self._best)
        return self.network.eval()

    def _state(self) -> dict[str, Tensor]:
        state = {f"model.{name}": tensor for name, tensor in self.network.state_dict().items()}
        state |= {f"best.{name}": tensor for name, tensor in self._best.items()}
        if self.average is not None:
            state |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            momentum = self.optimizer.state.get(parameter, {}).get("momentum_buffer")
            if momentum is not None:
                state[f"momentum.{name}"] = momentum
        return _copied(state)

    def _restore(self, state: Mapping[str, Tensor]) -> None:
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "average": {}, "momentum": {}}
        for name, tensor in state.items():
            part, _, inner = name.partition(".")
            parts[part][inner] = tensor
        load_state(self.network, parts["model"])
        self._best = parts["best"]
        if self.average is not None:
            load_state(self.average, parts["average"])
        self.optimizer.state.clear()
        for name, parameter in self.network.named_parameters():
            if name in parts["momentum"]:
                self.optimizer.state[parameter]["momentum_buffer"] = parts["momentum"][name].to(parameter, copy=True)

    def _save(self) -> None:
        facts = {"settings": self.settings.to_dict(), "curve": self.curve, "slower": self.rate_factor}
        save_weights(self._good, self._checkpoint, {name: json.dumps(value) for name, value in facts.items()})

    def _load(self) -> None:
        """Resume from the file if it holds this run; otherwise the run starts from the beginning."""
        try:
            require_plain_file(self._checkpoint)
            with safe_open(self._checkpoint, framework="pt") as file:
                stored = {name: parse(text, Any) for name, text in (file.metadata() or {}).items()}
                facts = _Facts.from_dict(stored)
                state = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, OSError, SchemaError):
            return
        whole = all(row.keys() >= _ROW for row in facts.curve) and (not facts.curve or _holds_best(state))
        if whole and facts.settings == _as_read(self.settings) and self._fits(state):
            self._restore(state)
            self.curve, self.rate_factor = facts.curve, facts.slower

    def _fits(self, state: Mapping[str, Tensor]) -> bool:
        """Whether these are tensors of this network, and all that it needs."""
        needed = {name: tensor.shape for name, tensor in self._state().items()}
        best = {f"best.{name}": tensor.shape for name, tensor in self.network.state_dict().items()}
        momentum = {f"momentum.{name}": parameter.shape for name, parameter in self.network.named_parameters()}
        expected, shapes = needed | best | momentum, {name: tensor.shape for name, tensor in state.items()}
        return needed.keys() <= shapes.keys() and all(expected.get(name) == shape for name, shape in shapes.items())


def _as_read(settings: TrainSettings) -> dict[str, Any]:
    """Settings as JSON gives them back."""
    read: dict[str, Any] = json.loads(json.dumps(settings.to_dict()))
    return read


def _holds_best(state: Mapping[str, Tensor]) -> bool:
    return any(name.startswith("best.") for name in state)


def all_finite(*values: float) -> bool:
    """Whether no value is NaN or infinite."""
    return all(map(math.isfinite, values))


def _averaging(decay: float) -> Callable[[_Tensors, _Tensors, Any], None]:
    """How an average follows the network: values are blended; indices and counters, which have no mean, are copied.

    In the first steps it follows more closely, so that a short run does not end with the weights it began with.
    """

    def follow(averages: _Tensors, values: _Tensors, count: Any) -> None:
        if averages[0].is_floating_point():  # tensors come grouped by type
            steps = int(count)
            torch._foreach_lerp_(averages, values, 1 - min(decay, (1 + steps) / (10 + steps)))
        else:
            torch._foreach_copy_(averages, values)

    return follow


def _decaying(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters in two groups: those of more than one dimension decay, scales and offsets do not."""
    parameters = list(network.parameters())
    weights, others = ([p for p in parameters if (p.ndim > 1) == is_weight] for is_weight in (True, False))
    return [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in state.items()}
