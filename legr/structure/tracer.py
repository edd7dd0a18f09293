"""What one or more forward passes tell about channels: `rules` write into a tracer, `assemble` reads it.

It does not know any operation (see `rules`), nor which channels are worth removing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from legr.structure import rules
from legr.structure.memory import Content, content
from legr.structure.nodes import Nodes, repeat_thinly, thin
from legr.structure.policies import HOLD, Policies, Site
from legr.structure.storages import Storages
from legr.structure.types import Op, Remark


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter or buffer as an operation sees it: `dims[i]` is the parameter's dim behind the tensor's dim i."""

    name: str
    dims: tuple[int | None, ...]


#: Shape of a tensor, the dim along which its channels lie, and their nodes (None, None where nothing varies).
Shape = tuple[tuple[int, ...], int | None, Tensor | None]


@dataclass(frozen=True, slots=True)
class Trail:
    """What an operation returned, for a rehearsal to compare; None for a tensor that the input does not reach."""

    name: str
    module: str
    site: Site
    outputs: tuple[Shape | None, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """An option that was taken at a site, and where."""

    site: Site
    in_pass: int
    operation: int  # number in the pass
    nodes: Tensor
    fewest: int


@dataclass
class _Frame:
    """A running module."""

    path: str
    kind: str
    calls: Counter[str] = field(default_factory=Counter)


class Tracer(TorchDispatchMode):
    """Follows channels through a network; one tracer may see several passes (evaluation, then training mode)."""

    def __init__(self, network: nn.Module, policies: Policies) -> None:
        super().__init__()
        self.network = network
        self.policies = policies
        self.nodes = Nodes()
        self.axes: dict[tuple[str, int], Tensor] = {}  # (name, dim) -> nodes
        self.layers: dict[str, tuple[str, int]] = {}  # module path -> (weight, scored dim), in order of execution
        self.ops: list[Op] = []
        self.gathers: dict[str, Tensor] = {}  # index buffer -> nodes of the channels it reads
        self.attributes: dict[tuple[str, str, int | None], tuple[Tensor, int]] = {}  # -> (nodes, divisor)
        self.held: list[Remark] = []
        self.tied: list[Remark] = []
        self.exempt: dict[str, None] = {}  # module paths, in order
        self.touched: set[str] = set()  # parameters and buffers that some pass has read
        self.touched_in_evaluation: set[str] = set()
        self.counting = True  # whether this pass is the one whose cost counts
        self.broken_rule = False
        self.trails: list[list[Trail]] = []  # one list a pass
        self.contents: list[tuple[int, int | None, Content]] = []  # (born, end, what) of the counted pass
        self.choices: list[Choice] = []
        self._storages = Storages()
        self._frozen: set[str] = set()  # parameters that an operation reads as a whole
        self._sources: dict[str, Tensor] = dict((*network.named_parameters(), *network.named_buffers()))
        self._names: dict[int, list[str]] = {}  # storage -> parameters and buffers in it
        for name, tensor in self._sources.items():
            self._names.setdefault(tensor.untyped_storage()._cdata, []).append(name)
        self._frames = [_Frame("", type(network).__name__)]
        self._site: Site = ("", "", 0)
        self._depth = 0

    # -- where we are ------------------------------------------------------------------------------------------

    @property
    def module(self) -> str:
        """Path of the module that runs at this moment; "" at the top."""
        return self._frames[-1].path

    @contextmanager
    def one_pass(self, inputs: Sequence[Tensor], *, counting: bool) -> Iterator[None]:
        """Follow the operations of one forward pass and the modules that run them."""
        self.counting = counting
        self.trails.append([])
        self._storages = Storages()
        for tensor in inputs:
            self._storages.open(tensor, active=True, foreign=True, born=0 if counting else None)
        handles = []
        for name, module in self.network.named_modules():
            handles.append(module.register_forward_pre_hook(self._entering(name), with_kwargs=True))
            handles.append(module.register_forward_hook(self._leaving))
        try:
            with self:
                yield
            self._bury()
            self.contents += [(life.born or 0, None, content(life)) for life in self._storages.alive()]
        finally:
            for handle in handles:
                handle.remove()

    def _entering(self, name: str) -> Any:
        def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
            self._frames.append(_Frame(name, type(module).__name__))
            if type(module).__name__ in self.policies.closed:
                with _disable_current_modes():  # what a rule does here is no part of the forward
                    for tensor in tree_leaves((args, kwargs)):
                        if isinstance(tensor, Tensor):
                            self.hold(self.labels(tensor), type(module).__name__, "its forward relies on their number")

        return enter

    def _leaving(self, module: nn.Module, args: Any, output: Any) -> None:
        self._frames.pop()

    # -- operations --------------------------------------------------------------------------------------------

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._bury()
        if self._depth == 0:
            self._storages.clock = len(self.trails[-1])
        site = self._next_site(func)
        rule, held = rules.find(func), site in self.policies.forced
        if rule is None and not held and rules.decomposes(func):
            self._depth += 1
            try:
                with self:
                    output = func.decompose(*args, **(kwargs or {}))
            finally:
                self._depth -= 1
            if output is not NotImplemented:
                self._leave_trail(func, output, site)
                return output
        if held:  # counted by running it, for it may be made of others
            with FlopCounterMode(display=False) as counter:
                output = func(*args, **(kwargs or {}))
            self.add_cost(None, counter.get_total_flops() // 2)
            rule = rules.held_by_rehearsal
        else:
            output = func(*args, **(kwargs or {}))
        self._site = site
        self.broken_rule = True
        self._follow(rules.Call(func, args, kwargs or {}, output), rule or rules.unknown)
        self.broken_rule = False
        self._leave_trail(func, output, site)
        return output

    def _follow(self, call: "rules.Call", rule: "rules.Rule") -> None:
        """Apply a rule, and keep its results boxes."""
        for tensor in call.inputs:
            if not self._is_known(tensor):
                self._storages.open(tensor, active=False, foreign=True)
        active = any(self.is_active(tensor) for tensor in call.inputs) and not rules.is_factory(call.func)
        for tensor in call.outputs:
            life = self._storages.of(tensor)
            if life is not None:
                life.active |= active
            elif not self._is_known(tensor):
                self._storages.open(tensor, active=active)
        if not rules.reads_axes(rule):
            for tensor in call.inputs:
                self.freeze(tensor, call.name)
        (rule if any(tensor.numel() for tensor in call.outputs) else rules.unknown)(self, call)
        for tensor in call.outputs:
            self._require_box(tensor, call.name)

    def _require_box(self, tensor: Tensor, operation: str) -> None:
        """Channels may vary along one dim of a tensor only: what is kept must stay a box."""
        labels = self.labels(tensor)
        dims = sorted(rules.varying(labels), key=lambda d: (-labels.shape[d], d))
        if len(dims) < 2:
            return None
        options = tuple(f"vary along {d}" for d in dims)
        chosen = self.choose(options, operation, labels, "box")
        if chosen not in options:
            return self.hold(labels, operation, "its result mixes them over several dimensions")
        self.note_tie(labels, operation, "its result mixes them over several dimensions")
        for d in dims:
            if d != dims[options.index(chosen)]:
                labels = self.nodes.find(labels)
                self.nodes.unite(labels, labels.narrow(d, 0, 1).expand_as(labels))

    # -- sites and choices -------------------------------------------------------------------------------------

    def _next_site(self, func: Any) -> Site:
        frame, name = self._frames[-1], rules.base_name(func)
        frame.calls[name] += 1
        return frame.kind, name, frame.calls[name]

    def choose(self, options: tuple[str, ...], operation: str, nodes: Tensor, tag: str = "", fewest: int = 0) -> str:
        """The option to try at the running operation, or "hold".

        Args:
            nodes: the channels it is about.
            fewest: how many units must be left among them for the option to be worth it.
        """
        site = (self._site[0], self._site[1] + tag, self._site[2])
        option = self.policies.option(site, options)
        if option != HOLD:
            place = len(self.trails) - 1, len(self.trails[-1])
            self.choices.append(Choice(site, *place, self.nodes.distinct(nodes), fewest))
        return option

    def _leave_trail(self, func: Any, output: Any, site: Site) -> None:
        """Remember what an operation of the forward returned; what happens inside one is its own affair."""
        if self._depth:
            return
        outputs = []
        for tensor in tree_leaves(output):
            if not isinstance(tensor, Tensor):
                continue
            life = self._storages.of(tensor)
            outputs.append(self._shape_of(tensor) if life is not None and life.active else None)
            if life is not None and life.born is None and not life.foreign and self.counting:
                life.born = len(self.trails[-1])
        self.trails[-1].append(Trail(rules.base_name(func), self.module, site, tuple(outputs)))

    def _shape_of(self, tensor: Tensor) -> Shape:
        labels = self.labels(tensor)
        for d in range(labels.dim()):
            line = labels[tuple(slice(None) if i == d else slice(0, 1) for i in range(labels.dim()))].reshape(-1)
            if len(line) > 1 and bool((line != line[0]).any()):
                return tuple(tensor.shape), d, line.clone()
        return tuple(tensor.shape), None, None

    def _bury(self) -> None:
        """Note what ended storages were, so that nothing of them need be kept."""
        self.contents += [(life.born or 0, life.end, content(life)) for life in self._storages.ended]
        self._storages.ended.clear()

    def is_active(self, tensor: Tensor) -> bool:
        """Whether a tensor's values depend on the model's input."""
        life = self._storages.of(tensor)
        return life is not None and life.active

    def is_stored(self, tensor: Tensor) -> bool:
        """Whether a tensor was there before the pass: a parameter, a buffer, a constant, an input."""
        life = self._storages.of(tensor)
        return tensor.untyped_storage()._cdata in self._names or (life is not None and life.foreign)

    def _is_known(self, tensor: Tensor) -> bool:
        return self._storages.of(tensor) is not None or tensor.untyped_storage()._cdata in self._names

    # -- labels ------------------------------------------------------------------------------------------------

    def labels(self, tensor: Tensor) -> Tensor:
        """Representative node of every element, in the tensor's shape; 0 where nothing was written."""
        labels = self._storages.read(tensor)
        if labels is None:
            return torch.zeros((), dtype=torch.int64).expand(tensor.shape)
        return self.nodes.find(repeat_thinly(labels))

    def write(self, tensor: Tensor, labels: Tensor) -> None:
        """Label a tensor's elements; `labels` is broadcast to its shape."""
        if tensor.untyped_storage()._cdata in self._names:
            self.hold(labels, "write", "they are stored in the model")
        else:
            self._storages.write(tensor, labels)

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
            self._touch([name])
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

    def freeze(self, tensor: Tensor, operation: str) -> None:
        """Hold every axis of a parameter or buffer that an operation reads in a way no rule can follow."""
        names = self._names.get(tensor.untyped_storage()._cdata, [])
        self._touch(names)
        self._frozen.update(names)
        for (name, _), nodes in self.axes.items():
            if name in names:
                self.hold(nodes, operation, f"{name} is used there as a whole")

    def _touch(self, names: list[str]) -> None:
        self.touched.update(names)
        if self.counting:
            self.touched_in_evaluation.update(names)

    # -- decisions ---------------------------------------------------------------------------------------------

    def add_cost(self, parameter: str | None, macs: int, out_dim: int = 0, in_dim: int = 1) -> None:
        """Count MACs of the running pass, for every pair of an output and an input channel of `parameter`."""
        if self.counting and macs:
            self.ops.append(Op(parameter, out_dim, in_dim, macs, self.module))

    def note(self, attribute: str, nodes: Tensor, divisor: int = 1, place: int | None = None) -> None:
        """Note that the running module repeats in an attribute how many channels there are."""
        value = getattr(self.network.get_submodule(self.module), attribute, None)
        if place is not None and isinstance(value, (tuple, list, torch.Size)) and place < len(value):
            value = value[place]
        if isinstance(value, int) and value == len(nodes) // divisor:
            self.attributes[self.module, attribute, place] = nodes, divisor

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
        """Report channels that a constant of the forward forces together."""
        affected = self._count_filters(nodes)
        if affected:
            self.tied.append(Remark(self.module, operation, reason, affected))

    def hold(self, nodes: Tensor, operation: str, reason: str) -> None:
        """Make channels unremovable and report why."""
        affected = self._count_filters(nodes)
        if affected:  # the colours of an image are held as well, and nobody wants to read it
            self.held.append(Remark(self.module, operation, reason, affected))
        free = self.nodes.distinct(nodes)
        self.nodes.unite(free, torch.zeros_like(free))

    def _count_filters(self, nodes: Tensor) -> int:
        """How many filters of the layers seen so far have one of these nodes."""
        free = self.nodes.distinct(nodes)
        filters = [self.nodes.find(self.axes[key]) for key in self.layers.values() if key in self.axes]
        return int(torch.isin(torch.cat(filters), free).sum()) if len(free) and filters else 0
