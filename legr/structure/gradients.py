"""A pruned network that has to learn: it runs with gradients, forward and backward, where the whole one does."""

from collections.abc import Iterable, Mapping
from itertools import starmap

import torch
from torch import Tensor, nn

from legr.errors import LegrError
from legr.structure.copies import zeroed
from legr.structure.differences import relative_error
from legr.structure.examples import Example
from legr.structure.model_io import deep_copy, first_line, output_values, reseed
from legr.structure.precision import OnePrecision
from legr.structure.surgery import prune
from legr.structure.types import Keep, Structure


def problem_with_gradients(
    model: nn.Module,
    structure: Structure,
    keep: Keep,
    calls: Iterable[tuple[Example, Mapping[str, float]]],
    tolerance: float,
) -> str:
    """What goes wrong in a step of training with the pruned network alone; "" if nothing does.

    Values are compared where they depend on no random numbers.

    Args:
        calls: each with the largest value of every output of the whole network.
    """
    for call, scales in calls:
        try:
            with zeroed(model, structure, keep):
                expected, again = (_step(deep_copy(model), call, seed) for seed in (0, 1))
        except Exception:  # a model may be one to evaluate alone
            continue
        try:
            removed = _step(prune(model, structure, keep), call, seed=0)
        except LegrError:
            raise
        except Exception as failure:
            return f"the pruned model does not run with gradients ({first_line(failure)})"
        if expected.keys() != removed.keys():
            return "the pruned model returns other things where gradients are computed"
        if structure.exempt or not all(starmap(torch.equal, zip(expected.values(), again.values(), strict=True))):
            continue
        error = max(relative_error(x, removed[name], scales.get(name, 0.0)) for name, x in expected.items())
        if not error <= tolerance:
            return f"zeroing and removing its channels differ by {error:.1e} where gradients are computed"
    return ""


def _step(network: nn.Module, call: Example, seed: int) -> Mapping[str, Tensor]:
    """What a network returns when gradients are computed, after a backward pass; it is used up by that."""
    private = call.map(torch.clone)
    reseed(seed)
    with torch.enable_grad(), OnePrecision():
        values = output_values(private.run(network.train(call.training)))
        learnt = [value.abs().sum() for value in values.values() if value.requires_grad]
        if learnt:
            torch.stack(learnt).sum().backward()
    return {name: value.detach() for name, value in values.items()}
