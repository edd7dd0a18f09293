"""What a trace knows of the channels of a network; rules read it and add to it."""

import weakref
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from legr.structure.tracing.hypotheses import AnyHypothesis
from legr.structure.tracing.nodes import Nodes, thin, varying
from legr.structure.tracing.storages import Storages
from legr.structure.tracing.views import ParameterView, view_of
from legr.structure.types import Op, Remark, Uncounted


class Channels(ABC):
    """Labels of activations, axes of parameters, and what has been decided about both.

    Attributes:
        module: path of the module that runs now; "" at the top.
        counting: whether the running pass is the one whose cost counts.
        axes: nodes of each (parameter or buffer, dim), int64[size].
        layers: (weight, scored dim) of each layer by module path, in order of execution.
        gathers: nodes of the channels that an index buffer reads.
        attributes: (nodes, divisor) by (module, attribute, place in a tuple): a module keeps len(nodes) // divisor.
        exempt: paths of the modules with norms over channels, in order of execution.
        uncounted: operations whose MACs are not known, in order of execution.
        read: parameters and buffers that some pass has read.
        read_in_evaluation: those that a pass in evaluation mode has read.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.module = ""
        self.counting = True
        self.nodes = Nodes()
        self.axes: dict[tuple[str, int], Tensor] = {}
        self.layers: dict[str, tuple[str, int]] = {}
        self.ops: list[Op] = []
        self.uncounted: dict[Uncounted, None] = {}
        self.gathers: dict[str, Tensor] = {}
        self.attributes: dict[tuple[str, str, int | None], tuple[Tensor, int]] = {}
        self.unprunable: list[Remark] = []
        self.uncut: list[Remark] = []  # those of `unprunable` on the filters of a layer that cannot be cut
        self._couplings: list[tuple[str, str, str, Tensor]] = []  # module, operation, reason, nodes
        self.exempt: dict[str, None] = {}
        self.read: set[str] = set()
        self.read_in_evaluation: set[str] = set()
        self.storages = Storages()
        self._read_whole: set[str] = set()  # parameters and buffers whose axes are all unprunable
        self._sources: dict[str, Tensor] = dict((*network.named_parameters(), *network.named_buffers()))
        self._masks: dict[str, list[str]] = {}  # parameter -> buffers that it is multiplied by wherever it is used
        self._names: dict[int, list[str]] = {}  # storage -> parameters and buffers in it
        for name, tensor in self._sources.items():
            self._names.setdefault(tensor.untyped_storage()._cdata, []).append(name)

    @abstractmethod
    def choose(self, options: Sequence[AnyHypothesis], nodes: Tensor, *, min_units: int = 0) -> AnyHypothesis:
        """The hypothesis to try at the running operation; UNPRUNABLE where all of `options` were refuted.

        Args:
            options: the hypotheses that make sense there, the likeliest first.
            nodes: the channels it is about.
            min_units: how many units must be left among them for the hypothesis to be worth it.
        """

    # -- tensors -----------------------------------------------------------------------------------------------

    def depends_on_input(self, tensor: Tensor) -> bool:
        """Whether a tensor's values depend on the model's input."""
        storage = self.storages.find(tensor)
        return storage is not None and storage.depends_on_input

    def existed_before(self, tensor: Tensor) -> bool:
        """Whether a tensor was there before the pass: a parameter, a buffer, a constant, an input."""
        storage = self.storages.find(tensor)
        return bool(self._names_of(tensor)) or (storage is not None and storage.existed_before)

    def is_followed(self, tensor: Tensor) -> bool:
        """Whether anything is known of a tensor's storage."""
        return self.storages.find(tensor) is not None or bool(self._names_of(tensor))

    def _names_of(self, tensor: Tensor) -> Sequence[str]:
        """Parameters and buffers in a tensor's storage."""
        return self._names.get(tensor.untyped_storage()._cdata, ())

    # -- labels ------------------------------------------------------------------------------------------------

    def find(self, nodes: Tensor) -> Tensor:
        """The representative of every node, in the same shape."""
        return self.nodes.find(nodes)

    def labels(self, tensor: Tensor) -> Tensor:
        """Label of every element, by its representative: int64 in the tensor's shape; 0 where nothing was written."""
        labels = self.storages.read(tensor)
        if labels is None:
            return torch.zeros((), dtype=torch.int64).expand(tensor.shape)
        return self.nodes.find(labels)

    def write(self, tensor: Tensor, labels: Tensor) -> None:
        """Label a tensor's elements; `labels` is broadcast to its shape."""
        if not self._names_of(tensor):
            self.storages.write(tensor, labels)
        elif not self._are_of_its_axis(tensor, labels):
            self.mark_unprunable(labels, "write", "they are stored in the model")

    def _are_of_its_axis(self, tensor: Tensor, labels: Tensor) -> bool:
        """Whether a parameter or buffer has these channels already: statistics that training updates, for one."""
        labels, view = self.nodes.find(labels.expand(tensor.shape)), self.parameter_behind(tensor)
        dims = varying(labels)
        if view is None or len(dims) != 1:
            return False
        dim, nodes = view.dims[dims[0]], self.nodes_of(labels, dims[0])
        own = None if dim is None else self.axes.get((view.name, dim))
        return own is not None and torch.equal(self.nodes.find(own), nodes)

    def nodes_of(self, labels: Tensor, dim: int) -> Tensor:
        """Nodes of channels along `dim`, int64[C], where labels vary along no other dim."""
        return labels[tuple(slice(None) if d == dim else slice(1) for d in range(labels.dim()))].reshape(-1)

    def write_along(self, tensor: Tensor, dim: int, nodes: Tensor) -> None:
        """Label a tensor whose channels lie along `dim` with one node a channel."""
        shape = [1] * tensor.dim()
        shape[dim] = len(nodes)
        self.write(tensor, nodes.view(shape))

    def nodes_along(self, tensor: Tensor, dim: int) -> Tensor | None:
        """Nodes of the channels along `dim`, int64[C]; None where labels vary along another dim too."""
        labels = self.labels(tensor)
        dim %= max(tensor.dim(), 1)
        if set(varying(labels)) - {dim} or tensor.dim() == 0:
            return None
        return self.nodes_of(labels, dim)

    # -- parameters --------------------------------------------------------------------------------------------

    def parameter_behind(self, tensor: Tensor | None) -> ParameterView | None:
        """The parameter or buffer that a tensor is or views; None otherwise."""
        if tensor is None:
            return None
        views = (view_of(name, self._sources[name], tensor) for name in self._names_of(tensor))
        return next((view for view in views if view is not None), None)

    def is_parameter(self, name: str) -> bool:
        """Whether a name is that of a parameter, not of a buffer."""
        return isinstance(self._sources[name], nn.Parameter)

    def axis(self, name: str, dim: int) -> Tensor:
        """Nodes of one dim of a parameter or buffer, int64[size], made at the first call."""
        if (name, dim) not in self.axes:
            size = self._sources[name].shape[dim]
            whole = name in self._read_whole
            self._set_axis(name, dim, torch.zeros(size, dtype=torch.int64) if whole else self.nodes.new(size))
        return self.axes[name, dim]

    def unite_axis(self, name: str, dim: int, nodes: Tensor, operation: str) -> None:
        """Make one dim of a parameter or buffer lose what other channels lose, int64[size]."""
        if (name, dim) in self.axes or name in self._read_whole:
            self.unite(self.axis(name, dim), nodes, operation)
        else:
            self._set_axis(name, dim, nodes)  # no nodes of its own: the fewer there are, the faster is every union

    def _set_axis(self, name: str, dim: int, nodes: Tensor) -> None:
        self.axes.update({(either, dim): nodes for either in (name, *self._masks.get(name, ()))})

    def note_masked(self, product: Tensor, parameter: Tensor, mask: Tensor) -> bool:
        """Take the product of a parameter and a buffer of its shape for the parameter; False where it is none.

        This is how `torch.nn.utils.prune` computes a weight. The mask loses what the parameter loses.
        """
        weight, factor = self.parameter_behind(parameter), self.parameter_behind(mask)
        laid_out = {(x.shape, x.stride()) for x in (parameter, mask, product)}
        if not (weight and factor) or weight.dims != tuple(range(product.dim())) or len(laid_out) > 1:
            return False
        known = factor.name in self._masks.get(weight.name, ())
        used_otherwise = not known and any(name == factor.name for name, _ in self.axes)
        if not self.is_parameter(weight.name) or self.is_parameter(factor.name) or used_otherwise:
            return False
        if not known:
            self._masks.setdefault(weight.name, []).append(factor.name)
            self.axes |= {(factor.name, d): nodes for (name, d), nodes in self.axes.items() if name == weight.name}
        storage = product.untyped_storage()
        self._names[storage._cdata] = [weight.name]
        weakref.finalize(storage, self._names.pop, storage._cdata, None)  # another storage may get its number
        return True

    def mark_parameter_unprunable(self, tensor: Tensor, operation: str) -> None:
        """Make every axis of a parameter or buffer unprunable: an operation reads it in a way no rule can follow."""
        names = self._names_of(tensor)
        self._read_whole.update(names)
        for (name, _), nodes in self.axes.items():
            if name in names:
                self.mark_unprunable(nodes, operation, f"{name} is used there as a whole")

    def note_read(self, tensor: Tensor) -> None:
        """Note that an operation reads a tensor, if it is a parameter or buffer."""
        names = self._names_of(tensor)
        self.read.update(names)
        if not self.network.training:
            self.read_in_evaluation.update(names)

    def is_read(self, tensor: Tensor) -> bool:
        """Whether some pass has read a parameter or buffer, under this name or another."""
        return any(name in self.read for name in self._names_of(tensor))

    def axes_of(self, tensor: Tensor) -> list[Tensor]:
        """Nodes of every axis of a parameter or buffer that a pass has labelled."""
        names = self._names_of(tensor)
        return [nodes for (name, _), nodes in self.axes.items() if name in names]

    # -- decisions ---------------------------------------------------------------------------------------------

    def add_cost(self, parameter: str | None, macs: int, out_dim: int = 0, in_dim: int = 1) -> None:
        """Count MACs of the running pass, for every pair of an output and an input channel of `parameter`."""
        if self.counting and macs:
            self.ops.append(Op(parameter, out_dim, in_dim, macs, self.module))

    def note_uncounted(self, operation: str) -> None:
        """Note that the running pass has an operation whose MACs are not known."""
        if self.counting:
            self.uncounted[Uncounted(self.module, operation)] = None

    def note_attribute(
        self, attribute: str, nodes: Tensor, divisor: int = 1, place: int | None = None, owner: str | None = None
    ) -> None:
        """Note that a module keeps the number of some channels in an attribute, which surgery has to update.

        Args:
            divisor: the attribute is the number of channels divided by this.
            place: where the number stands, if the attribute is a tuple.
            owner: name of a weight; its module may have the attribute as well as the running one.
        """
        modules = {self.module} if owner is None else {self.module, owner.rpartition(".")[0]}
        for module in sorted(modules):
            value = getattr(self.network.get_submodule(module), attribute, None)
            if place is not None and isinstance(value, (tuple, list, torch.Size)) and place < len(value):
                value = value[place]
            if not isinstance(value, int) or value != len(nodes) // divisor:
                continue
            noted, _ = self.attributes.setdefault((module, attribute, place), (nodes, divisor))
            if noted is not nodes and len(noted) == len(nodes):  # one number for two layers
                self.unite(noted, nodes, attribute)

    def unite(self, left: Tensor, right: Tensor, operation: str) -> None:
        """Make channels leave together; where one of a pair is unprunable so is the other, and that is reported."""
        left, right = thin(self.nodes.find(left), self.nodes.find(right))
        blocked = torch.cat((left[right == 0].reshape(-1), right[left == 0].reshape(-1)))
        if len(blocked):
            self.mark_unprunable(blocked, operation, "they meet channels that are not removable")
        self.nodes.unite(left, right)

    def couple(self, rows: Tensor, operation: str, reason: str) -> Tensor:
        """Make channel j of every row leave together, and report it.

        Args:
            rows: nodes, int64[rows, C].

        Returns:
            The representatives of one row, int64[C].
        """
        self.note_coupling(rows, operation, reason)
        self.unite(rows, rows[:1].expand_as(rows), operation)
        return self.nodes.find(rows[0])

    def note_coupling(self, nodes: Tensor, operation: str, reason: str) -> None:
        """Report channels that a constant of the forward couples, if they turn out to be removable."""
        self._couplings.append((self.module, operation, reason, self.nodes.distinct(nodes)))

    @property
    def coupled(self) -> list[Remark]:
        """Channels that can only leave together, as things stand."""
        return [
            Remark(module, operation, reason, n_filters)
            for module, operation, reason, nodes in self._couplings
            if (n_filters := self.count_filters(nodes))
        ]

    def mark_unprunable(self, nodes: Tensor, operation: str, reason: str) -> None:
        """Make channels unprunable and report why."""
        if n_filters := self.count_filters(nodes):  # an image's colours have no filters: not worth a report
            self.unprunable.append(Remark(self.module, operation, reason, n_filters))
        free = self.nodes.distinct(nodes)
        self.nodes.unite(free, torch.zeros_like(free))

    def count_filters(self, nodes: Tensor) -> int:
        """How many filters of the layers seen so far have one of these nodes."""
        free = self.nodes.distinct(nodes)
        if not len(free):
            return 0
        filters = [self.nodes.find(self.axes[key]) for key in self.layers.values() if key in self.axes]
        return int(torch.isin(torch.cat(filters), free).sum()) if filters else 0
