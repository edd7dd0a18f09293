"""Layers that no example reaches: what they could read, or be added to, is judged by its size and never removed.

A wrong guess would break a pruned network where nobody looks. So sizes are matched generously, and every such layer
is named: an example that reaches it frees what it need not hold.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from math import prod
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from legr.structure.tracing.tracer import Tracer
from legr.structure.types import UNREACHED, UNREACHED_CODE, Remark

_REASON = "no example runs these layers, and they could read the channels; give legr.trace an example that does"

_UNKNOWN = "no example runs it, and nothing is known about what its code reads; give legr.trace an example that does"

_SIZED = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase)  # with parameters or without

_Flattened = Literal["no", "whole", "partly"]


class _Port(NamedTuple):
    """A number of channels that a layer reads or writes."""

    size: int
    flattened: _Flattened = "no"  # whether it may be channels times positions: of all dims, or of some


@dataclass(frozen=True, slots=True)
class _Layer:
    """A module that no example reaches, or one with tensors of its own that none reads."""

    path: str
    inputs: tuple[_Port, ...] = ()  # something that it reads has each of these sizes
    others: tuple[_Port, ...] = ()  # of what it returns, and of tensors of unknown use
    makes: frozenset[int] = frozenset()  # sizes that it returns without having read them
    shared: tuple[Tensor, ...] = ()  # its parameters that a layer which was reached has as well
    reads_outside: bool = True  # False: only what its neighbour in an `nn.Sequential` returns
    returns_outside: bool = True
    divisor: int = 0  # if not 0, it reads a multiple of this
    unknown: bool = False  # code of the model's own without tensors


@torch.inference_mode()
def hold_for_unreached_layers(tracer: Tracer, input_shapes: Iterable[tuple[int, ...]]) -> None:
    """Make channels unprunable that a layer could read which no pass has reached, and say so."""
    layers = _Reach(tracer).unreached(tracer.network, "")
    if not layers:
        return
    activations = _Activations(tracer)
    explained = {size for shape in (*input_shapes, *activations.fixed) for size in _widths(shape)}
    explained |= {1, *(size for layer in layers for size in layer.makes)}
    could_read = [(layer.path, _could_read(tracer, layer, activations, explained)) for layer in layers]
    holding = [(path, nodes) for path, nodes in could_read if tracer.count_filters(nodes)]
    tracer.unprunable += [Remark(layer.path, UNREACHED_CODE, _UNKNOWN, 0) for layer in layers if layer.unknown]
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
        found += matching + activations.two_that_make(port.size)
        if not matching and port.size not in explained:
            found += activations.made_into(port, explained)
    if layer.divisor and layer.reads_outside:
        multiples = activations.multiples(layer.divisor)
        found += multiples or (activations.all() if all(size % layer.divisor for size in explained) else [])
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
        if any(map(self._called, module.modules())) or not path:
            return [*own, *chain(*inside)]
        if type(module).forward is nn.Sequential.forward:
            inside = _in_a_row([layers for layers in inside if layers])
        layers = [*own, *chain(*inside)]
        known = [layer for layer in layers if not layer.unknown and not _is_fed(layer, layers)]
        if known or next(chain(module.parameters(), module.buffers()), None) is not None:
            return known  # what else is in there has its place among these
        return layers if _is_of_torch(module) else [_Layer(path, unknown=True)]

    def _called(self, module: nn.Module) -> bool:
        return id(module) in self._tracer.called

    def _layer(self, module: nn.Module, path: str) -> list[_Layer]:
        """What a module reads by itself; nothing where all that it keeps was read."""
        called, is_read = self._called(module), self._tracer.is_read
        buffers = (x for x in module._buffers.values() if x is not None and x.dim())
        parameters = [x for x in module._parameters.values() if x is not None]
        unread = [x for x in (*parameters, *buffers) if not is_read(x)]
        plain = self._tracer.plain.unused(within=module)
        shared = [] if called else [x for x in parameters if is_read(x) and self._owners[id(x)] > 1]
        if not unread and not shared and (called or not isinstance(module, _SIZED)):
            divisor = 0 if called else _divisor(module)
            return [_Layer(path, others=_sizes_of(plain), divisor=divisor)] if plain or divisor else []
        ports = _ports(module)
        if ports is None:
            return [_Layer(path, others=_sizes_of([*(unread or shared), *plain]), shared=tuple(shared))]
        inputs, others = ports
        makes = {port.size for port in others} - {port.size for port in inputs}
        return [_Layer(path, tuple(inputs), (*others, *_sizes_of(plain)), frozenset(makes), tuple(shared))]


def _is_of_torch(module: nn.Module) -> bool:
    return type(module).__module__.startswith("torch.")


def _is_fed(layer: _Layer, layers: Sequence[_Layer]) -> bool:
    """Whether a layer that reads a multiple of some size may read it of the layers around it."""
    sizes = (port.size for other in layers if other is not layer for port in other.others)
    return bool(layer.divisor) and any(size % layer.divisor == 0 for size in sizes)


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
            return [_Port(module.in_features, "whole")], [_Port(module.out_features, "whole")]
        case nn.Bilinear():
            sizes = (module.in1_features, module.in2_features)
            return [_Port(size, "whole") for size in sizes], [_Port(module.out_features, "whole")]
        case nn.modules.batchnorm._NormBase():
            ports = [_Port(module.num_features, "whole" if isinstance(module, nn.BatchNorm1d) else "no")]
            return ports, ports
        case nn.LayerNorm() | nn.RMSNorm():
            ports = [_Port(size) for size in module.normalized_shape]
            return ports, ports
        case nn.GroupNorm():
            return [_Port(module.num_channels)], [_Port(module.num_channels)]
        case nn.Embedding() | nn.EmbeddingBag():
            return [], [_Port(module.embedding_dim)]
        case nn.RNNBase() | nn.RNNCellBase():
            hidden = (module.hidden_size, 2 * module.hidden_size, getattr(module, "proj_size", 0))
            return [_Port(module.input_size, "partly")], [_Port(size) for size in hidden if size]
        case nn.MultiheadAttention():
            return [_Port(size) for size in (module.embed_dim, module.kdim, module.vdim)], [_Port(module.embed_dim)]
    return None


def _divisor(module: nn.Module) -> int:
    """What the number of channels must be a multiple of, in those of PyTorch's modules that cut channels in pieces."""
    match module:
        case nn.PixelShuffle():
            return module.upscale_factor**2
        case nn.ChannelShuffle():
            return module.groups
        case nn.GLU():
            return 2
        case nn.Fold():
            return prod(module.kernel_size) if isinstance(module.kernel_size, tuple) else module.kernel_size**2
        case nn.Unflatten():
            sizes = [size[1] if isinstance(size, tuple) else size for size in module.unflattened_size]
            return abs(prod(sizes))  # one of them may be -1
    return 0


def _sizes_of(tensors: Sequence[Tensor]) -> tuple[_Port, ...]:
    """Sizes of tensors of which nothing else is known: any of their dims could meet channels."""
    return tuple(_Port(size, "whole" if x.dim() == 2 else "no") for x in tensors for size in x.shape if size > 1)


# -- what there is to read -----------------------------------------------------------------------------------------


class _Activations:
    """The activations of all passes, by their number of channels.

    Attributes:
        fixed: shapes of those in which nothing can be removed.
    """

    def __init__(self, tracer: Tracer) -> None:
        self.fixed: set[tuple[int, ...]] = set()
        self._nodes: dict[int, list[Tensor]] = {}
        # how many positions a flattened activation may have spread a channel over
        self._positions: dict[_Flattened, set[int]] = {"no": {1}, "whole": {1}, "partly": {1}}
        for result in (result for records in tracer.passes for record in records for result in record.results):
            if result is None:
                continue
            shape, dim, nodes = result
            if dim is None or nodes is None or not tracer.find(nodes).any():
                self.fixed.add(shape)
                continue
            self._nodes.setdefault(len(nodes), []).append(nodes)
            others = [size for d, size in enumerate(shape) if d not in (0, dim)]
            self._positions["whole"].add(prod(others))
            self._positions["partly"].update(prod(some) for n in (1, 2) for some in combinations(others, n))

    def matching(self, port: _Port) -> list[Tensor]:
        """Nodes of the activations that have the size of a port, flattened or not."""
        counts, size = self._positions[port.flattened], port.size
        return self._of(width for width in self._nodes if size % width == 0 and size // width in counts)

    def two_that_make(self, size: int) -> list[Tensor]:
        """Nodes of the activations of two different widths that have a size together."""
        return self._of(width for width in self._nodes if size - width in self._nodes and 2 * width != size)

    def made_into(self, port: _Port, known: Collection[int]) -> list[Tensor]:
        """Nodes of what could have the size of a port after a concatenation or a pooling; else of everything.

        Args:
            known: what else it could be concatenated with.
        """
        partners = {*self._nodes, *known}
        widths = [width for width in self._nodes if port.size - width in partners]
        if port.flattened != "no":
            widths += [width for width in self._nodes if port.size % width == 0]
        return self._of(widths or self._nodes)

    def multiples(self, divisor: int) -> list[Tensor]:
        """Nodes of the activations whose number of channels is a multiple."""
        return self._of(width for width in self._nodes if width % divisor == 0)

    def all(self) -> list[Tensor]:
        """Nodes of all activations."""
        return self._of(self._nodes)

    def _of(self, widths: Iterable[int]) -> list[Tensor]:
        return [nodes for width in widths for nodes in self._nodes[width]]


def _widths(shape: tuple[int, ...]) -> set[int]:
    """Sizes that a layer could read an activation of this shape by: its channels, or all of it."""
    channels = {*shape[1:2], *(shape[-1:] if len(shape) < 4 else ())}
    return channels | {prod(shape[1:])}
