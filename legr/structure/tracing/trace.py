"""Trace a model: run its forward and learn which channels of which parameters go together.

What the constants of the forward mean for its channels cannot be read from labels: it is tried out. Each attempt
traces the model under some hypotheses and makes a dry run of the pruned model; a hypothesis that fails gives way to
the next.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from legr.errors import TraceError
from legr.structure.copies import stand_in
from legr.structure.examples import Example, Inputs, as_examples, noise_like, twice
from legr.structure.faithful import Examined, examine
from legr.structure.fresh import fresh
from legr.structure.model_io import as_traced, output_values, private_copy, require_followable, reseed
from legr.structure.precision import OnePrecision
from legr.structure.state import State
from legr.structure.tracing.assemble import assemble, number_units
from legr.structure.tracing.dry_run import Expectation, Failure, dry_run
from legr.structure.tracing.hypotheses import Hypotheses, Site, kind_of
from legr.structure.tracing.tracer import Tracer
from legr.structure.tracing.trying import with_proved_branches
from legr.structure.tracing.unreached import hold_for_unreached_layers
from legr.structure.types import Structure

_ATTEMPTS = 100
_PATIENCE = 15  # attempts after which a hypothesis that fails is given up everywhere at once
_SMALL = 30_000_000  # parameters up to which hypotheses are tested in float64
_LARGE = 100_000_000  # parameters above which weights are not copied, and shapes alone tested, where possible
_log = logging.getLogger(__name__)


def trace(
    model: nn.Module,
    example_input: Inputs | None = None,
    *,
    examples: Sequence[Inputs] = (),
    methods: Sequence[str] | Mapping[str, Inputs] = (),
) -> Structure:
    """Find the channel units of a model, and what they cost.

    Args:
        model: any module in float32 or float64; neither it nor its mode is changed. Its forward hooks run, in
            a copy of it, as they may change what it computes.
        example_input: a tensor, a tuple of arguments for `model`, a dict of keyword arguments, or an `Example`, such
            as `torch.zeros(1, 3, 32, 32)`. Costs are those of one forward pass with this input.
        examples: further ones, for layers that the first does not reach, such as a larger image, or
            `Example((image, targets), training=True)`.
        methods: names of further methods that are called, such as "encode". They get the first example's arguments;
            a dict from names to examples gives each its own.

    Raises:
        TraceError: the model cannot be copied, or its forward fails on an example.
    """
    require_followable(model)
    calls = as_examples(model, example_input, examples, methods)
    size = sum(p.numel() for p in model.parameters())
    sharing = size > _LARGE
    examined = examine(model, calls, lambda model: private_copy(model, sharing=sharing))
    if size > _SMALL:
        return _trace(examined, model, calls, torch.float32, sharing=sharing)
    try:
        return _trace(examined, model, calls, torch.float64, sharing=False)
    except TraceError as error:
        _log.debug("not in float64: %s", error)
        again = replace(examined, network=private_copy(model))
        return _trace(again, model, calls, torch.float32, sharing=False)  # a forward may insist on it


def _trace(
    examined: Examined, model: nn.Module, examples: Sequence[Example], dtype: torch.dtype, *, sharing: bool
) -> Structure:
    generator = torch.Generator().manual_seed(0)
    shapes = tuple(tuple(x.shape) for x in examples[0].tensors)
    all_shapes = {tuple(x.shape) for example in examples for x in example.tensors}
    state = State(stand_in(examined.network, dtype, generator))
    hypotheses = Hypotheses()
    with as_traced(model, dtype):
        calls: Sequence[Example] = [_with_values(state, example, dtype, generator) for example in examples]
        tracer, calls = _first_run(state, calls, hypotheses, training_differs=examined.training_differs)
        for attempt in range(_ATTEMPTS):
            if attempt == _ATTEMPTS - 1:
                hypotheses.everything_unprunable = "the forward relies on the number of channels in too many places"
            if attempt:
                tracer = _run(state, calls, hypotheses)
            hold_for_unreached_layers(tracer, all_shapes)
            if _refute_too_few_units(tracer):
                continue
            structure = assemble(state.model, tracer, shapes)
            if tracer.choices and sharing:  # values are tested as well, which needs a network of our own
                state, sharing = State(stand_in(private_copy(model), dtype, generator)), False
            likely = not (attempt and tracer.choices)
            expected = Expectation(tracer.passes, number_units(tracer), calls, likely=likely, shapes_only=sharing)
            failure = dry_run(state, structure, expected)
            if failure is not None and likely and tracer.choices:  # where shapes differ says more
                failure = dry_run(state, structure, replace(expected, likely=False)) or failure
            if failure is None:
                return with_proved_branches(state, structure, calls, shapes_only=sharing)
            _log.debug("%s", failure)
            sites = _suspects(tracer, failure, everywhere=attempt > _PATIENCE)
            if not hypotheses.refute(sites, failure.site, _modules_around(state.model, failure.record.module)):
                hypotheses.everything_unprunable = _why(failure)
                return assemble(state.model, _run(state, calls, hypotheses), shapes)
    raise AssertionError("the last attempt makes everything unprunable")


def _with_values(state: State, example: Example, dtype: torch.dtype, generator: torch.Generator) -> Example:
    @torch.inference_mode()
    def run(call: Example) -> dict[str, Tensor]:
        with state.running() as watch:
            with watch:
                state.model.train(call.training)
            reseed()
            with watch, OnePrecision():
                return output_values(call.run(state.model))

    try:
        return fresh(example, dtype, generator, run)[0]
    except Exception:  # where the model fails at all, the first pass says it
        return noise_like(example, dtype, generator)


def _refute_too_few_units(tracer: Tracer) -> bool:
    """Refute the hypotheses that leave too few units to be worth it; say whether there are any."""
    hypotheses = tracer.hypotheses
    poor = [choice for choice in tracer.choices if len(tracer.nodes.distinct(choice.nodes)) < choice.min_units]
    if not poor or hypotheses.everything_unprunable:
        return False
    hypotheses.refute(sorted({choice.site for choice in poor}), poor[0].site, ())
    return True


def _suspects(tracer: Tracer, failure: Failure, *, everywhere: bool) -> list[Site]:
    """Where a hypothesis was taken at the operation that failed; else, the last one before it in its module.

    Args:
        everywhere: whether the same operation elsewhere in modules of this kind is taken to fail as well.
    """
    here = [choice for choice in tracer.choices if choice.place == failure.place]
    if not here:
        records = tracer.passes[failure.place.in_pass]
        before = [
            choice
            for choice in tracer.choices
            if choice.place.in_pass == failure.place.in_pass
            and choice.place.operation < failure.place.operation
            and records[choice.place.operation].module == failure.record.module
        ]
        here = before[-1:]
    sites = {choice.site for choice in here}
    if everywhere:
        alike = {(site.scope, site.operation) for site in sites}
        sites |= {c.site for c in tracer.choices if (c.site.scope, c.site.operation) in alike}
    return sorted(sites)


def _why(failure: Failure) -> str:
    """Why nothing can be pruned where a dry run fails whatever is held."""
    where = f" of {failure.record.module}" if failure.record.module else ""
    return (
        "the forward relies on the number of channels, or on what it keeps from one run to the next: "
        f"{failure.problem} (at {failure.record.name}{where})"
    )


def _modules_around(network: nn.Module, path: str) -> list[str]:
    """Kinds of the module at a path and of those around it, inner ones first."""
    parts = path.split(".") if path else []
    paths = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return [kind_of(inner, network.get_submodule(inner)) for inner in paths]


def _first_run(
    state: State, calls: Sequence[Example], hypotheses: Hypotheses, *, training_differs: bool
) -> tuple[Tracer, Sequence[Example]]:
    """The first attempt, and the calls of all further ones.

    Where training mode differs, or the calls leave parameters or plain tensors unread, the first one is made in
    training mode as well, if it runs there.
    """
    tracer = _run(state, calls, hypotheses)
    unread = tracer.plain.unused() or any(name not in tracer.read for name, _ in state.model.named_parameters())
    if not unread and (not training_differs or any(call.training for call in calls)):
        return tracer, calls
    for in_training in (twice(calls[0]), replace(calls[0], training=True)):
        try:
            _pass(tracer, state, in_training, counting=False)
            return tracer, [*calls, in_training]
        except TraceError as error:
            _log.debug("no pass in training mode: %s", error)
            tracer = _run(state, calls, hypotheses)  # without what that pass had noted before it failed
    return tracer, calls


def _run(state: State, calls: Sequence[Example], hypotheses: Hypotheses) -> Tracer:
    """One attempt: a pass for each call."""
    tracer = Tracer(state.model, hypotheses)
    for number, call in enumerate(calls):
        _pass(tracer, state, call, counting=number == 0)
    return tracer


@torch.inference_mode()
def _pass(tracer: Tracer, state: State, call: Example, *, counting: bool) -> None:
    try:
        with state.running() as watch:
            with watch:
                state.model.train(call.training)
            reseed()
            with tracer.one_pass(call.tensors, counting=counting), watch, OnePrecision():
                output = call.run(state.model)
    except Exception as error:
        if tracer.rule_error is not None:
            raise  # our own bug: not for the model's author to mend
        sizes = ", ".join(str(tuple(x.shape)) for x in call.tensors)
        raise TraceError(f"the model's {call.method} fails on an input of shape {sizes}: {error}") from error
    for tensor in output_values(output).values():
        tracer.note_returned(tensor)
        tracer.mark_unprunable(tracer.labels(tensor), "output", "they are the model's output")
