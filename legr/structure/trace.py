"""Trace a model: run its forward once and learn which channels of which parameters go together.

It does not know any operation (see `rules`), nor which channels are worth removing.

Beside every activation lies a label for each element: the channel node it came from. Labels live on
storages, so views, in-place operations and memory formats need no rule of their own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from legr.errors import TraceError
from legr.structure import rules
from legr.structure.assemble import assemble
from legr.structure.edges import Inputs, as_inputs, output_tensors, private_copy
from legr.structure.gather import GatherChannels
from legr.structure.nodes import Nodes
from legr.structure.types import Op, Remark, Structure


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter or buffer as an operation sees it: `dims[i]` is the parameter's dim behind the tensor's dim i."""

    name: str
    dims: tuple[int | None, ...]


def trace(model: nn.Module, example_input: Inputs) -> Structure:
    """Find the channel units of a model, and what they cost.

    Args:
        model: any module in float32 or float64; neither it nor its hooks and mode are touched.
        example_input: a tensor, or a tuple of arguments for `model`, such as `torch.zeros(1, 3, 32, 32)`.
            MACs are those of one forward pass with this input.

    Raises:
        TraceError: the model cannot be copied, or its forward fails on this input.
    """
    network, inputs = private_copy(model), as_inputs(example_input)
    tracer = Tracer(network)
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        try:
            with tracer, tracer.following_modules():
                output = network(*inputs)
        except Exception as error:
            if tracer.broken_rule:
                raise  # our own bug: not for the model's author to mend
            sizes = ", ".join(str(tuple(x.shape)) for x in inputs if isinstance(x, Tensor))
            raise TraceError(f"the model's forward fails on an input of shape {sizes}: {error}") from error
        for tensor in output_tensors(output):
            tracer.hold(tracer.labels(tensor), "output", "they are the model's output")
        return assemble(network, tracer, tuple(tuple(x.shape) for x in inputs if isinstance(x, Tensor)))


class Tracer(TorchDispatchMode):
    """What one forward pass tells about channels; `rules` writes into it, `assemble` reads it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.nodes = Nodes()
        self.axes: dict[tuple[str, int], Tensor] = {}  # (name, dim) -> nodes
        self.layers: dict[str, tuple[str, int]] = {}  # module path -> (weight, out dim), in order of execution
        self.ops: list[Op] = []
        self.gathers: dict[str, Tensor] = {}  # index buffer -> nodes of the channels it reads
        self.divisors: dict[str, int] = {}  # depthwise weight -> outputs per input
        self.held: list[Remark] = []
        self.touched: set[str] = set()
        self.broken_rule = False
        self._frozen: set[str] = set()  # parameters that an operation reads as a whole
        self._flat: dict[int, tuple[Any, Tensor]] = {}  # storage -> (the storage, kept alive; label per element)
        self._sources: dict[str, Tensor] = dict((*network.named_parameters(), *network.named_buffers()))
        self._names: dict[int, list[str]] = {}  # storage -> parameters and buffers in it
        for name, tensor in self._sources.items():
            self._names.setdefault(tensor.untyped_storage()._cdata, []).append(name)
        self._modules: list[str] = []
        self._leaf_depth = 0

    # -- where we are ------------------------------------------------------------------------------------------

    @property
    def module(self) -> str:
        """Path of the module that runs at this moment; "" at the top."""
        return self._modules[-1] if self._modules else ""

    @contextmanager
    def following_modules(self) -> Iterator[None]:
        """Keep track of the running module, and treat `GatherChannels` as one operation."""
        handles = []
        for name, module in self.network.named_modules():
            leaf = isinstance(module, GatherChannels)
            handles.append(module.register_forward_pre_hook(self._entering(name, leaf)))
            handles.append(module.register_forward_hook(self._leaving(leaf)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _entering(self, name: str, leaf: bool) -> Any:
        def enter(module: nn.Module, args: Any) -> None:
            self._modules.append(name)
            self._leaf_depth += leaf

        return enter

    def _leaving(self, leaf: bool) -> Any:
        def leave(module: nn.Module, args: Any, output: Any) -> None:
            if isinstance(module, GatherChannels):  # still inside the leaf: our own operations are not traced
                rules.gather_channels(self, module, args[0], output)
            self._leaf_depth -= leaf
            self._modules.pop()

        return leave

    # -- operations --------------------------------------------------------------------------------------------

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._leaf_depth:
            return func(*args, **kwargs)
        rule = rules.find(func)
        if (
            rule is None
            and func._can_decompose()
            and func.has_kernel_for_dispatch_key(torch._C.DispatchKey.CompositeImplicitAutograd)
        ):
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        output = func(*args, **kwargs)
        call = rules.Call(func, args, kwargs, output)
        if rules.base_name(func) not in rules.READS_AXES and not rules.is_view(func):
            for tensor in call.inputs:
                self.freeze(tensor, call)
        self.broken_rule = True
        (rule or rules.unknown)(self, call)
        for tensor in call.outputs:
            self._require_box(tensor, call)
        self.broken_rule = False
        return output

    def _require_box(self, tensor: Tensor, call: "rules.Call") -> None:
        """Channels may vary along one dim of a tensor only: what is kept must stay a box."""
        labels = self.labels(tensor)
        if len(rules.varying(labels)) > 1:
            self.hold(labels, call.name, "its result mixes them over several dimensions")

    # -- labels ------------------------------------------------------------------------------------------------

    def labels(self, tensor: Tensor) -> Tensor:
        """Representative node of every element, in the tensor's shape; 0 where nothing was written."""
        entry = self._flat.get(tensor.untyped_storage()._cdata)
        if entry is None:
            return torch.zeros((), dtype=torch.int64).expand(tensor.shape)
        return self.nodes.find(entry[1].as_strided(tensor.size(), tensor.stride(), tensor.storage_offset()))

    def write(self, tensor: Tensor, labels: Tensor) -> None:
        """Label a tensor's elements; `labels` is broadcast to its shape."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self._flat:
            if not labels.any():
                return
            size = storage.nbytes() // tensor.element_size()
            self._flat[storage._cdata] = (storage, torch.zeros(size, dtype=torch.int64))
        flat = self._flat[storage._cdata][1]
        flat.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset()).copy_(labels)

    def write_along(self, tensor: Tensor, dim: int, nodes: Tensor) -> None:
        """Label a tensor whose channels lie along `dim` with one node a channel."""
        shape = [1] * tensor.dim()
        shape[dim] = len(nodes)
        self.write(tensor, nodes.view(shape))

    def along(self, tensor: Tensor, dim: int) -> Tensor | None:
        """Nodes of the channels along `dim`, or None where labels vary along another dim too."""
        labels = self.labels(tensor)
        dim %= max(tensor.dim(), 1)
        if set(rules.varying(labels)) - {dim} or tensor.dim() == 0:
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
            self.touched.add(name)
            if source.shape == tensor.shape and source.stride() == tensor.stride():
                return Slot(name, tuple(range(tensor.dim())))
            known = {
                (size, step): dim for dim, (size, step) in enumerate(zip(source.shape, source.stride(), strict=True))
            }
            return Slot(name, tuple(known.get(key) for key in zip(tensor.shape, tensor.stride(), strict=True)))
        return None

    def axis(self, name: str, dim: int) -> Tensor:
        """Nodes of one dim of a parameter or buffer, made when first asked for."""
        if (name, dim) not in self.axes:
            size = self._sources[name].shape[dim]
            frozen = name in self._frozen
            self.axes[name, dim] = torch.zeros(size, dtype=torch.int64) if frozen else self.nodes.new(size)
        return self.axes[name, dim]

    def freeze(self, tensor: Tensor, call: "rules.Call") -> None:
        """Hold every axis of a parameter or buffer that an operation reads in a way no rule can follow."""
        names = self._names.get(tensor.untyped_storage()._cdata, [])
        self.touched.update(names)
        self._frozen.update(names)
        for (name, _), nodes in self.axes.items():
            if name in names:
                self.hold(nodes, call.name, f"{name} is used there as a whole")

    # -- decisions ---------------------------------------------------------------------------------------------

    def unite(self, left: Tensor, right: Tensor, operation: str) -> None:
        """Make channels leave together; where one side is fixed the other becomes so, and that is reported."""
        left, right = self.nodes.find(left), self.nodes.find(right)
        stuck = torch.cat((left[right == 0].reshape(-1), right[left == 0].reshape(-1)))
        self.hold(stuck, operation, "they meet channels that are not removable")
        self.nodes.unite(left, right)

    def hold(self, nodes: Tensor, operation: str, reason: str) -> None:
        """Make channels unremovable and report why."""
        free = self.nodes.find(nodes).unique()
        free = free[free != 0]
        if not len(free):
            return
        filters = [self.nodes.find(self.axes[key]) for key in self.layers.values() if key in self.axes]
        affected = int(torch.isin(torch.cat(filters), free).sum()) if filters else 0
        if affected:  # the colours of an image are held as well, and nobody wants to read it
            self.held.append(Remark(self.module, operation, reason, affected))
        self.nodes.unite(free, torch.zeros_like(free))
