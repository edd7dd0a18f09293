"""Milliseconds of modules in PyTorch's eager mode, each alone."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch import Tensor, nn

from legr.deploy.latency import in_channels_last, wait
from legr.deploy.layer_timing import numbers_for, time_in_turns
from legr.deploy.module_calls import Activation, ModuleCall
from legr.deploy.quantum import FILTERS, SIDE, Convolution
from legr.errors import ExportError
from legr.structure.latency import FloatArray
from legr.structure.model_io import first_line, tensors_by_name

_CALLS = {"cuda": 10}  # one after another: an accelerator is told of the next while it computes the one before


@dataclass(frozen=True, eq=False)
class Alone:
    """A module, how it is called, and what it reads."""

    module: nn.Module
    call: ModuleCall
    reads: tuple[Activation, ...]

    @cached_property
    def bytes(self) -> int:
        """What its weights take in memory."""
        return sum(tensor.nbytes for _, tensor in tensors_by_name(self.module))

    @property
    def elements(self) -> int:
        """Numbers that it reads."""
        return sum(prod(read.shape) for read in self.reads)


def milliseconds_of(layers: Sequence[Alone], device: torch.device) -> FloatArray:
    """Median milliseconds of each module, float64[len(layers)], in turns; without what any call takes.

    Raises:
        ExportError: one cannot be called alone.
    """
    values = torch.from_numpy(numbers_for(layers)).to(device)
    nothing = Alone(nn.Identity(), ModuleCall("", ((values,), {}), (), ()), (Activation((1,), (0,), values.dtype),))
    try:
        first, *runs = (_timer(layer, values, device) for layer in (nothing, *layers))
        return time_in_turns(first, runs)
    except Exception as error:  # of a forward that may be anybody's
        raise ExportError(
            f"a module of this network cannot be called alone: {first_line(error)}; time whole networks "
            "with `legr measure`"
        ) from error


def convolution(kind: Convolution, channels: int, batch: int, device: torch.device) -> Alone:
    """A convolution that reads so many channels."""
    filters, groups = (channels, channels) if kind.depthwise else (FILTERS, 1)
    module = nn.Conv2d(channels, filters, kind.kernel, padding=kind.padding, groups=groups)
    read = Activation((batch, channels, SIDE, SIDE), (0, 2, 3, 1), torch.float32)
    return Alone(in_channels_last(module, device), ModuleCall("", ((torch.empty(0),), {}), (read,), ()), (read,))


def _timer(layer: Alone, values: Tensor, device: torch.device) -> Callable[[], float]:
    """What calls a module and says how many milliseconds it took."""
    args, kwargs = layer.call.arguments(_parts(values, layer.reads))
    module, calls = layer.module, _CALLS.get(device.type, 1)

    def run() -> float:
        wait(device)
        start = time.perf_counter()
        for _ in range(calls):
            result = module(*args, **kwargs)
        wait(device)
        took = time.perf_counter() - start
        del result  # what it returned is let go of afterwards, as in a network
        return took * 1e3 / calls

    return run


def _parts(values: Tensor, reads: Sequence[Activation]) -> list[Tensor]:
    """Parts of the values, one after another, in the shapes and layouts that are read; integers are 0."""
    parts, start = [], 0
    for read in reads:
        end = start + prod(read.shape)
        flat = values[start:end] if read.dtype.is_floating_point else torch.zeros_like(values[start:end])
        laid_out = flat.to(read.dtype).view([read.shape[dim] for dim in read.order])
        parts.append(laid_out.permute([read.order.index(dim) for dim in range(len(read.order))]))
        start = end
    return parts
