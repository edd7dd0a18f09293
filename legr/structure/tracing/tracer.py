"""Follow channels through forward passes, operation by operation: rules do the work, this decides which and when."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

from legr.structure.macs import counted, mac_counter, macs_of
from legr.structure.operations import Call, base_name, tensors_of
from legr.structure.tracing import rules
from legr.structure.tracing.channels import Channels
from legr.structure.tracing.flow import Flow, ModuleCall, Shape
from legr.structure.tracing.hypotheses import AnyHypothesis, Hypotheses, Hypothesis, Site, VariesAlong, kind_of
from legr.structure.tracing.memory import Lifetime, lifetime_of
from legr.structure.tracing.nodes import varying
from legr.structure.tracing.plain import PlainTensors
from legr.structure.tracing.records import Choice, OperationRecord, Place, Result
from legr.structure.tracing.storages import Storages, TrackedStorage


@dataclass
class _RunningModule:
    path: str
    kind: str
    is_leaf: bool  # what fails in a leaf says nothing about others of its class
    call: ModuleCall | None = None  # where the pass is the one whose cost counts
    calls: Counter[str] = field(default_factory=Counter)  # operations so far, by name


@dataclass(frozen=True, slots=True)
class _Sites:
    """The site of one operation, for both uses of it."""

    to_choose: Site  # a hypothesis holds for all modules of a kind
    to_give_up: Site  # an operation that fails in a leaf is given up in this leaf alone


class Tracer(Channels, TorchDispatchMode):
    """Follows channels through a network; one tracer may see several passes (evaluation, then training mode).

    Attributes:
        passes: records of every operation, a list for each pass.
        lifetimes: of every storage of the counted pass.
        flow: what the operations of the counted pass read and write.
        operation_of_op: for each of `ops`, the number of its operation in `flow`.
        choices: the hypotheses that were taken.
        called: identities of the modules that some pass has called.
        plain: tensors that are plain attributes, and which of them no pass has used.
        rule_error: what a rule raised: a bug of ours, not of the model's.
    """

    def __init__(self, network: nn.Module, hypotheses: Hypotheses) -> None:
        TorchDispatchMode.__init__(self)
        Channels.__init__(self, network)
        self.hypotheses = hypotheses
        self.passes: list[list[OperationRecord]] = []
        self.lifetimes: list[Lifetime] = []
        self.flow = Flow()
        self.operation_of_op: list[int] = []
        self.choices: list[Choice] = []
        self.called: set[int] = set()
        self.plain = PlainTensors(network)
        self.rule_error: Exception | None = None
        self._modules = [_RunningModule("", type(network).__qualname__, False)]
        self._site: Site = Site("", "", 0)  # of the operation whose rule is applied
        self._n_composites = 0  # how many composite operations are running, one inside another

    # -- passes and modules ------------------------------------------------------------------------------------

    @contextmanager
    def one_pass(self, inputs: Sequence[Tensor], *, counting: bool) -> Iterator[None]:
        """Follow the operations of one forward pass and the modules that run them."""
        self.counting = counting
        self.passes.append([])
        self.storages = Storages()
        for tensor in inputs:
            self.storages.follow(tensor, depends_on_input=True, existed_before=True, counted=counting)
        handles = []
        for name, module in self.network.named_modules():
            handles.append(module.register_forward_pre_hook(self._entering(name), with_kwargs=True))
            handles.append(module.register_forward_hook(self._leaving))
        try:
            with self:
                yield
            self.plain.note_replaced()
            self._collect_lifetimes()
            self.lifetimes += [lifetime_of(storage) for storage in self.storages.still_counted()]
        finally:
            for handle in handles:
                handle.remove()

    def _entering(self, name: str) -> Any:
        def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
            running = _RunningModule(name, kind_of(name, module), next(module.children(), None) is None)
            self._modules.append(running)
            self.called.add(id(module))
            self.module = name
            if self.counting:
                first = args[0] if args else None
                source = self._shape_of(first) if isinstance(first, Tensor) else None
                running.call = ModuleCall(len(self.flow.calls), name, len(self.flow.operations), source)
                self.flow.calls.append(running.call)
            if running.kind in self.hypotheses.unprunable_modules:
                with _disable_current_modes():  # the operations of this method are not part of the forward
                    for tensor in tree_leaves((args, kwargs)):
                        if isinstance(tensor, Tensor):
                            reason = "its forward relies on their number"
                            self.mark_unprunable(self.labels(tensor), type(module).__name__, reason)

        return enter

    def _leaving(self, module: nn.Module, args: Any, output: Any) -> None:
        call = self._modules.pop().call
        self.module = self._modules[-1].path
        if call is None:
            return
        call.end = len(self.flow.operations)
        storage = self.storages.find(output) if isinstance(output, Tensor) else None
        if storage is not None:
            call.result, call.made_by = self._shape_of(output), storage.made_by
            storage.returned_by += (call.number,)

    def _shape_of(self, tensor: Tensor) -> Shape:
        with _disable_current_modes():
            labels = self.labels(tensor)
            dim = next(iter(varying(labels)), None)
            return Shape(tuple(tensor.shape), dim, None if dim is None else self.nodes_of(labels, dim))

    def note_returned(self, tensor: Tensor) -> None:
        """Note that the model returns a tensor."""
        storage = self.storages.find(tensor)
        if storage is not None and self.counting:
            self.flow.returned.add(self.flow.value_of(storage))

    # -- operations --------------------------------------------------------------------------------------------

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self._collect_lifetimes()
        if not self._n_composites:
            self.storages.current_op = len(self.passes[-1])
        sites = self._next_sites(func)
        rule = rules.find(func)
        if sites.to_give_up in self.hypotheses.unprunable_operations:
            rule, output = rules.given_up(rule), self._run_counted(rule, func, args, kwargs)
        elif rule is None and (output := self._run_parts(func, args, kwargs)) is not NotImplemented:
            self._record(func, output, sites)
            return output
        else:
            output = func(*args, **kwargs)
        self._site = sites.to_choose
        call = Call(func, args, kwargs, output)
        try:
            self._follow(call, rule or rules.UNKNOWN)
        except Exception as error:
            self.rule_error = error
            raise
        if self.counting:
            self.flow.note(call, self.module, self.storages, [x for t in call.inputs for x in self._names_of(t)])
        self._record(func, output, sites)
        return output

    def _run_counted(self, rule: rules.Rule | None, func: Any, args: Any, kwargs: Any) -> Any:
        """Run an operation and count its MACs, which may be those of operations that it is made of."""
        with mac_counter() as counter:
            output = func(*args, **kwargs)
        self.add_cost(None, counted(counter))
        call = Call(func, args, kwargs, output)
        if rule is None and not rules.decomposes(func) and macs_of(call) is None:
            self.note_uncounted(call.name)
        return output

    def _run_parts(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Run a composite operation as the operations it is made of, each followed; NotImplemented for any other."""
        if not rules.decomposes(func):
            return NotImplemented
        self._n_composites += 1
        try:
            with self:
                return func.decompose(*args, **kwargs)
        finally:
            self._n_composites -= 1

    def _follow(self, call: Call, rule: rules.Rule) -> None:
        """Apply a rule to an operation that has run."""
        self._note_inputs(call)
        self._follow_outputs(call, rule)
        if not rule.reads_axes:
            for tensor in call.inputs:
                self.mark_parameter_unprunable(tensor, call.name)
        if not call.outputs:  # a number, such as the result of a comparison
            rule = rules.UNKNOWN
        elif not any(tensor.numel() for tensor in call.outputs):
            return
        rule.apply(self, call)
        for tensor in call.outputs:
            self._require_one_dim(tensor, call.name)
        if self.hypotheses.everything_unprunable:
            for tensor in call.outputs:
                self.mark_unprunable(self.labels(tensor), call.name, self.hypotheses.everything_unprunable)

    def _note_inputs(self, call: Call) -> None:
        for tensor in call.inputs:
            self.note_read(tensor)
            self.plain.note_read(tensor)
            if not self.is_followed(tensor):
                self.storages.follow(tensor, depends_on_input=False, existed_before=True)

    def _follow_outputs(self, call: Call, rule: rules.Rule) -> None:
        depends = not rule.creates and any(self.depends_on_input(tensor) for tensor in call.inputs)
        for tensor in call.outputs:
            storage = self.storages.find(tensor)
            if storage is not None:
                storage.depends_on_input |= depends
            elif not self.is_followed(tensor):
                self.storages.follow(tensor, depends_on_input=depends)

    def _require_one_dim(self, tensor: Tensor, operation: str) -> None:
        """Let the channels of a result vary along one dim only: what is kept of a tensor must be a tensor."""
        labels = self.labels(tensor)
        dims = sorted(varying(labels), key=lambda d: (-labels.shape[d], d))
        if len(dims) < 2:
            return None
        reason = "its result mixes them over several dimensions"
        site = self._site._replace(operation=f"{self._site.operation}, its result")
        hypothesis = self._choose_at(site, [VariesAlong(d) for d in dims], labels)
        if not isinstance(hypothesis, VariesAlong):
            return self.mark_unprunable(labels, operation, reason)
        self.note_coupling(labels, operation, reason)
        for d in dims:
            if d != hypothesis.dim:
                labels = self.nodes.find(labels)
                self.nodes.unite(labels, labels.narrow(d, 0, 1).expand_as(labels))

    # -- sites and choices -------------------------------------------------------------------------------------

    def _next_sites(self, func: Any) -> _Sites:
        """Where the next operation stands."""
        running, name = self._modules[-1], base_name(func)
        running.calls[name] += 1
        number = running.calls[name]
        kind_or_path = running.path if running.is_leaf else running.kind
        return _Sites(Site(running.kind, name, number), Site(kind_or_path, name, number))

    def choose(self, options: Sequence[AnyHypothesis], nodes: Tensor, *, min_units: int = 0) -> AnyHypothesis:
        """See `Channels.choose`."""
        return self._choose_at(self._site, options, nodes, min_units)

    def _choose_at(
        self, site: Site, options: Sequence[AnyHypothesis], nodes: Tensor, min_units: int = 0
    ) -> AnyHypothesis:
        hypothesis = self.hypotheses.take(site, options)
        if hypothesis is not Hypothesis.UNPRUNABLE:
            place = Place(len(self.passes) - 1, len(self.passes[-1]))
            self.choices.append(Choice(site, place, self.nodes.distinct(nodes), min_units))
        return hypothesis

    def add_cost(self, parameter: str | None, macs: int, out_dim: int = 0, in_dim: int = 1) -> None:
        """See `Channels.add_cost`; it is the cost of the operation that is noted next."""
        super().add_cost(parameter, macs, out_dim, in_dim)
        self.operation_of_op += [len(self.flow.operations)] * (len(self.ops) - len(self.operation_of_op))

    # -- records -----------------------------------------------------------------------------------------------

    def _record(self, func: Any, output: Any, sites: _Sites) -> None:
        """Record what an operation of the forward returned; those inside a composite one are left out."""
        if self._n_composites:
            return
        results = []
        for tensor in tensors_of(output):
            storage = self.storages.find(tensor)
            followed = storage is not None and storage.depends_on_input
            results.append(self._result_of(tensor, storage) if storage is not None and followed else None)
            if storage is not None and not storage.counted and not storage.existed_before and self.counting:
                storage.counted, storage.first_op = True, len(self.passes[-1])
        self.passes[-1].append(OperationRecord(base_name(func), self.module, sites.to_give_up, tuple(results)))

    def _result_of(self, tensor: Tensor, storage: TrackedStorage) -> Result | None:
        labels = self.labels(tensor)
        if storage.created_empty and not labels.any():
            return None  # part of a tensor that the forward has yet to fill
        dims = varying(labels)  # one at most, see `_require_one_dim`
        if not dims:
            return Result(tuple(tensor.shape), None, None)
        return Result(tuple(tensor.shape), dims[0], self.nodes_of(labels, dims[0]))

    def _collect_lifetimes(self) -> None:
        """Move what is worth keeping of the storages that have ended."""
        self.lifetimes += [lifetime_of(storage) for storage in self.storages.ended]
        self.storages.ended.clear()
