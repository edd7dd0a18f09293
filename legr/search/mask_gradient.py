"""The original network under a mask, and the gradient of the loss with respect to the mask.

A mask is a number for each unit. Where a parameter or an index reads the channels of a unit, they are multiplied by
the unit's mask. At 0 the unit has no effect, as if it were removed, but it is still computed, so that the loss has a
gradient for switching it on again. A branch of which no unit is left adds nothing: what it adds is multiplied by the
mean of its units' masks, and inside it all of them count as switched on. So its units share the gradient of its return
as a whole. A norm over channels, or a sum over channels that is read elsewhere, still sees removed channels: there the
mask is an approximation. Dims of arrays: U units.
"""

import copy
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from legr.data.batches import iterate
from legr.data.images import Split
from legr.data.normalization import Normalization
from legr.ranking.types import FloatArray
from legr.search.branch_ends import BranchEnds
from legr.structure.tracing.nodes import lay_along
from legr.structure.types import BoolArray, Structure
from legr.training.batch_norm import set_statistics
from legr.training.device import autocast
from legr.training.evaluate import batch_size_for


class MaskedNetwork:
    """A network under masks.

    Args:
        network: on its device, in the mode that it is to be used in.
    """

    def __init__(self, network: nn.Module, structure: Structure) -> None:
        self._network = network
        self._parameters: Mapping[str, Tensor] = dict(network.named_parameters())
        first = next(iter(self._parameters.values()))
        self._dtype, self._device = first.dtype, first.device
        self._n_units = structure.n_units
        self._switches: Tensor | None = (
            None  # float[U + 1] of the running pass; entry 0, the label of unprunable channels, is 1
        )
        for gather in structure.gathers:
            module = network.get_submodule(gather.buffer.rpartition(".")[0])
            index = network.get_buffer(gather.buffer).cpu().numpy()
            labels = np.concatenate(([0], gather.in_labels)).astype(np.int64)[index]
            module.register_forward_hook(self._gate(torch.from_numpy(labels).to(self._device)))
        self._branches = [torch.from_numpy(branch.units.astype(np.int64)) for branch in structure.branches]
        self._ends = BranchEnds(network, structure.branches)
        self._masked = [
            (name, dim, torch.from_numpy(labels).to(self._device)) for name, dim, labels in _readers(structure)
        ]

    def read(self, parameters: Mapping[str, Tensor]) -> None:
        """Compute with other parameters from now on, by the names of those of the network."""
        self._parameters = parameters

    def __call__(self, mask: Tensor, inputs: Tensor) -> Tensor:
        """Logits of the network under a mask, float32[U]."""
        switches = torch.cat((mask.new_ones(1), mask)).to(self._dtype)
        left = mask.detach().cpu() != 0
        emptied = {number: units for number, units in enumerate(self._branches) if not bool(left[units].any())}
        factors = {number: switches[units.to(self._device) + 1].mean() for number, units in emptied.items()}
        if emptied:
            inside = (torch.cat(list(emptied.values())) + 1).to(self._device)
            switches = switches.index_fill(0, inside, 1.0)
        self._switches = switches
        parameters: dict[str, Tensor] = {}
        for name, dim, labels in self._masked:
            weight = parameters.get(name, self._parameters[name])
            parameters[name] = weight * lay_along(switches[labels], dim, weight.dim())

        def compute(read: Mapping[str, Tensor]) -> Tensor:
            return cast(Tensor, functional_call(self._network, dict(read), (inputs,)))

        return self._ends.run(factors, {**self._parameters, **parameters}, compute).float()

    def _gate(self, labels: Tensor) -> Callable[[nn.Module, object, Tensor], Tensor]:
        """A hook that masks the channels that a shortcut gathers."""

        def hook(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
            assert self._switches is not None
            return output * lay_along(self._switches[labels], 1, output.dim())

        return hook


def _readers(structure: Structure) -> list[tuple[str, int, np.ndarray]]:
    """Axes along which parameters read units (name, dim, labels); of a unit that no layer reads, all its axes."""
    reading = {(op.parameter, op.in_dim) for op in structure.ops if op.parameter is not None}
    readers, read = [], np.zeros(structure.n_units + 1, dtype=bool)
    for axis in structure.axes:
        if (axis.parameter, axis.dim) in reading:
            readers.append((axis.parameter, axis.dim, axis.labels.astype(np.int64)))
            read[axis.labels] = True
    for axis in structure.axes:
        if axis.parameter in structure.shapes and (axis.parameter, axis.dim) not in reading:
            labels = np.where(read[axis.labels], 0, axis.labels).astype(np.int64)
            if labels.any():
                readers.append((axis.parameter, axis.dim, labels))
    return readers


class TrainingProbe:
    """Gradient of the loss with respect to every unit's mask, on training images that are drawn at each call.

    Args:
        images: how many are drawn.
        parameters_for: the parameters by name for kept units, bool[U]; None: all networks have the model's.
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
        parameters_for: Callable[[BoolArray], Mapping[str, Tensor]] | None = None,
    ) -> None:
        self._split, self._normalization, self._images, self._device = split, normalization, images, device
        self._parameters_for = parameters_for
        network = copy.deepcopy(model).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        frozen = set_statistics(cast(nn.Module, network), "batch").requires_grad_(False)
        self._masked = MaskedNetwork(frozen, structure)

    def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
        """Gradient of the loss with respect to every unit's mask, float64[U], where `units`, bool[U], are kept."""
        order = torch.from_numpy(rng.integers(len(self._split), size=self._images))
        chunk = min(self._images, batch_size_for(self._split))  # large images go through a few at a time
        batches = iterate(self._split, self._normalization, batch=chunk, device=self._device, order=order)
        if self._parameters_for is not None:
            self._masked.read(self._parameters_for(units))
        mask = torch.from_numpy(units.astype(np.float32)).to(self._device).requires_grad_()
        for inputs, labels in batches:
            with autocast(self._device):
                logits = self._masked(mask, inputs)
            loss = F.cross_entropy(logits, labels, reduction="sum") / self._images
            loss.backward()
        assert mask.grad is not None
        gradient: FloatArray = mask.grad.double().cpu().numpy()
        return gradient if np.isfinite(gradient).all() else np.zeros(len(gradient))  # NaN or infinite: no step
