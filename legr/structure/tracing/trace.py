"""Trace a model: run its forward and learn which channels of which parameters go together.

It does not know any operation (see `rules`), nor which channels are worth removing.

What the constants of the forward assume cannot be read from labels: it is tried out. Each attempt traces
the model under some hypotheses and rehearses the pruned model; a hypothesis that fails gives way to the next.
"""

import logging
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from legr.errors import TraceError
from legr.structure.copies import stand_in
from legr.structure.model_io import (
    Inputs,
    as_inputs,
    as_traced,
    noise_like,
    output_tensors,
    require_followable,
    twice,
)
from legr.structure.tracing.assemble import assemble, numbering
from legr.structure.tracing.dry_run import Failure, Rehearsal, rehearse
from legr.structure.tracing.hypotheses import Policies, Site
from legr.structure.tracing.tracer import Tracer, kind_of
from legr.structure.types import Structure

_ATTEMPTS = 100
_PATIENCE = 15  # attempts after which a hypothesis that fails is given up everywhere at once
_SMALL = 30_000_000  # parameters up to which hypotheses are tested in float64
_LARGE = 100_000_000  # parameters above which weights are not copied, and shapes alone tested, without need
_log = logging.getLogger(__name__)


def trace(model: nn.Module, example_input: Inputs) -> Structure:
    """Find the channel units of a model, and what they cost.

    Args:
        model: any module in float32 or float64; neither it nor its mode is touched; its forward hooks
            run in a copy, for they may change what it computes.
        example_input: a tensor, or a tuple of arguments for `model`, such as `torch.zeros(1, 3, 32, 32)`.
            Costs are those of one forward pass with this input.

    Raises:
        TraceError: the model cannot be copied, or its forward fails on this input.
    """
    require_followable(model)
    size = sum(p.numel() for p in model.parameters())
    if size > _SMALL:
        return _trace(model, example_input, torch.float32, sharing=size > _LARGE)
    try:
        return _trace(model, example_input, torch.float64, sharing=False)
    except TraceError as error:
        _log.debug("not in float64: %s", error)
        return _trace(model, example_input, torch.float32, sharing=False)  # a forward may insist on it


def _trace(model: nn.Module, example_input: Inputs, dtype: torch.dtype, *, sharing: bool) -> Structure:
    generator = torch.Generator().manual_seed(0)
    inputs = noise_like(as_inputs(example_input), dtype, generator)
    shapes = tuple(tuple(x.shape) for x in tree_leaves(inputs) if isinstance(x, Tensor))
    network = stand_in(model, dtype, generator, sharing=sharing)
    policies = Policies()
    with as_traced(dtype):
        for attempt in range(_ATTEMPTS):
            policies.everything = attempt == _ATTEMPTS - 1
            tracer = _run(network, inputs, policies)
            crowded = [c for c in tracer.choices if len(tracer.nodes.distinct(c.nodes)) < c.fewest]
            if crowded and not policies.everything:
                policies.refute(sorted({choice.site for choice in crowded}), crowded[0].site, ())
                continue
            structure = assemble(network, tracer, shapes)
            if tracer.choices and sharing:  # values are tested as well, in a network of our own
                network, sharing = stand_in(model, dtype, generator, sharing=False), False
            rehearsal = Rehearsal(tracer.trails, numbering(tracer), (inputs, twice(inputs)), shapes_only=sharing)
            failure = rehearse(network, structure, rehearsal)
            if failure is None:
                return structure
            _log.debug("%s", failure)
            sites = _suspects(tracer, failure, every=attempt > _PATIENCE)
            if not policies.refute(sites, failure.site, _modules_around(network, failure.trail.module)):
                policies.everything = True
                return assemble(network, _run(network, inputs, policies), shapes)
    raise AssertionError("the last attempt holds everything")


def _suspects(tracer: Tracer, failure: Failure, *, every: bool) -> list[Site]:
    """Where an option was chosen at the operation that failed; where none was, just before it in its module.

    Args:
        every: whether the same operation elsewhere in modules of this kind is taken to fail as well.
    """
    here = [c for c in tracer.choices if (c.in_pass, c.operation) == failure.place]
    if not here:
        trail = tracer.trails[failure.place[0]]
        before = [
            c
            for c in tracer.choices
            if c.in_pass == failure.place[0]
            and c.operation < failure.place[1]
            and trail[c.operation].module == failure.trail.module
        ]
        here = before[-1:]
    sites = {c.site for c in here}
    if every:
        sites |= {c.site for c in tracer.choices if c.site[:2] in {site[:2] for site in sites}}
    return sorted(sites)


def _modules_around(network: nn.Module, path: str) -> list[str]:
    """Kinds of the modules around a place, inner ones first."""
    parts = path.split(".") if path else []
    paths = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return [kind_of(inner, network.get_submodule(inner)) for inner in paths]


def _run(network: nn.Module, inputs: tuple[Any, ...], policies: Policies) -> Tracer:
    """One attempt: a pass in evaluation mode; where that leaves parameters unread, one in training mode."""
    tracer = Tracer(network, policies)
    with torch.inference_mode():
        _pass(tracer, inputs, counting=True)
        if any(name not in tracer.touched for name, _ in network.named_parameters()):
            network.train()
            try:
                _pass(tracer, twice(inputs), counting=False)
            except TraceError as error:
                _log.debug("no pass in training mode: %s", error)
                tracer.trails.pop()
            finally:
                network.eval()
    return tracer


def _pass(tracer: Tracer, inputs: tuple[Any, ...], *, counting: bool) -> None:
    tensors = [x for x in tree_leaves(inputs) if isinstance(x, Tensor)]
    try:
        with tracer.one_pass(tensors, counting=counting):
            output = tracer.network(*inputs)
    except Exception as error:
        if tracer.broken_rule:
            raise  # our own bug: not for the model's author to mend
        sizes = ", ".join(str(tuple(x.shape)) for x in tensors)
        raise TraceError(f"the model's forward fails on an input of shape {sizes}: {error}") from error
    for tensor in output_tensors(output):
        tracer.hold(tracer.labels(tensor), "output", "they are the model's output")
