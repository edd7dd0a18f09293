"""Layers that no example reaches: what they could read, or be added to, is judged by its size and never removed.

A wrong guess would break a pruned network where nobody looks. So sizes are matched generously, and every such layer
is named: an example that reaches it frees what it need not hold.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from legr.structure.tracing.tracer import Tracer
from legr.structure.types import UNREACHED, Remark

_REASON = "no example runs these layers, and they could read the channels; trace with an example or method that does"


class _Port(NamedTuple):
    """A number of channels that a layer reads or writes."""

    size: int
    flattened: bool = False  # whether it may be channels times positions


@dataclass(frozen=True, slots=True)
class _Layer:
    """A module with parameters or buffers of its own that no example reaches."""

    path: str
    inputs: tuple[_Port, ...]  # something that it reads has each of these sizes
    others: tuple[_Port, ...]  # of what it returns, and of parameters of unknown use
    shared: tuple[Tensor, ...]  # its parameters that a layer which was reached has as well
    reads_outside: bool = True  # False: only what its neighbour in an `nn.Sequential` returns
    returns_outside: bool = True


@torch.inference_mode()
def hold_for_unreached_layers(tracer: Tracer, input_shapes: Iterable[tuple[int, ...]]) -> None:
    """Make channels unprunable that a layer could read which no pass has reached, and say so."""
    layers = _Reach(tracer).unreached(tracer.network, "")
    if not layers:
        return
    activations = _Activations(tracer)
    explained = {size for shape in (*input_shapes, *activations.fixed) for size in _widths(shape)}
    explained |= {1, *(port.size for layer in layers for port in layer.others)}
    could_read = [(layer.path, _could_read(tracer, layer, activations, explained)) for layer in layers]
    holding = [(path, nodes) for path, nodes in could_read if tracer.count_filters(nodes)]
    for path, nodes in holding:  # channels are counted once, at the first layer that could read them
        tracer.unprunable.append(Remark(path, UNREACHED, _REASON, tracer.count_filters(nodes)))
        tracer.nodes.unite(nodes, torch.zeros_like(nodes))


def _could_read(tracer: Tracer, layer: _Layer, activations: "_Activations", explained: set[int]) -> Tensor:
    """Nodes of the channels that a layer could read or be added to."""
    found = [nodes for tensor in layer.shared for nodes in tracer.axes_of(tensor)]
    if layer.returns_outside:
        found += [nodes for port in layer.others for nodes in activations.matching(port)]
    for port in layer.inputs if layer.reads_outside else ():
        matching = activations.matching(port)
        found += matching or (() if port.size in explained else activations.made_into(port))
    return tracer.nodes.distinct(torch.cat(found)) if found else torch.zeros(0, dtype=torch.int64)


# -- which layers, and what sizes they have ------------------------------------------------------------------------


class _Reach:
    """Which modules the passes of a trace have reached."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        owned = (id(x) for module in tracer.network.modules() for x in module._parameters.values())
        self._owners = Counter(owned)
        self._seen: set[int] = set()

    def unreached(self, module: nn.Module, path: str) -> list[_Layer]:
        """The layers inside a module, and itself, that no pass has reached."""
        if id(module) in self._seen:
            return []
        self._seen.add(id(module))
        own = self._layer(module, path)
        inside = [self.unreached(child, f"{path}.{name}".lstrip(".")) for name, child in module.named_children()]
        if type(module).forward is nn.Sequential.forward and not any(map(self._called, module.modules())):
            inside = _in_a_row([layers for layers in inside if layers])
        return [*([own] if own else []), *(layer for layers in inside for layer in layers)]

    def _called(self, module: nn.Module) -> bool:
        return id(module) in self._tracer.called

    def _layer(self, module: nn.Module, path: str) -> _Layer | None:
        """What a module reads by itself; None where it was reached, or has no parameter."""
        called, is_read = self._called(module), self._tracer.is_read
        kept: list[Tensor] = [x for x in module._parameters.values() if x is not None]
        if not called and not kept:
            kept = [x for x in module._buffers.values() if x is not None and x.dim()]
        unread = [x for x in kept if not is_read(x)]
        shared = [] if called else [x for x in kept if is_read(x) and self._owners[id(x)] > 1]
        if not unread and not shared:
            return None
        inputs, others = _ports(module) or ([], _sizes_of(unread or shared))
        return _Layer(path, tuple(inputs), tuple(others), tuple(shared))


def _in_a_row(inside: Sequence[Sequence[_Layer]]) -> list[list[_Layer]]:
    """Layers of which each reads what the one before returns: only the ends meet anything else."""
    last = len(inside) - 1
    return [
        [
            replace(
                layer,
                reads_outside=layer.reads_outside and number == 0,
                returns_outside=layer.returns_outside and number == last,
            )
            for layer in layers
        ]
        for number, layers in enumerate(inside)
    ]


def _ports(module: nn.Module) -> tuple[list[_Port], list[_Port]] | None:
    """Sizes of what one of PyTorch's layers reads, and returns; None for other modules."""
    match module:
        case nn.modules.conv._ConvNd():
            return [_Port(module.in_channels)], [_Port(module.out_channels)]
        case nn.Linear():
            return [_Port(module.in_features, True)], [_Port(module.out_features, True)]
        case nn.Bilinear():
            sizes = (module.in1_features, module.in2_features)
            return [_Port(size, True) for size in sizes], [_Port(module.out_features, True)]
        case nn.modules.batchnorm._NormBase():
            ports = [_Port(module.num_features, isinstance(module, nn.BatchNorm1d))]
            return ports, ports
        case nn.LayerNorm() | nn.RMSNorm():
            ports = [_Port(size) for size in module.normalized_shape]
            return [], ports
        case nn.GroupNorm():
            return [_Port(module.num_channels)], [_Port(module.num_channels)]
        case nn.Embedding() | nn.EmbeddingBag():
            return [], [_Port(module.embedding_dim)]
        case nn.RNNBase() | nn.RNNCellBase():
            hidden = (module.hidden_size, 2 * module.hidden_size, getattr(module, "proj_size", 0))
            return [_Port(module.input_size, True)], [_Port(size) for size in hidden]
        case nn.MultiheadAttention():
            return [_Port(size) for size in (module.embed_dim, module.kdim, module.vdim)], [_Port(module.embed_dim)]
    return None


def _sizes_of(tensors: Sequence[Tensor]) -> list[_Port]:
    """Sizes of parameters of which nothing else is known: any of their dims could meet channels."""
    return [_Port(size, x.dim() == 2) for x in tensors for size in x.shape if size > 1]


# -- what there is to read -----------------------------------------------------------------------------------------


class _Activations:
    """The activations of all passes, by their number of channels.

    Attributes:
        fixed: shapes of those in which nothing can be removed.
    """

    def __init__(self, tracer: Tracer) -> None:
        self.fixed: set[tuple[int, ...]] = set()
        self._nodes: dict[int, list[Tensor]] = {}
        self._positions = {1}  # over which a flattened activation may have spread its channels
        for result in (result for records in tracer.passes for record in records for result in record.results):
            if result is None:
                continue
            shape, dim, nodes = result
            if dim is None or nodes is None:
                self.fixed.add(shape)
                continue
            self._nodes.setdefault(len(nodes), []).append(nodes)
            others = [size for d, size in enumerate(shape) if d not in (0, dim)]
            self._positions |= {prod(some) for n in range(1, len(others) + 1) for some in combinations(others, n)}

    def matching(self, port: _Port) -> list[Tensor]:
        """Nodes of the activations that have the size of a port, flattened or not."""
        widths = [width for width in self._nodes if port.size % width == 0]
        positions = self._positions if port.flattened else {1}
        return [x for width in widths if port.size // width in positions for x in self._nodes[width]]

    def made_into(self, port: _Port) -> list[Tensor]:
        """Nodes of what a port could read after a pooling, a concatenation or a slice: nothing has its size."""
        widths = [width for width in self._nodes if port.flattened and port.size % width == 0] or list(self._nodes)
        return [x for width in widths for x in self._nodes[width]]


def _widths(shape: tuple[int, ...]) -> set[int]:
    """Sizes that a layer could read an activation of this shape by: its channels, or all of it."""
    channels = {*shape[1:2], *(shape[-1:] if len(shape) < 4 else ())}
    return channels | {prod(shape[1:])}
