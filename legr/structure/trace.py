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
from legr.structure.assemble import assemble, numbering
from legr.structure.copies import randomise
from legr.structure.edges import Inputs, as_inputs, as_traced, noise_like, output_tensors, private_copy, twice
from legr.structure.policies import Policies
from legr.structure.rehearse import Rehearsal, rehearse
from legr.structure.tracer import Tracer, kind_of
from legr.structure.types import Structure

_ATTEMPTS = 100
_SMALL = 30_000_000  # parameters up to which hypotheses are tested in float64
_log = logging.getLogger(__name__)


def trace(model: nn.Module, example_input: Inputs) -> Structure:
    """Find the channel units of a model, and what they cost.

    Args:
        model: any module in float32 or float64; neither it nor its hooks and mode are touched.
        example_input: a tensor, or a tuple of arguments for `model`, such as `torch.zeros(1, 3, 32, 32)`.
            Costs are those of one forward pass with this input.

    Raises:
        TraceError: the model cannot be copied, its forward fails on this input, or it takes another way
            through its code when channels are missing.
    """
    inputs = as_inputs(example_input)
    shapes = tuple(tuple(x.shape) for x in tree_leaves(inputs) if isinstance(x, Tensor))
    large = sum(p.numel() for p in model.parameters()) > _SMALL
    dtype = torch.float32 if large else torch.float64
    generator = torch.Generator().manual_seed(0)
    inputs = noise_like(inputs, dtype, generator)
    network = _stand_in(model, dtype, generator, sharing=large)
    policies = Policies()
    with as_traced(dtype):
        for _ in range(_ATTEMPTS):
            tracer = _run(network, inputs, policies)
            crowded = [c for c in tracer.choices if len(tracer.nodes.distinct(c.nodes)) < c.fewest]
            if crowded:
                policies.refute(sorted({choice.site for choice in crowded}), crowded[0].site, ())
                continue
            structure = assemble(network, tracer, shapes)
            if tracer.choices and large:  # values are tested as well, in a network of our own
                network, large = _stand_in(model, dtype, generator, sharing=False), False
            rehearsal = Rehearsal(tracer.trails, numbering(tracer), (inputs, twice(inputs)), shapes_only=large)
            failure = rehearse(network, structure, rehearsal)
            if failure is None:
                return structure
            _log.debug("%s", failure)
            sites = sorted({c.site for c in tracer.choices if (c.in_pass, c.operation) == failure.place})
            if not policies.refute(sites, failure.site, _modules_around(network, failure.trail.module)):
                raise TraceError(failure.sentence)
    raise TraceError(f"the forward of {type(model).__name__} cannot be followed when channels are missing; refused")


def _stand_in(model: nn.Module, dtype: torch.dtype, generator: torch.Generator, *, sharing: bool) -> nn.Module:
    """A copy to run and cut in place of the model, with random values where the model's would hide something."""
    network = private_copy(model, sharing=sharing).to(dtype)
    randomise(network, generator)
    return network


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
