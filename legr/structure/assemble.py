"""Turn what a trace has noted into a `Structure`: number the units, form the groups.

It does not know operations; by now every channel is a node with a representative.
"""

from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from legr.structure.types import (
    Attribute,
    Axis,
    Gather,
    Group,
    IntArray,
    Layer,
    Remark,
    Structure,
    readonly,
)

if TYPE_CHECKING:
    from legr.structure.trace import Tracer

#: Module class -> (attribute, the weight's dim it repeats); `groups` and `in_channels` of depthwise: see below.
_SIZES: tuple[tuple[type[nn.Module], tuple[tuple[str, int], ...]], ...] = (
    (nn.modules.conv._ConvNd, (("out_channels", 0), ("in_channels", 1))),
    (nn.Linear, (("out_features", 0), ("in_features", 1))),
    (nn.modules.batchnorm._NormBase, (("num_features", 0),)),
)


def assemble(network: nn.Module, tracer: "Tracer", input_shapes: tuple[tuple[int, ...], ...]) -> Structure:
    """Number units by layer order, then channel, and write every axis in those numbers."""
    roots = {key: tracer.nodes.find(nodes).numpy() for key, nodes in tracer.axes.items()}
    scored = {name: roots[key] for name, key in tracer.layers.items() if key in roots}
    numbers = _number(list(scored.values()), max((int(r.max(initial=0)) for r in roots.values()), default=0))
    shared: dict[bytes, IntArray] = {}

    def labels_of(nodes: np.ndarray) -> IntArray:
        labels = readonly(numbers[nodes])
        return shared.setdefault(labels.tobytes(), labels)

    axes = tuple(Axis(name, dim, labels) for (name, dim), nodes in roots.items() if (labels := labels_of(nodes)).any())
    layers = tuple(
        Layer(name, *tracer.layers[name], labels)
        for name, nodes in scored.items()
        if (labels := labels_of(nodes)).any()
    )
    gathers = tuple(Gather(name, labels_of(tracer.nodes.find(nodes).numpy())) for name, nodes in tracer.gathers.items())
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    n_units = int(numbers.max())
    return Structure(
        input_shapes=input_shapes,
        n_units=n_units,
        axes=axes,
        layers=layers,
        ops=tuple(tracer.ops),
        gathers=gathers,
        attributes=_attributes(network, axes, tracer.divisors),
        groups=_groups(axes, layers, n_units),
        shapes=shapes,
        held=_merge(tracer.held),
        tied=(),
        exempt=(),
        moments=(),
        untouched=tuple(name for name in shapes if name not in tracer.touched),
    )


def _number(layers: list[np.ndarray], largest: int) -> IntArray:
    """Map representatives to labels: 0 for what is fixed or has no filter to score, else unit + 1."""
    numbers = np.zeros(largest + 1, dtype=np.int32)
    nodes = np.concatenate(layers) if layers else np.zeros(0, dtype=np.int64)
    found, first = np.unique(nodes[nodes != 0], return_index=True)
    numbers[found[np.argsort(first)]] = np.arange(1, len(found) + 1)
    return numbers


def _attributes(network: nn.Module, axes: tuple[Axis, ...], divisors: dict[str, int]) -> tuple[Attribute, ...]:
    """The sizes that PyTorch's own modules keep beside their weights."""
    cut = {(axis.parameter, axis.dim): axis.labels for axis in axes}
    names = {id(tensor): name for name, tensor in (*network.named_parameters(), *network.named_buffers())}
    found = []
    for name, module in network.named_modules():
        own = module._parameters.get("weight")
        weight = names.get(id(own if own is not None else module._buffers.get("running_mean")), "")
        for kind, sizes in _SIZES:
            if not isinstance(module, kind):
                continue
            for attribute, dim in sizes:
                if weight in divisors and attribute == "in_channels":
                    continue
                if (weight, dim) in cut:
                    found.append(Attribute(name, attribute, cut[weight, dim]))
        if weight in divisors and (weight, 0) in cut:
            found += [Attribute(name, a, cut[weight, 0], divisors[weight]) for a in ("in_channels", "groups")]
    return tuple(found)


def _groups(axes: tuple[Axis, ...], layers: tuple[Layer, ...], n_units: int) -> tuple[Group, ...]:
    """Units with the same footprint: as many positions in each distinct label vector."""
    if n_units == 0:
        return ()
    vectors = {axis.labels.tobytes(): axis.labels for axis in axes}
    footprint = np.stack([np.bincount(v, minlength=n_units + 1)[1:] for v in vectors.values()])  # [V, U]
    _, group_of = np.unique(footprint, axis=1, return_inverse=True)
    order = list(dict.fromkeys(group_of.reshape(-1).tolist()))  # by first unit
    groups = []
    for number in order:
        units = readonly(np.flatnonzero(group_of.reshape(-1) == number))
        names = tuple(layer.name for layer in layers if np.isin(units[0] + 1, layer.labels))
        groups.append(Group(names[0], units, names))
    return tuple(groups)


def _merge(held: list[Remark]) -> tuple[Remark, ...]:
    """Add up what the same operation of the same module holds for the same reason."""
    total: dict[tuple[str, str, str], int] = {}
    for item in held:
        key = (item.module, item.operation, item.reason)
        total[key] = total.get(key, 0) + item.channels
    return tuple(Remark(*key, channels) for key, channels in total.items())
