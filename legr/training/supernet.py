"""A supernet: one set of weights that serves the network of every budget of a ranking (US-Net, Yu and Huang, 2019).

A ranking's networks are nested, so each is a slice of the whole one. What fits one of a tenth of the MACs does not fit
one of half of them, so there are several sets of weights, and more of the scales and offsets of batch norms.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from legr.data.sizes import scaled_size
from legr.ranking.budget import BudgetCurve
from legr.structure.cost import cost, original_cost
from legr.structure.types import Keep, Structure
from legr.training.batch_norm import recalibrated
from legr.training.calibration import Calibration
from legr.training.device import autocast, fast_dtype
from legr.training.evaluate import Evaluation, evaluate_split
from legr.training.losses import loss_of
from legr.training.sets_along import SetsAlong
from legr.training.slices import Slices, network_with, read_by
from legr.training.supernet_settings import SupernetSettings
from legr.training.train import Run

_JUDGED = (0.0, 0.5, 1.0)  # of the way from the whole network to the smallest, on a logarithmic scale of MACs


class Supernet(nn.Module):
    """The weights of a whole network, and further sets of them for smaller ones.

    Args:
        network: the whole one; it becomes a part of this.
        smallest: fraction of its MACs that the last sets are for.
        settings: how many sets there are.
    """

    def __init__(self, network: nn.Module, smallest: float, settings: SupernetSettings) -> None:
        super().__init__()
        self.network, self.smallest = network, smallest
        norms, own = norm_parameters(network), dict(network.named_parameters())
        self.norms = SetsAlong({name: own[name] for name in norms}, smallest, settings.norms)
        weights = {name: values for name, values in own.items() if name not in set(norms)}
        self.weights = SetsAlong(weights, smallest, settings.weights)

    def parameters_at(self, fraction: float) -> dict[str, Tensor]:
        """Parameters of all filters by name, as a smaller network has them; gradients reach all sets around it.

        Args:
            fraction: of the whole network's MACs that the smaller one has.
        """
        own = dict(self.network.named_parameters())
        return self.weights.at(fraction, own) | self.norms.at(fraction, own)

    def use(self, settings: SupernetSettings, epoch: int) -> None:
        """Train the sets of weights of an epoch, from 0."""
        self.weights.use(settings.weights_in(epoch))

    def scale_gradients(self, factors: Sequence[float]) -> None:
        """Multiply the gradients of the sets of weights that are read; the whole network's own are the first."""
        self.weights.scale_gradients(dict(self.network.named_parameters()), factors)

    def blend(self) -> None:
        """Give each set of weights that is not read the values that a network of its budget has."""
        self.weights.blend(dict(self.network.named_parameters()))

    def pruned(self, structure: Structure, keep: Keep) -> nn.Module:
        """The network of a kept set by itself, in evaluation mode; its statistics are those of the whole one."""
        fraction = cost(structure, keep).macs / original_cost(structure).macs
        return network_with(self.network, structure, keep, self.parameters_at(fraction))


def finish(supernet: Supernet, curve: BudgetCurve) -> None:
    """After its training, let networks read all sets of weights; what none of a ranking's reads becomes 0 there."""
    n_sets = len(supernet.weights.sets)
    supernet.weights.use(n_sets)
    for number in range(2, n_sets + 1):
        largest = curve.at(macs=max(supernet.smallest ** ((number - 1) / n_sets), curve.floor))
        supernet.weights.restrict(number, read_by(supernet.network, curve.structure, largest))


def norm_parameters(network: nn.Module) -> tuple[str, ...]:
    """Names of the scales and offsets of a network's batch norms, each once."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    wanted = {id(parameter) for module in norms for parameter in module.parameters(recurse=False)}
    return tuple(name for name, parameter in network.named_parameters() if id(parameter) in wanted)


class Orders(Protocol):
    """The order that networks follow, which may change while they are trained."""

    def curve(self, epoch: int, supernet: Supernet) -> BudgetCurve:
        """The budget curve of an epoch, from 0; asked again, it is the same.

        Args:
            supernet: as it is before that epoch.
        """


class SupernetObjective:
    """Trains all networks of a curve together; see `SupernetSettings`.

    Args:
        supernet: in training; its gradients are added to.
        curve: of the ranking that the networks follow.
        calibration: images on which batch norms are recalibrated before a network is judged.
        orders: that the networks follow from the first epoch on; None: the curve stays.
    """

    def __init__(
        self,
        supernet: Supernet,
        curve: BudgetCurve,
        calibration: Calibration,
        run: Run,
        orders: Orders | None = None,
    ) -> None:
        assert isinstance(run.settings, SupernetSettings)
        self._supernet, self._curve, self._calibration, self._run = supernet, curve, calibration, run
        self._settings, self._orders = run.settings, orders
        self._taught_alone = replace(run.settings, teacher_weight=1.0)
        self._slices = Slices(supernet.network, curve.structure)

    def backward(self, step: int, inputs: Tensor, labels: Tensor, teacher_logits: Tensor | None) -> float:
        """Gradients of some networks of random budgets and, every few steps, of the smallest and of the whole one."""
        settings, rng = self._settings, np.random.default_rng((self._settings.seed, step))
        weight = 1 / settings.networks_of_step
        total, logits = 0.0, teacher_logits
        if step % settings.whole_interval == 0:
            with autocast(self._run.device):
                outputs = self._supernet.network(inputs)
            total += self._add(loss_of(outputs, labels, teacher_logits, settings), weight)
            if logits is None:  # a network that nothing teaches teaches the smaller ones
                logits = (outputs[0] if isinstance(outputs, tuple) else outputs).detach().float()
        for fraction in self._drawn(step, rng):
            seen = inputs if not settings.sizes else resized(inputs, int(rng.choice(settings.sizes)))
            step_of = self._curve.step(macs=max(fraction, self._curve.floor))
            parameters = self._supernet.parameters_at(self._fraction(step_of))
            with autocast(self._run.device):
                outputs = self._slices.at(self._curve.keep(step_of))(parameters, seen)
            total += self._add(loss_of(outputs, labels, logits, self._taught_alone), weight)
        self._balance()
        return total

    def begin_epoch(self, epoch: int, network: nn.Module) -> None:
        """Take the order of the epoch, and its sets of weights."""
        assert isinstance(network, Supernet)
        for one in (self._supernet, network):
            one.use(self._settings, max(epoch - 1, 0))
            one.blend()
            one.use(self._settings, epoch)
        if self._orders is not None:
            self._curve = self._orders.curve(epoch, network)

    def heldout(self, network: nn.Module) -> Evaluation:
        """The mean of some networks from the whole one to the smallest, recalibrated."""
        assert isinstance(network, Supernet)
        network.blend()
        found = [self._judged(network, network.smallest**place) for place in _JUDGED]
        top1, loss = (sum(getattr(one, name) for one in found) / len(found) for name in ("top1", "loss"))
        return Evaluation(top1, loss, found[0].images)

    def _drawn(self, step: int, rng: np.random.Generator) -> list[float]:
        """MACs of a step's networks but the whole: the smallest in its turn, and one of each part of the range."""
        lowest, parts = self._supernet.smallest, self._settings.networks
        places = (np.arange(parts) + rng.random(parts)) / max(parts, 1)  # of the way to the smallest
        drawn: list[float] = np.clip(lowest**places, lowest, 1.0).tolist()
        return [lowest, *drawn] if step % self._settings.smallest_every == 0 else drawn

    def _balance(self) -> None:
        """Let each set of weights move as far in a step, in the mean, as one set would that all networks share."""
        settings, used = self._settings, self._supernet.weights.used
        if not used:
            return
        every = settings.networks_of_step
        drawn = settings.networks / used  # random networks that train a set in a step, in the mean; half at the ends
        own, last = drawn / 2 + 1 / settings.whole_interval, drawn / 2 + 1 / settings.smallest_every
        self._supernet.scale_gradients([every / own, *[every / drawn if drawn else 0.0] * (used - 1), every / last])

    def _add(self, loss: Tensor, weight: float) -> float:
        (loss * weight).backward()
        return weight * float(loss.detach())

    def _fraction(self, step: int) -> float:
        return float(self._curve.macs[step] / self._curve.original.macs)

    def _judged(self, supernet: Supernet, fraction: float) -> Evaluation:
        run, step = self._run, self._curve.step(macs=max(fraction, self._curve.floor))
        pruned = supernet.pruned(self._curve.structure, self._curve.keep(step))
        network = recalibrated(pruned, run.dataset, run.normalization, device=run.device, calibration=self._calibration)
        return evaluate_split(
            network, run.dataset.heldout, run.normalization, device=run.device, dtype=fast_dtype(run.device)
        )


def resized(inputs: Tensor, side: int) -> Tensor:
    """Images at another size, float32[B, C, H', W'].

    Args:
        inputs: float32[B, C, H, W].
        side: their new height; the width follows.
    """
    height, width = inputs.shape[-2:]
    if side == height:
        return inputs
    size = scaled_size((height, width), side)
    return F.interpolate(inputs.float(), size=size, mode="bilinear", antialias=True).to(inputs.dtype)
