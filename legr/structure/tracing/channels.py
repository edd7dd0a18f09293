"""What is known of the channels of a network, and the words in which rules say more.

They do not know operations, nor in which order these run (see `tracer`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from legr.structure.tracing.nodes import Nodes, repeat_thinly, thin, varying
from legr.structure.tracing.storages import Storages
from legr.structure.types import Op, Remark


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter or buffer as an operation sees it: `dims[i]` is the parameter's dim behind the tensor's dim i."""

    name: str
    dims: tuple[int | None, ...]


class Channels:
    """Labels of activations, axes of parameters, and what has been decided about both.

    Attributes:
        module: path of the module that runs at this moment; "" at the top.
        counting: whether the running pass is the one whose cost counts.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.module = ""
        self.counting = True
        self.nodes = Nodes()
        self.axes: dict[tuple[str, int], Tensor] = {}  # (name, dim) -> nodes
        self.layers: dict[str, tuple[str, int]] = {}  # module path -> (weight, scored dim), in order of execution
        self.ops: list[Op] = []
        self.gathers: dict[str, Tensor] = {}  # index buffer -> nodes of the channels it reads
        self.attributes: dict[tuple[str, str, int | None], tuple[Tensor, int]] = {}  # -> (nodes, divisor)
        self.unprunable: list[Remark] = []
        self._ties: list[tuple[str, str, str, Tensor]] = []  # module, operation, reason, nodes
        self.exempt: dict[str, None] = {}  # module paths, in order
        self.touched: set[str] = set()  # parameters and buffers that some pass has read
        self.touched_in_evaluation: set[str] = set()
        self.storages = Storages()
        self._frozen: set[str] = set()  # parameters that an operation reads as a whole
        self._sources: dict[str, Tensor] = dict((*network.named_parameters(), *network.named_buffers()))
        self._names: dict[int, list[str]] = {}  # storage -> parameters and buffers in it
        for name, tensor in self._sources.items():
            self._names.setdefault(tensor.untyped_storage()._cdata, []).append(name)

    # -- tensors -----------------------------------------------------------------------------------------------

    def is_active(self, tensor: Tensor) -> bool:
        """Whether a tensor's values depend on the model's input."""
        life = self.storages.of(tensor)
        return life is not None and life.active

    def is_stored(self, tensor: Tensor) -> bool:
        """Whether a tensor was there before the pass: a parameter, a buffer, a constant, an input."""
        life = self.storages.of(tensor)
        return tensor.untyped_storage()._cdata in self._names or (life is not None and life.foreign)

    def is_known(self, tensor: Tensor) -> bool:
        return self.storages.of(tensor) is not None or tensor.untyped_storage()._cdata in self._names

    # -- labels ------------------------------------------------------------------------------------------------

    def labels(self, tensor: Tensor) -> Tensor:
        """Representative node of every element, in the tensor's shape; 0 where nothing was written."""
        labels = self.storages.read(tensor)
        if labels is None:
            return torch.zeros((), dtype=torch.int64).expand(tensor.shape)
        return self.nodes.find(repeat_thinly(labels))

    def write(self, tensor: Tensor, labels: Tensor) -> None:
        """Label a tensor's elements; `labels` is broadcast to its shape."""
        if tensor.untyped_storage()._cdata in self._names:
            self.hold(labels, "write", "they are stored in the model")
        else:
            self.storages.write(tensor, labels)

    def write_along(self, tensor: Tensor, dim: int, nodes: Tensor) -> None:
        """Label a tensor whose channels lie along `dim` with one node a channel."""
        shape = [1] * tensor.dim()
        shape[dim] = len(nodes)
        self.write(tensor, nodes.view(shape))

    def along(self, tensor: Tensor, dim: int) -> Tensor | None:
        """Nodes of the channels along `dim`, or None where labels vary along another dim too."""
        labels = self.labels(tensor)
        dim %= max(tensor.dim(), 1)
        if set(varying(labels)) - {dim} or tensor.dim() == 0:
            return None
        for other in range(tensor.dim()):
            if other != dim:
                labels = labels.narrow(other, 0, 1)
        return labels.reshape(-1)

    # -- parameters --------------------------------------------------------------------------------------------

    def slot(self, tensor: Tensor | None) -> Slot | None:
        """The parameter or buffer behind a tensor, dims matched by size and stride; None if it is computed."""
        if tensor is None:
            return None
        for name in self._names.get(tensor.untyped_storage()._cdata, ()):
            source = self._sources[name]
            if source.storage_offset() != tensor.storage_offset() or source.numel() != tensor.numel():
                continue
            if source.shape == tensor.shape and source.stride() == tensor.stride():
                return Slot(name, tuple(range(tensor.dim())))
            known = {
                (size, step): dim for dim, (size, step) in enumerate(zip(source.shape, source.stride(), strict=True))
            }
            return Slot(name, tuple(known.get(key) for key in zip(tensor.shape, tensor.stride(), strict=True)))
        return None

    def is_parameter(self, name: str) -> bool:
        """Whether a name is that of a parameter, not of a buffer."""
        return isinstance(self._sources[name], nn.Parameter)

    def axis(self, name: str, dim: int) -> Tensor:
        """Nodes of one dim of a parameter or buffer, made when first asked for."""
        if (name, dim) not in self.axes:
            size = self._sources[name].shape[dim]
            frozen = name in self._frozen
            self.axes[name, dim] = torch.zeros(size, dtype=torch.int64) if frozen else self.nodes.new(size)
        return self.axes[name, dim]

    def freeze(self, tensor: Tensor, operation: str) -> None:
        """Hold every axis of a parameter or buffer that an operation reads in a way no rule can follow."""
        names = self._names.get(tensor.untyped_storage()._cdata, [])
        self._frozen.update(names)
        for (name, _), nodes in self.axes.items():
            if name in names:
                self.hold(nodes, operation, f"{name} is used there as a whole")

    def touch(self, tensor: Tensor) -> None:
        """Note that an operation reads a tensor, if it is a parameter or buffer."""
        names = self._names.get(tensor.untyped_storage()._cdata, [])
        self.touched.update(names)
        if self.counting:
            self.touched_in_evaluation.update(names)

    # -- decisions ---------------------------------------------------------------------------------------------

    def add_cost(self, parameter: str | None, macs: int, out_dim: int = 0, in_dim: int = 1) -> None:
        """Count MACs of the running pass, for every pair of an output and an input channel of `parameter`."""
        if self.counting and macs:
            self.ops.append(Op(parameter, out_dim, in_dim, macs, self.module))

    def note(
        self, attribute: str, nodes: Tensor, divisor: int = 1, place: int | None = None, owner: str | None = None
    ) -> None:
        """Note that a module repeats in an attribute how many channels there are.

        Args:
            owner: name of a weight; its module is meant as well as the running one.
        """
        modules = {self.module} if owner is None else {self.module, owner.rpartition(".")[0]}
        for module in sorted(modules):
            value = getattr(self.network.get_submodule(module), attribute, None)
            if place is not None and isinstance(value, (tuple, list, torch.Size)) and place < len(value):
                value = value[place]
            if not isinstance(value, int) or value != len(nodes) // divisor:
                continue
            known, _ = self.attributes.setdefault((module, attribute, place), (nodes, divisor))
            if known is not nodes and len(known) == len(nodes):  # one number for two layers
                self.unite(known, nodes, attribute)

    def unite(self, left: Tensor, right: Tensor, operation: str) -> None:
        """Make channels leave together; where one side is fixed the other becomes so, and that is reported."""
        left, right = self.nodes.find(left), self.nodes.find(right)
        left, right = thin(left, right)
        stuck = torch.cat((left[right == 0].reshape(-1), right[left == 0].reshape(-1)))
        self.hold(stuck, operation, "they meet channels that are not removable")
        self.nodes.unite(left, right)

    def tie(self, nodes: Tensor, operation: str, reason: str) -> Tensor:
        """Make the rows of `nodes` ([rows, channels]) leave together; return what one row then is."""
        self.note_tie(nodes, operation, reason)
        self.unite(nodes, nodes[:1].expand_as(nodes), operation)
        return self.nodes.find(nodes[0])

    def note_tie(self, nodes: Tensor, operation: str, reason: str) -> None:
        """Report channels that a constant of the forward forces together, if they turn out to be removable."""
        self._ties.append((self.module, operation, reason, self.nodes.distinct(nodes)))

    @property
    def coupled(self) -> list[Remark]:
        """Channels that leave together only, as things stand."""
        return [
            Remark(module, operation, reason, affected)
            for module, operation, reason, nodes in self._ties
            if (affected := self._count_filters(nodes))
        ]

    def hold(self, nodes: Tensor, operation: str, reason: str) -> None:
        """Make channels unremovable and report why."""
        affected = self._count_filters(nodes)
        if affected:  # the colours of an image are held as well, and nobody wants to read it
            self.unprunable.append(Remark(self.module, operation, reason, affected))
        free = self.nodes.distinct(nodes)
        self.nodes.unite(free, torch.zeros_like(free))

    def _count_filters(self, nodes: Tensor) -> int:
        """How many filters of the layers seen so far have one of these nodes."""
        free = self.nodes.distinct(nodes)
        filters = [self.nodes.find(self.axes[key]) for key in self.layers.values() if key in self.axes]
        return int(torch.isin(torch.cat(filters), free).sum()) if len(free) and filters else 0
