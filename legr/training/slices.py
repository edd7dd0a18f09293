"""Networks of many kept sets as slices of one set of weights, which they train together.

A slice's own parameters are never used: its forward runs with tensors that are cut from the whole network's, so the
gradients of all slices add up there.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from legr.structure.surgery import cut, plan
from legr.structure.types import IntArray, Keep, Plan, Structure
from legr.training.fast_batch_norm import compute_fast

MOST = 256  # slices that are kept ready

_Positions = Tensor | tuple[int, int]  # int64[kept], or (start, length) where they follow each other
_Cuts = Mapping[str, tuple[tuple[int, _Positions], ...]]  # by parameter: (dim, positions that stay)


@dataclass(frozen=True)
class Slice:
    """The forward of one kept set, and where its parameters lie in those of the whole network."""

    module: nn.Module
    cuts: _Cuts

    def __call__(self, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor | tuple[Tensor | None, ...]:
        """What the network returns with slices of the whole network's parameters, by name."""
        outputs: Tensor | tuple[Tensor | None, ...] = functional_call(
            self.module, _sliced(parameters, self.cuts), (inputs,)
        )
        return outputs


class Slices:
    """Makes the slice of each kept set once.

    Args:
        whole: the network whose parameters are cut, in training; slices are on its device.
    """

    def __init__(self, whole: nn.Module, structure: Structure) -> None:
        self._whole, self._structure = whole, structure
        self._made: OrderedDict[bytes, Slice] = OrderedDict()

    def at(self, keep: Keep) -> Slice:
        """The slice of a kept set."""
        key = np.packbits(keep.units).tobytes()
        found = self._made.pop(key, None) or self._make(keep)
        self._made[key] = found
        if len(self._made) > MOST:
            self._made.popitem(last=False)
        return found

    def _make(self, keep: Keep) -> Slice:
        cuts = plan(self._whole, self._structure, keep)
        module = cut(self._whole, cuts).train()
        compute_fast(module)
        found = Slice(module, _cuts_of(cuts, module))
        for parameter in module.parameters():
            parameter.data = parameter.data.new_empty(0)  # it is never read
        return found


def network_with(whole: nn.Module, structure: Structure, keep: Keep, parameters: Mapping[str, Tensor]) -> nn.Module:
    """The network of a kept set by itself, in evaluation mode, with slices of some parameters.

    Args:
        whole: whose architecture, mode and buffers are cut.
        parameters: by the names of those of `whole`.
    """
    cuts = plan(whole, structure, keep)
    network = cut(whole, cuts).eval()
    with torch.no_grad():
        for name, values in _sliced(parameters, _cuts_of(cuts, network)).items():
            network.get_parameter(name).copy_(values)
    return network


def read_by(whole: nn.Module, structure: Structure, keep: Keep) -> dict[str, Tensor]:
    """Which parameters of the whole network the one of a kept set reads: by name, bool of its shape."""
    cuts = plan(whole, structure, keep)
    places = _cuts_of(cuts, cut(whole, cuts))
    found = {}
    for name, parameter in whole.named_parameters():
        read = torch.full_like(parameter, name in places, dtype=torch.bool)
        for dim, kept in places.get(name, ()):
            unread = torch.ones(parameter.shape[dim], dtype=torch.bool, device=parameter.device)
            unread[slice(kept[0], sum(kept)) if isinstance(kept, tuple) else kept] = False
            read.movedim(dim, 0)[unread] = False
        found[name] = read
    return found


def _cuts_of(cuts: Plan, network: nn.Module) -> _Cuts:
    """What a plan cuts from the parameters of the network that it leaves."""
    device = next(network.parameters()).device
    found: dict[str, tuple[tuple[int, _Positions], ...]] = {name: () for name, _ in network.named_parameters()}
    for name, dim, kept in cuts.slices:
        if name in found:
            found[name] += ((dim, _positions(kept, device)),)
    return found


def _positions(kept: IntArray, device: torch.device) -> _Positions:
    if kept[-1] - kept[0] + 1 == len(kept):
        return int(kept[0]), len(kept)
    return torch.from_numpy(kept.astype(np.int64)).to(device)


def _sliced(parameters: Mapping[str, Tensor], cuts: _Cuts) -> dict[str, Tensor]:
    values = {}
    for name, places in cuts.items():
        tensor = parameters[name]
        for dim, kept in places:
            tensor = tensor.index_select(dim, kept) if isinstance(kept, Tensor) else tensor.narrow(dim, *kept)
        values[name] = tensor
    return values
