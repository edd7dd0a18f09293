"""Which modules a network calls and what they read: the innermost calls, in their order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from legr.structure.trees import map_tensors, tensors_in

_OF_A_WEIGHT = ".parametrizations"  # modules that compute a weight are a part of the one that has it
_PASSED_ON = (nn.Identity, nn.modules.dropout._DropoutNd)  # what they read, as it is


@dataclass(frozen=True, slots=True)
class Activation:
    """A tensor that a call reads or returns."""

    shape: tuple[int, ...]
    order: tuple[int, ...]  # its dims as they lie in memory, the outermost first
    dtype: torch.dtype


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A call of a module that calls no other."""

    path: str
    args: Any  # its positional and its keyword arguments; tensors have no values
    reads: tuple[Activation, ...]  # those tensors, in the order in which `map_tensors` comes to them
    returns: tuple[Activation, ...]

    def arguments(self, tensors: Sequence[Tensor]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments with these tensors in place of those that were read."""
        rest = iter(tensors)
        args, kwargs = map_tensors(lambda _: next(rest), self.args)
        return args, kwargs


def calls_of(network: nn.Module, images: Tensor) -> list[ModuleCall]:
    """Run a network once and note its innermost calls, but for those that hand on what they read."""
    watch = _Watch()
    with watch.on(network), torch.inference_mode():
        network(images)
    return watch.calls


class _Watch:
    """Notes the calls of a network's modules."""

    def __init__(self) -> None:
        self.calls: list[ModuleCall] = []
        self._under_way: list[_Begun] = []

    @contextmanager
    def on(self, network: nn.Module) -> Iterator[None]:
        """Within it, calls are noted."""
        handles = []
        try:
            for path, module in network.named_modules():
                if _OF_A_WEIGHT not in path:
                    handles.append(module.register_forward_pre_hook(self._begin, with_kwargs=True))
                    handles.append(
                        module.register_forward_hook(lambda m, _, result, path=path: self._end(m, path, result))
                    )
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _begin(self, _: nn.Module, args: Any, kwargs: Any) -> None:
        if self._under_way:
            self._under_way[-1].is_innermost = False
        reads: list[Activation] = []

        def note(tensor: Tensor) -> Tensor:
            reads.append(_activation(tensor))
            return torch.empty(0, device="meta")

        self._under_way.append(_Begun(map_tensors(note, (args, kwargs)), reads))

    def _end(self, module: nn.Module, path: str, result: Any) -> None:
        begun = self._under_way.pop()
        if begun.is_innermost and not isinstance(module, _PASSED_ON):
            returns = tuple(map(_activation, tensors_in(result)))
            self.calls.append(ModuleCall(path, begun.args, tuple(begun.reads), returns))


@dataclass(slots=True)
class _Begun:
    """A call that is under way."""

    args: Any
    reads: list[Activation]
    is_innermost: bool = True


def _activation(tensor: Tensor) -> Activation:
    strides = tensor.stride()
    order = tuple(sorted(range(tensor.dim()), key=lambda dim: (-strides[dim], dim)))
    return Activation(tuple(tensor.shape), order, tensor.dtype)
