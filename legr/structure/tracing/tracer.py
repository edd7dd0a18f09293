"""What one or more forward passes tell about channels: `rules` write into a tracer, `assemble` reads it.

It does not know any operation (see `rules`), nor which channels are worth removing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from legr.structure.tracing import rules
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.hypotheses import HOLD, Policies, Site
from legr.structure.tracing.memory import Stay, stay_of
from legr.structure.tracing.storages import Life, Storages

#: What an operation returned: shape, the dim along which channels lie, their nodes (None, None: nothing varies).
Result = tuple[tuple[int, ...], int | None, Tensor | None]


@dataclass(frozen=True, slots=True)
class Trail:
    """What an operation returned, for a rehearsal to compare; None for a tensor that the input does not reach."""

    name: str
    module: str
    site: Site  # where it is held if a rehearsal fails there
    outputs: tuple[Result | None, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """An option that was taken at a site, and where."""

    site: Site
    in_pass: int
    operation: int  # number in the pass
    nodes: Tensor
    fewest: int


def kind_of(path: str, module: nn.Module) -> str:
    """What modules with the same lines of code have in common; PyTorch's layers and containers stand alone."""
    own = type(module).__module__.startswith("torch.")
    plain = own and (isinstance(module, nn.Sequential) or next(module.children(), None) is None)
    return path if plain else type(module).__qualname__


@dataclass
class _Frame:
    """A running module."""

    path: str
    kind: str
    layer: bool  # it has no modules inside: what fails there says nothing about others of its class
    calls: Counter[str] = field(default_factory=Counter)


class Tracer(Channels, TorchDispatchMode):
    """Follows channels through a network; one tracer may see several passes (evaluation, then training mode)."""

    def __init__(self, network: nn.Module, policies: Policies) -> None:
        TorchDispatchMode.__init__(self)
        Channels.__init__(self, network)
        self.policies = policies
        self.broken_rule = False
        self.trails: list[list[Trail]] = []  # one list a pass
        self.stays: list[Stay] = []  # every storage of the counted pass
        self.choices: list[Choice] = []
        self._frames = [_Frame("", type(network).__qualname__, False)]
        self._site: Site = ("", "", 0)
        self._depth = 0

    # -- where we are ------------------------------------------------------------------------------------------

    @contextmanager
    def one_pass(self, inputs: Sequence[Tensor], *, counting: bool) -> Iterator[None]:
        """Follow the operations of one forward pass and the modules that run them."""
        self.counting = counting
        self.trails.append([])
        self.storages = Storages()
        for tensor in inputs:
            self.storages.open(tensor, active=True, foreign=True, born=0 if counting else None)
        handles = []
        for name, module in self.network.named_modules():
            handles.append(module.register_forward_pre_hook(self._entering(name), with_kwargs=True))
            handles.append(module.register_forward_hook(self._leaving))
        try:
            with self:
                yield
            self._bury()
            self.stays += [stay_of(life) for life in self.storages.alive()]
        finally:
            for handle in handles:
                handle.remove()

    def _entering(self, name: str) -> Any:
        def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
            self._frames.append(_Frame(name, kind_of(name, module), next(module.children(), None) is None))
            self.module = name
            if self._frames[-1].kind in self.policies.closed:
                with _disable_current_modes():  # what a rule does here is no part of the forward
                    for tensor in tree_leaves((args, kwargs)):
                        if isinstance(tensor, Tensor):
                            self.hold(self.labels(tensor), type(module).__name__, "its forward relies on their number")

        return enter

    def _leaving(self, module: nn.Module, args: Any, output: Any) -> None:
        self._frames.pop()
        self.module = self._frames[-1].path

    # -- operations --------------------------------------------------------------------------------------------

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._bury()
        if self._depth == 0:
            self.storages.clock = len(self.trails[-1])
        site, place = self._next_site(func)
        rule, held = rules.find(func), place in self.policies.forced
        if rule is None and not held and rules.decomposes(func):
            self._depth += 1
            try:
                with self:
                    output = func.decompose(*args, **(kwargs or {}))
            finally:
                self._depth -= 1
            if output is not NotImplemented:
                self._leave_trail(func, output, place)
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
        self._leave_trail(func, output, place)
        return output

    def _follow(self, call: "rules.Call", rule: "rules.Rule") -> None:
        """Apply a rule, and keep its results boxes."""
        for tensor in call.inputs:
            self.touch(tensor)
            if not self.is_known(tensor):
                self.storages.open(tensor, active=False, foreign=True)
        active = any(self.is_active(tensor) for tensor in call.inputs) and not rules.is_factory(call.func)
        for tensor in call.outputs:
            life = self.storages.of(tensor)
            if life is not None:
                life.active |= active
            elif not self.is_known(tensor):
                self.storages.open(tensor, active=active)
        if not rules.reads_axes(rule):
            for tensor in call.inputs:
                self.freeze(tensor, call.name)
        if not call.outputs:  # a number, such as the answer to a comparison
            rule = rules.unknown
        elif not any(tensor.numel() for tensor in call.outputs):
            return
        rule(self, call)
        for tensor in call.outputs:
            self._require_box(tensor, call.name)
        if self.policies.everything:
            for tensor in call.outputs:
                self.hold(self.labels(tensor), call.name, "the forward relies on the number of channels somewhere")

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

    def _next_site(self, func: Any) -> tuple[Site, Site]:
        """Where the next operation stands: for its options, and for holding it."""
        frame, name = self._frames[-1], rules.base_name(func)
        frame.calls[name] += 1
        number = frame.calls[name]
        return (frame.kind, name, number), (frame.path if frame.layer else frame.kind, name, number)

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

    def _leave_trail(self, func: Any, output: Any, place: Site) -> None:
        """Remember what an operation of the forward returned; what happens inside one is its own affair."""
        if self._depth:
            return
        outputs = []
        for tensor in tree_leaves(output):
            if not isinstance(tensor, Tensor):
                continue
            life = self.storages.of(tensor)
            outputs.append(self._shape_of(tensor, life) if life is not None and life.active else None)
            if life is not None and life.born is None and not life.foreign and self.counting:
                life.born = len(self.trails[-1])
        self.trails[-1].append(Trail(rules.base_name(func), self.module, place, tuple(outputs)))

    def _shape_of(self, tensor: Tensor, life: Life) -> Result | None:
        labels = self.labels(tensor)
        if life.blank and not labels.any():
            return None  # part of a tensor that the forward has yet to fill
        dims = rules.varying(labels)  # one at most: results are boxes
        return (
            (tuple(tensor.shape), dims[0], self.along(tensor, dims[0])) if dims else (tuple(tensor.shape), None, None)
        )

    def _bury(self) -> None:
        """Note what ended storages were, so that nothing of them need be kept."""
        self.stays += [stay_of(life) for life in self.storages.ended]
        self.storages.ended.clear()
