"""A supernet: one set of weights that serves the network of every budget of a ranking (US-Net, Yu and Huang, 2019).

A ranking's networks are nested, so each is a slice of the whole one. Batch norms see other values in each of them:
their scales and offsets are a few thousand numbers, of which there are several sets (`SupernetSettings.norms`).
"""

import math
from dataclasses import replace

import numpy as np
import torch
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
from legr.training.slices import Slices, network_with
from legr.training.supernet_settings import SupernetSettings
from legr.training.train import Run

_JUDGED = (0.0, 0.5, 1.0)  # of the way from the whole network to the smallest, on a logarithmic scale of MACs


class Supernet(nn.Module):
    """The weights of a whole network, and sets of batch-norm scales and offsets for smaller ones.

    Args:
        network: the whole one; it becomes a part of this.
        smallest: fraction of its MACs that the last set is for.
        n_sets: beside the whole network's own.
    """

    def __init__(self, network: nn.Module, smallest: float, n_sets: int) -> None:
        super().__init__()
        self.network, self.smallest, self.norms = network, smallest, norm_parameters(network)
        own = [network.get_parameter(name).detach() for name in self.norms]
        self.sets = nn.ModuleList(
            nn.ParameterList([nn.Parameter(values.clone()) for values in own])
            for _ in range(n_sets if smallest < 1 and own else 0)
        )

    def parameters_at(self, fraction: float) -> dict[str, Tensor]:
        """The whole network's parameters by name, with the norms of a smaller network; gradients reach all of them.

        Args:
            fraction: of the whole network's MACs that the smaller one has.
        """
        parameters: dict[str, Tensor] = dict(self.network.named_parameters())
        if not len(self.sets):
            return parameters
        place = len(self.sets) * min(max(math.log(fraction) / math.log(self.smallest), 0.0), 1.0)
        number = min(int(place), len(self.sets) - 1)
        larger = self.sets[number - 1].parameters() if number else (parameters[name] for name in self.norms)
        pairs = zip(self.norms, larger, self.sets[number].parameters(), strict=True)
        return parameters | {name: torch.lerp(one, other, place - number) for name, one, other in pairs}

    def pruned(self, structure: Structure, keep: Keep) -> nn.Module:
        """The network of a kept set by itself, in evaluation mode; its statistics are those of the whole one."""
        fraction = cost(structure, keep).macs / original_cost(structure).macs
        return network_with(self.network, structure, keep, self.parameters_at(fraction))


def norm_parameters(network: nn.Module) -> tuple[str, ...]:
    """Names of the scales and offsets of a network's batch norms, each once."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    wanted = {id(parameter) for module in norms for parameter in module.parameters(recurse=False)}
    return tuple(name for name, parameter in network.named_parameters() if id(parameter) in wanted)


class SupernetObjective:
    """Trains all networks of a curve together; see `SupernetSettings`.

    Args:
        supernet: in training; its gradients are added to.
        curve: of the ranking that the networks follow.
        calibration: images on which batch norms are recalibrated before a network is judged.
    """

    def __init__(self, supernet: Supernet, curve: BudgetCurve, calibration: Calibration, run: Run) -> None:
        assert isinstance(run.settings, SupernetSettings)
        self._supernet, self._curve, self._calibration, self._run = supernet, curve, calibration, run
        self._settings = run.settings
        self._taught_alone = replace(run.settings, teacher_weight=1.0)
        self._slices = Slices(supernet.network, curve.structure)

    def backward(self, step: int, inputs: Tensor, labels: Tensor, teacher_logits: Tensor | None) -> float:
        """Gradients of the smallest network, of some of random budgets and, every few steps, of the whole one."""
        settings, rng = self._settings, np.random.default_rng((self._settings.seed, step))
        weight = 1 / (1 + settings.networks + 1 / settings.whole_every)
        total, logits = 0.0, teacher_logits
        if teacher_logits is None or step % settings.whole_every == 0:
            with autocast(self._run.device):
                outputs = self._supernet.network(inputs)
            total += self._add(loss_of(outputs, labels, teacher_logits, settings), weight)
            if logits is None:  # a network that nothing teaches teaches the smaller ones
                logits = (outputs[0] if isinstance(outputs, tuple) else outputs).detach().float()
        lowest = self._supernet.smallest
        drawn = np.exp(rng.uniform(math.log(lowest), 0.0, settings.networks)).clip(lowest, 1.0).tolist()
        for fraction in (lowest, *drawn):
            seen = inputs if not settings.sizes else resized(inputs, int(rng.choice(settings.sizes)))
            step_of = self._curve.step(macs=fraction)
            parameters = self._supernet.parameters_at(self._fraction(step_of))
            with autocast(self._run.device):
                outputs = self._slices.at(self._curve.keep(step_of))(parameters, seen)
            total += self._add(loss_of(outputs, labels, logits, self._taught_alone), weight)
        return total

    def heldout(self, network: nn.Module) -> Evaluation:
        """The mean of some networks from the whole one to the smallest, recalibrated."""
        assert isinstance(network, Supernet)
        found = [self._judged(network, network.smallest**place) for place in _JUDGED]
        top1, loss = (sum(getattr(one, name) for one in found) / len(found) for name in ("top1", "loss"))
        return Evaluation(top1, loss, found[0].images)

    def _add(self, loss: Tensor, weight: float) -> float:
        (loss * weight).backward()
        return weight * float(loss.detach())

    def _fraction(self, step: int) -> float:
        return float(self._curve.macs[step] / self._curve.original.macs)

    def _judged(self, supernet: Supernet, fraction: float) -> Evaluation:
        run, step = self._run, self._curve.step(macs=fraction)
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
