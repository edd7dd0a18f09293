"""A module of a network, called alone with as many channels as one likes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from legr.deploy.following import Following, steps_of
from legr.deploy.layer_grid import Points, every_point_of, points_of, points_on_a_line
from legr.deploy.module_calls import Activation, ModuleCall
from legr.structure.latency import Size
from legr.structure.model_io import tensors_by_name
from legr.structure.surgery import cut
from legr.structure.types import IntArray, Plan

_IN_GROUPS = ("groups", "num_groups")  # attributes: channels are a multiple of them
_PLAIN = (type(None), bool, int, float, str)


@dataclass(frozen=True, eq=False)
class ModuleLayer:
    """A call of a module, and the sizes by which it varies."""

    module: nn.Module
    call: ModuleCall
    sizes: tuple[Size, ...]
    reads: tuple[tuple[Following, ...], ...]  # shapes
    returns: tuple[tuple[Following, ...], ...]
    weights: tuple[tuple[str, int, Following], ...]  # parameter or buffer, dim, its size
    attributes: tuple[tuple[str, str, int | None, Following], ...]  # module inside, attribute, place in it, its value
    indexes: tuple[tuple[str, Following, Following], ...]  # index buffer, its size, channels that it picks from

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """For each size, the smallest number of channels of which all possible numbers are multiples."""
        follow = {(path, name) for path, name, _, f in self.attributes if f.size is not None}
        groups = [
            (place, count)
            for path, module in self.module.named_modules()
            for name in _IN_GROUPS
            if isinstance(count := getattr(module, name, None), int) and (path, name) not in follow
            for place in range(len(self.sizes))
        ]
        return steps_of(self.sizes, self._numbers(), groups)

    def _numbers(self) -> Iterator[Following]:
        yield from chain(*self.reads, *self.returns)
        yield from (f for *_, f in self.weights)
        yield from (f for *_, f in self.attributes)
        yield from chain(*(pair for _, *pair in self.indexes))

    def points(self, quantum: int) -> list[Points]:
        """Where it is timed, see `legr.deploy.layer_table.Kind`."""
        written = {f.size for shape in self.returns for f in shape}
        points = []
        for place, (size, step) in enumerate(zip(self.sizes, self.steps, strict=True)):
            if place in written:
                points.append(every_point_of(size, step))
            else:
                points.append(points_on_a_line(size, step) if quantum == 1 else points_of(size, step, quantum))
        return points

    @cached_property
    def key(self) -> bytes:
        """Equal for layers that take the same time."""
        path = self.call.path
        parts: list[object] = [(size.whole, step) for size, step in zip(self.sizes, self.steps, strict=True)]
        parts += [self.reads, self.returns, self.weights, self.attributes, self.indexes, _told(self.call.args, path)]
        parts += [(read.order, str(read.dtype)) for read in self.call.reads]
        parts += [(name, tuple(tensor.shape)) for name, tensor in tensors_by_name(self.module)]
        for inner, module in self.module.named_modules():
            settings = {name: value for name, value in vars(module).items() if not name.startswith("_")}
            parts.append((inner, _named(type(module), path), _told(settings, path)))
        return repr(parts).encode()

    def alone(self, channels: Sequence[int]) -> nn.Module:
        """The module alone, with so many channels for each of its sizes."""

        def at(following: Following) -> int:
            return following.at(self.sizes, channels)

        return cut(
            self.module,
            Plan(
                slices=tuple((name, dim, np.arange(at(f), dtype=np.int32)) for name, dim, f in self.weights),
                attributes=tuple((module, name, place, at(f)) for module, name, place, f in self.attributes),
                indexes=tuple((name, self._entries(name, at(f), at(picked))) for name, f, picked in self.indexes),
            ),
        )

    def _entries(self, buffer: str, count: int, channels: int) -> IntArray:
        """So many entries of an index into so many channels, and a blank one before them."""
        entries: IntArray = dict(tensors_by_name(self.module))[buffer].cpu().numpy()[:count].astype(np.int32)
        return entries % (channels + 1)

    def reads_at(self, channels: Sequence[int]) -> list[Activation]:
        """What it reads with so many channels."""
        return [
            Activation(tuple(f.at(self.sizes, channels) for f in shape), read.order, read.dtype)
            for shape, read in zip(self.reads, self.call.reads, strict=True)
        ]


def _told(value: Any, path: str) -> object:
    """A value as it is; the path of its module in place of what nothing tells from others."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, torch.dtype | torch.device):
        return str(value)
    if isinstance(value, Tensor):
        return "tensor"
    if isinstance(value, (tuple, list)):
        return [_told(item, path) for item in value]
    if isinstance(value, Mapping):
        return [(str(name), _told(item, path)) for name, item in value.items()]
    return _named(value, path) if callable(value) else path


def _named(code: Any, path: str) -> str:
    """The full name of a class or a function; the path of a module in place of one that others may have as well."""
    name = getattr(code, "__qualname__", "<")
    return path if "<" in name else f"{code.__module__}.{name}"
