"""Tensors that modules keep as plain attributes, neither parameter nor buffer: which of them no pass has used.

One that a pass replaces is something that the forward made, such as features of an earlier run, and no constant.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from legr.structure.state import storage_of

_REGISTERED = ("_parameters", "_buffers", "_modules")


class PlainTensors:
    """The plain tensors of a network, by module; those in lists, tuples and dicts as well."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        registered = {storage_of(x) for x in (*network.parameters(), *network.buffers())}
        self._unused = [(module, x) for module, x in _plain(network) if x.dim() and storage_of(x) not in registered]
        self._storages = {storage_of(x) for _, x in self._unused}  # they live as long as this
        self._read: set[int] = set()

    def note_read(self, tensor: Tensor) -> None:
        """Note that an operation reads or writes a tensor."""
        if self._storages and (storage := storage_of(tensor)) in self._storages:
            self._read.add(storage)

    def note_replaced(self) -> None:
        """Forget the tensors that a pass which has just ended has put others in the place of."""
        if self._unused:
            there = {id(x) for _, x in _plain(self._network)}
            self._unused = [(module, x) for module, x in self._unused if id(x) in there]

    def unused(self, within: nn.Module | None = None) -> list[Tensor]:
        """Those of one module, or of all, that every pass has left alone."""
        return [x for module, x in self._unused if within in (None, module) and storage_of(x) not in self._read]


def _plain(network: nn.Module) -> Iterator[tuple[nn.Module, Tensor]]:
    for module in network.modules():
        for name, value in vars(module).items():
            if name not in _REGISTERED:
                yield from ((module, x) for x in _tensors(value, ()))


def _tensors(value: Any, around: tuple[int, ...]) -> Iterator[Tensor]:
    """The tensors in containers; `around` are those that it lies in, so that one which holds itself ends."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple, Mapping)) and id(value) not in around:
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(item, (*around, id(value)))
