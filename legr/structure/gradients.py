"""A pruned network that has to learn: a step of training, forward and backward, beside the one of the zeroed network.

Zeroed = removed says that both are one function of the parameters that stay, so its gradients are one as well. They are
not where a backward pass is no derivative: a function or hook of the model's own, made for one number of channels.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from legr.errors import LegrError
from legr.structure.branches import emptied_branches
from legr.structure.copies import LearningWithoutStatistics, zeroed
from legr.structure.differences import largest, relative_error
from legr.structure.draws import draw_alike
from legr.structure.examples import Example
from legr.structure.model_io import deep_copy, first_line, output_values, reseed
from legr.structure.operations import Call, base_name
from legr.structure.precision import OnePrecision
from legr.structure.surgery import prune
from legr.structure.types import Keep, Structure

#: How much gradients may differ, relative to the largest of their parameter, and below which share of the largest of
#: all they count as this large: those of a bias before a batch norm are rounding alone, which in float32 also decides
#: on which side of 0 a ReLU is.
_TOLERANCE = {torch.float64: (1e-6, 1e-3), torch.float32: (1e-2, 1e-1)}


@dataclass(frozen=True, slots=True)
class Step:
    """What a network returns when gradients are computed, and the gradients of its parameters by name."""

    values: Mapping[str, Tensor]
    gradients: Mapping[str, Tensor]


def problem_with_gradients(
    model: nn.Module,
    structure: Structure,
    keep: Keep,
    calls: Iterable[tuple[Example, Mapping[str, float]]],
    tolerance: float,
) -> str:
    """What goes wrong in a step of training with the pruned network alone; "" if nothing does.

    Values, and gradients of the parameters that stay, are compared where they depend on no random numbers but the masks
    of dropout and stochastic depth. Passed over are

    - a factor on all of a parameter's gradient: quantisers learn their step at a rate by the number of channels;
    - the statistics of exempt norms, which are run as their affine part alone where Python calls them; where one is a
      part of another operation nothing is compared;
    - gradients that are NaN or infinite in the zeroed network: a square root has none at a channel that is 0, and that
      one leaves in the pruned network.

    Args:
        calls: each with the largest value of every output of the whole network.
        tolerance: relative, for values.
    """
    for call, scales in calls:
        try:
            expected = _zeroed_step(model, structure, keep, call, seed=0)
        except Exception:  # a model may be one to evaluate alone
            continue
        removed = step_of_pruned(lambda: prune(model, structure, keep), call, structure.exempt)
        if isinstance(removed, str):
            return removed
        if expected.values.keys() != removed.values.keys():
            return "the pruned model returns other things where gradients are computed"
        gone = {name for branch in emptied_branches(structure, keep) for name in branch.parameters}
        left = {name: x for name, x in expected.gradients.items() if name not in gone}
        sliced = {name: slice_kept(name, x, structure, keep) for name, x in left.items()}
        problem = _problem_with_values(expected, removed, scales, tolerance)
        if problem and structure.exempt:  # a norm that is no function of Python may have kept its statistics
            continue
        problem = problem or _problem_with_slopes(sliced, removed.gradients)
        if problem and not _is_random(model, structure, keep, call, expected):
            return problem
    return ""


def _zeroed_step(model: nn.Module, structure: Structure, keep: Keep, call: Example, seed: int) -> Step:
    with zeroed(model, structure, keep):
        network = deep_copy(model)
    return step(network, call, structure.exempt, seed)


def step(network: nn.Module, call: Example, exempt: Collection[str] = (), seed: int = 0) -> Step:
    """A step of training without its last part, the optimizer's; the network is used up by that.

    Args:
        exempt: paths of the modules whose norms are run as their affine part alone.
    """
    private = call.map(torch.clone)
    reseed(seed)
    with torch.enable_grad(), LearningWithoutStatistics(network, exempt), OnePrecision(), _DrawnAlike():
        values = output_values(private.run(network.train(call.training)))
        learnt = [value for value in values.values() if value.requires_grad]
        generator = torch.Generator().manual_seed(0)
        # other factors than 1, as probabilities sum up to 1 whatever the parameters are
        slopes = [torch.rand(x.shape, dtype=x.dtype, generator=generator) + 0.5 for x in learnt]
        if learnt:
            torch.autograd.backward(learnt, slopes)
    gradients = {name: p.grad.to_dense() for name, p in network.named_parameters() if p.grad is not None}
    return Step({name: value.detach() for name, value in values.items()}, gradients)


def step_of_pruned(make: Callable[[], nn.Module], call: Example, exempt: Collection[str] = ()) -> Step | str:
    """A step of a pruned network that is made for it; where it cannot be run, what is wrong in one sentence.

    Raises:
        LegrError: the network cannot be made, or refuses itself.
    """
    try:
        return step(make(), call, exempt)
    except LegrError:
        raise
    except Exception as failure:
        return f"the pruned model does not run with gradients ({first_line(failure)})"


class _DrawnAlike(TorchDispatchMode):
    """Draws numbers alike for every channel; what dropout and stochastic depth draw lets everything pass.

    PyTorch 2.14 computes wrong gradients of a batch norm on the CPU for a batch of one whose gradient lies in memory
    with the channels last, so it is copied first.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if base_name(func) == "native_batch_norm_backward":
            args = tree_map_only(torch.Tensor, torch.Tensor.contiguous, args)
        call = Call(func, args, kwargs or {}, None)
        drawn = draw_alike(call)
        if drawn is None:
            return func(*args, **(kwargs or {}))
        return drawn.fill_(1) if base_name(func) == "bernoulli" else drawn


def slice_kept(parameter: str, values: Tensor, structure: Structure, keep: Keep) -> Tensor:
    """What stays of values in the shape of a parameter, at the positions that surgery keeps."""
    for dim in range(values.dim()):
        axis = structure.axis_of.get((parameter, dim))
        if axis is not None:
            values = values.index_select(dim, torch.from_numpy(np.flatnonzero(keep.kept(axis.labels))))
    return values


def _problem_with_values(expected: Step, removed: Step, scales: Mapping[str, float], tolerance: float) -> str:
    """How what two steps return differs, in words; "" if it does not."""
    for name, value in expected.values.items():
        error = relative_error(value, removed.values[name], scales.get(name, 0.0))
        if not error <= tolerance:
            return f"zeroing and removing its channels differ by {error:.1e} where gradients are computed"
    return ""


def _problem_with_slopes(expected: Mapping[str, Tensor], removed: Mapping[str, Tensor]) -> str:
    """How the gradients of two steps differ, in words; "" if they do not."""
    allowed, share = _TOLERANCE[torch.get_default_dtype()]
    scale = max(map(largest, expected.values()), default=0.0)
    for name in {**expected, **removed}:
        given = [gradients[name] for gradients in (expected, removed) if name in gradients]
        own, other = (gradients.get(name, torch.zeros_like(given[0])) for gradients in (expected, removed))
        finite = own.isfinite()
        error = relative_error(own[finite], _at_the_rate_of(own[finite], other[finite]), scale, share)
        if not error <= allowed:
            return f"the gradients of {name} differ by {error:.1e} between zeroing and removing channels"
    return ""


def _at_the_rate_of(expected: Tensor, gradient: Tensor) -> Tensor:
    """A gradient scaled to the length of another: a positive factor is no more than another learning rate."""
    factor = float((expected.conj() * gradient).real.sum()) / max(float(gradient.abs().square().sum()), 1e-300)
    return factor * gradient if factor > 0 else gradient


def _is_random(model: nn.Module, structure: Structure, keep: Keep, call: Example, first: Step) -> bool:
    """Whether a step of the zeroed network is another one with another seed."""
    try:
        again = _zeroed_step(model, structure, keep, call, seed=1)
    except Exception:
        return True
    pairs = ((first.values, again.values), (first.gradients, again.gradients))
    return any(
        a.keys() != b.keys() or not all(torch.allclose(x, b[name], 0.0, 0.0, equal_nan=True) for name, x in a.items())
        for a, b in pairs
    )
