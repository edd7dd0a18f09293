"""Prove that removing channels is exact: zeroed = removed, in float64, by the pruned model's own forward.

Nothing here uses how a structure was traced, so a wrong one is found out. One random kept set is no proof: kept
sets follow the binary code of the unit numbers, so that at least one keeps one unit of every pair and removes
the other.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from legr.errors import LegrError, TraceError, VerificationError
from legr.structure.branches import emptied_branches, without
from legr.structure.copies import WithoutStatistics, at_least_one, stand_in, zeroed
from legr.structure.cost import cost
from legr.structure.differences import largest, relative_error
from legr.structure.examples import Example, Inputs, as_examples, twice
from legr.structure.faithful import examine
from legr.structure.fresh import Integers, draw_integers, fresh
from legr.structure.gradients import problem_with_gradients
from legr.structure.hooks import problem_with_hooks
from legr.structure.kept_sets import emptying_kept_sets, lopsided_kept_sets, separating_kept_sets
from legr.structure.macs import counted, mac_counter
from legr.structure.model_io import (
    as_traced,
    first_line,
    output_values,
    private_copy,
    require_followable,
    reseed,
)
from legr.structure.precision import OnePrecision
from legr.structure.state import State
from legr.structure.surgery import prune
from legr.structure.types import Keep, Structure

_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-3}  # relative; exact structures stay below 1e-13 in float64
_KEPT_TO_LEARN = 0.6  # share of the units in a step of training
_IN_TRAINING = 2  # kept sets compared in training mode where it runs the operations of evaluation mode
_log = logging.getLogger(__name__)


def verify(
    model: nn.Module,
    structure: Structure,
    example_input: Inputs | None = None,
    *,
    examples: Sequence[Inputs] = (),
    methods: Sequence[str] | Mapping[str, Inputs] = (),
) -> float:
    """Check that zeroing channels and removing them give the same function, and that costs are exact.

    Parameters and statistics of PyTorch's norms are randomised on a private copy first, so that the proof of a
    fresh model holds for a trained one. Other buffers are taken as they are: a model with a norm of its own that
    reads a buffer has to have its weights already. The model and the global random state are untouched.

    Args:
        model: the model that `structure` was traced from.
        example_input: as for `trace`. Floating-point inputs are replaced by random ones; so are integers, where the
            model takes others of their range.
        examples: further ones, as for `trace`.
        methods: as for `trace`.

    Returns:
        The largest relative error over all kept sets (float64; about 1e-15 where all is well).

    Raises:
        VerificationError: two functions differ, the pruned model does not run, or its cost is not the
            predicted one; the message names the layer.
    """
    require_followable(model)
    given = as_examples(model, example_input, examples, methods)
    everything = Keep(np.ones(structure.n_units, dtype=bool))
    examined = examine(model, given, lambda model: prune(model, structure, everything))
    subject = _subject(model, given)
    state, worst = subject.state, 0.0
    with as_traced(model, subject.dtype):
        _require_dependence(subject)
        calls = [_with_scales(state, structure, call) for call in subject.calls]
        in_training = [_with_scales(state, structure, call) for call in _in_training(state, subject.calls)]
        training = [call for call in calls[1:] if call.example.training]
        differs = examined.training_differs or bool(structure.training_only)
        emptying = list(emptying_kept_sets(structure))  # first, so that they are compared in training mode as well
        for number, keep in enumerate(
            chain(emptying, separating_kept_sets(structure), lopsided_kept_sets(structure)), -len(emptying)
        ):
            tried = [*calls, *in_training] if differs or number < _IN_TRAINING else calls
            error, problem = _check(state, structure, keep, tried)
            if problem:
                raise VerificationError(_blame(state, structure, keep, [*calls, *in_training], problem))
            worst = max(worst, error)
        if structure.n_units:
            _require_gradients(model, subject, structure, [calls[0], *in_training, *training])
    return worst


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is proved about: a private copy with random values, and the calls to compare."""

    state: State
    dtype: torch.dtype
    calls: list[Example]
    integers: Integers  # of the first call


@dataclass(frozen=True, slots=True)
class _Call:
    """A call to compare, and the largest value of each output of the whole network.

    What is nothing beside that is rounding: where nearly all is removed, outputs may cancel to 0.
    """

    example: Example
    scales: Mapping[str, float]


def _subject(model: nn.Module, examples: Sequence[Example]) -> _Subject:
    """A private copy with random values, and calls: in float64, or float32 where the forward insists on that."""
    failure: Exception | None = None
    for dtype in (torch.float64, torch.float32):
        generator = torch.Generator().manual_seed(0)
        state = State(stand_in(private_copy(model), dtype, generator))
        try:
            with as_traced(model, dtype):
                drawn = [fresh(example, dtype, generator, partial(_outputs, state)) for example in examples]
                calls = [call for call, _ in drawn]
                for call in calls:
                    _outputs(state, call)
            return _Subject(state, dtype, calls, drawn[0][1])
        except LegrError:
            raise
        except Exception as error:
            failure = error
    raise TraceError(f"the model's forward fails: {failure}") from failure


def _with_scales(state: State, structure: Structure, call: Example) -> _Call:
    return _Call(call, {name: largest(value) for name, value in _outputs(state, call, structure.exempt).items()})


def _in_training(state: State, calls: Sequence[Example]) -> list[Example]:
    """The first call in training mode, if it runs there; none where some call is one of training already."""
    if any(call.training for call in calls):
        return []
    for call in (twice(calls[0]), replace(calls[0], training=True)):
        try:
            _outputs(state, call)
            return [call]
        except Exception as error:  # such as targets that are missing, or an input too small for its batch norms
            why = first_line(error)
    name = type(state.model).__name__
    _log.warning("%s is proved in evaluation mode only, as the forward fails in training mode: %s", name, why)
    return []


def _require_gradients(model: nn.Module, subject: _Subject, structure: Structure, calls: Sequence[_Call]) -> None:
    """Refuse a pruned network that cannot learn, or learns something else: one without order in what it keeps."""
    units = np.random.default_rng(0).random(structure.n_units) < _KEPT_TO_LEARN
    keep = Keep(at_least_one(structure, units))
    tried = [(call.example, call.scales) for call in calls]
    emptied = without(keep, structure.branches[::3])
    problem = problem_with_gradients(subject.state.model, structure, emptied, tried, _TOLERANCE[subject.dtype])
    problem = problem or problem_with_hooks(model, structure, keep, [call.example for call in calls])
    if problem:
        raise VerificationError(
            f"{problem}; the model is refused: let what it does for gradients alone, such as hooks and backward "
            "functions, take sizes from the tensors it gets"
        )


def _require_dependence(subject: _Subject) -> None:
    """Refuse a network whose outputs stay the same, whatever its input."""
    call, generator = subject.calls[0], torch.Generator().manual_seed(1)
    first = _outputs(subject.state, call)
    for scale, shift in ((0.5, 0.1), (-1.0, 0.0), (0.0, 2.0), *((10.0**n, -1.0) for n in (0, 0, 1, 1, 2, 2, 3, 3))):

        def other(x: Tensor, scale: float = scale, shift: float = shift) -> Tensor:
            if x.is_floating_point() or x.is_complex():
                colour = [*x.shape[:2], *[1] * (x.dim() - 2)]  # so that the mean of an image changes as well
                noise, offset = (torch.randn(size, dtype=x.dtype, generator=generator) for size in (x.shape, colour))
                return (noise + offset) * scale + shift
            return draw_integers(x, subject.integers, generator)

        changed = _outputs(subject.state, call.map(other))
        if first.keys() != changed.keys() or any(not torch.equal(a, changed[name]) for name, a in first.items()):
            return
    raise VerificationError(
        "the model's output does not depend on its input, so nothing can be proved about it; give an example with the "
        "values that the model is used with"
    )


def _check(state: State, structure: Structure, keep: Keep, calls: Sequence[_Call]) -> tuple[float, str]:
    """Relative error between zeroed and removed over all calls, and what is wrong; "" if nothing is."""
    worst = 0.0
    for number, call in enumerate(calls):
        error, problem = _compare(state, structure, keep, call, counting=number == 0)
        worst = max(worst, error)
        if problem:
            return worst, problem if number == 0 else f"{_words(call.example)} {problem}"
    return worst, ""


def _words(call: Example) -> str:
    """A call that is not the first one, in a sentence."""
    method = "" if call.method == "forward" else f"in {call.method} "
    sizes = " and ".join(str(tuple(x.shape)) for x in call.tensors)
    return f"{method}{'in training mode ' if call.training else ''}with inputs {sizes}"


def _compare(state: State, structure: Structure, keep: Keep, call: _Call, *, counting: bool) -> tuple[float, str]:
    """Relative error between zeroed and removed in one call, and what is wrong; "" if nothing is.

    Args:
        counting: whether it is the call whose MACs are those of the structure.
    """
    with zeroed(state.model, structure, keep):
        expected = _outputs(state, call.example, structure.exempt)
    try:
        smaller = prune(state.model, structure, keep).requires_grad_(False)  # modules called on parameters count too
        with mac_counter() as counter:
            removed = _outputs(State(smaller), call.example, structure.exempt)
    except LegrError:
        raise
    except Exception as failure:
        return float("inf"), f"the pruned model does not run ({first_line(failure)})"
    if expected.keys() != removed.keys():
        return float("inf"), "the pruned model returns other things"
    errors = [relative_error(value, removed[name], call.scales.get(name, 0.0)) for name, value in expected.items()]
    error = float(np.max(errors))  # a NaN stays one
    if not error <= _TOLERANCE[torch.get_default_dtype()]:
        return error, f"zeroing and removing its channels differ by {error:.1e}"
    predicted = cost(structure, keep)
    params = sum(p.numel() for p in smaller.parameters())
    macs = counted(counter) if counting else predicted.macs
    if (predicted.params, predicted.macs) != (params, macs):
        return error, (
            f"its predicted cost ({predicted.macs} MACs, {predicted.params} parameters) "
            f"is not the counted one ({macs}, {params})"
        )
    return error, ""


def _outputs(state: State, call: Example, exempt: Collection[str] = ()) -> dict[str, Tensor]:
    """What a call returns without dropout, and with the affine part alone of exempt norms; by place in the output."""
    private = call.map(torch.clone)
    with torch.inference_mode(), state.running() as watch:
        with watch:
            state.model.train(call.training)
        reseed()
        with WithoutStatistics(state.model, exempt), watch, OnePrecision():
            output = private.run(state.model)
        return output_values(output)


def _blame(state: State, structure: Structure, keep: Keep, calls: Sequence[_Call], problem: str) -> str:
    """Find the first branch or group whose removal alone goes wrong, and say so."""
    for branch in emptied_branches(structure, keep):
        whole = Keep(np.ones(structure.n_units, dtype=bool))
        _, alone = _check(state, structure, without(whole, [branch]), calls)
        if alone:
            return f"the block {branch.name} cannot be removed: {alone}; the model is refused"
    for group in structure.groups:
        units = np.ones(structure.n_units, dtype=bool)
        units[group.units[len(group.units) // 2 :]] = False
        _, alone = _check(state, structure, Keep(at_least_one(structure, units)), calls)
        if alone:
            return f"layer {group.name} cannot be pruned: {alone}; the model is refused"
    names = ", ".join(layer.name for layer in structure.layers[:3])
    return f"layers {names} … cannot be pruned together: {problem}; the model is refused"
