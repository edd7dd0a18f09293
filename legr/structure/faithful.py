"""Refuse a model whose copies compute something else than it does, before anything is learned from a copy."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from legr.errors import TraceError
from legr.structure.examples import Example, noise_like, twice
from legr.structure.model_io import as_traced, first_line
from legr.structure.modes import OperationLog, run, run_logged
from legr.structure.state import State, storage_of
from legr.structure.ties import find_tie

_TOLERANCE = 1e-3  # relative: a copy that is right runs the same kernels on the same values
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Examined:
    """A copy that computes what its model computes.

    Attributes:
        network: the copy, in evaluation mode, in the model's dtype and on its device.
        training_differs: whether it runs other operations in training mode than in evaluation mode.
    """

    network: nn.Module
    training_differs: bool = False


class _Unfaithful(Exception):
    """What is wrong with a copy."""


def examine(model: nn.Module, examples: Sequence[Example], make_copy: Callable[[nn.Module], nn.Module]) -> Examined:
    """Make a copy of a model, and compare the two on two fresh inputs for every example, one after the other.

    The model is as before afterwards: parameters, buffers and what its modules keep as attributes. A model whose
    forward fails is not compared: what runs it next says why.

    Raises:
        TraceError: the copy computes something else than the model, or cannot do without it.
    """
    calls = _fresh_calls(model, examples)
    state = State(model)
    with _repeatable(model), state.running() as watch, watch:
        try:
            expected = _answers(model, calls)
        except Exception as error:
            _log.debug("not compared with a copy: %s", error)
            return Examined(_evaluating(make_copy(model)))
        finally:
            state.restore()
        network = make_copy(model)
        state.restore()  # copying runs code of its modules as well
        copied = State(network)
        try:
            with copied.running() as watch_copy, watch_copy:
                examined = _watch(state, copied, calls, expected)
            changed = next(state.changed(but={id(part.item) for part in copied.parts}), None)
            if changed is not None:
                raise _Unfaithful(f"running a copy of it changes {changed} of the original")
        except _Unfaithful as problem:
            state.restore()
            name = type(model).__name__
            if _difference(expected, _answers(model, calls)) > _TOLERANCE:
                raise TraceError(
                    f"{name} gives two answers to one input in evaluation mode, so nothing can be proved about it; "
                    "leave out what is random there, or draw it from torch's default generator"
                ) from None
            why = find_tie(model, network) or "something outside of it, such as a global variable, takes part"
            raise TraceError(
                f"{name} is refused because {problem}: {why}; let a hook or forward use the module that it is given, "
                "or a bound method, as every copy has its own"
            ) from None
    network.eval()
    return examined


def _evaluating(network: nn.Module) -> nn.Module:
    """The network in evaluation mode.

    Raises:
        TraceError: it has no such mode.
    """
    try:
        return network.eval()
    except Exception as error:
        raise TraceError(
            f"{type(network).__name__} cannot be put into evaluation mode ({first_line(error)}); give its train method "
            "the signature of nn.Module's"
        ) from error


def _watch(state: State, copied: State, calls: Sequence[Example], expected: Mapping[str, Tensor]) -> Examined:
    """Run a copy in both modes, each while the model is in the other one."""
    network = copied.model
    shared = {id(part.item) for part in copied.parts}
    tensors = [part for part in state.parts if isinstance(part.item, Tensor) and id(part.item) not in shared]
    own = {storage_of(part.item): part.path for part in tensors}
    try:
        with _flagged(state, training=True):
            values, evaluated = run_logged(network.eval(), calls[0], own)
            found = _numbered([values, *(run(network, call.map(torch.clone)) for call in calls[1:])])
    except Exception as error:
        raise _Unfaithful(f"a copy of it does not run ({first_line(error)})") from error
    difference = _difference(expected, found)
    if not difference <= _TOLERANCE:
        raise _Unfaithful(f"a copy of it computes something else (the outputs differ by {difference:.0%})")
    copied.restore()
    with _flagged(state, training=False):
        examined, trained = _compare_modes(copied, calls[0], evaluated, own)
    read = evaluated.foreign_read or (trained and trained.foreign_read)
    if read is not None:
        raise _Unfaithful(f"a copy of it reads {read} of the original")
    return examined


def _compare_modes(
    copied: State, call: Example, evaluated: OperationLog, foreign: Mapping[int, str]
) -> tuple[Examined, OperationLog | None]:
    """Whether training mode runs other operations than evaluation mode; and what it runs, if it runs."""
    network = copied.model
    for batch in (call, twice(call)):
        try:
            if batch is not call:
                evaluated = run_logged(network.eval(), batch, foreign)[1]
                copied.restore()
            trained = run_logged(network.train(), batch, foreign)[1]
            return Examined(network, training_differs=trained.entries != evaluated.entries), trained
        except Exception as error:
            _log.debug("not compared in training mode: %s", first_line(error))
            copied.restore()
    return Examined(network), None


def _answers(model: nn.Module, calls: Sequence[Example]) -> dict[str, Tensor]:
    """What a model returns in one call after the other, in evaluation mode."""
    model.eval()
    return _numbered(run(model, call.map(torch.clone)) for call in calls)


def _numbered(answers: Iterable[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """All answers by the number of the call and the place in its output."""
    return {f"{number} {name}": x for number, values in enumerate(answers) for name, x in values.items()}


def _fresh_calls(model: nn.Module, examples: Sequence[Example]) -> list[Example]:
    """Two inputs of different size for every example of evaluation mode, on the model's device and in its dtype."""
    tensors = [*model.parameters(), *model.buffers()]
    device = tensors[0].device if tensors else torch.device("cpu")
    dtype = next((x.dtype for x in tensors if x.is_floating_point()), torch.float32)
    generator = torch.Generator().manual_seed(2)

    def fresh(example: Example, scale: float) -> Example:
        return noise_like(example, torch.float32, generator).map(
            lambda x: (scale * x).to(device, dtype) if x.is_floating_point() else x.to(device)
        )

    return [fresh(example, scale) for example in examples if not example.training for scale in (1.0, 3.0)]


@contextmanager
def _repeatable(model: nn.Module) -> Iterator[None]:
    """The conditions of a trace, on the model's device."""
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    devices = sorted({p.device.index or 0 for p in model.parameters() if p.is_cuda})
    with as_traced(model, dtype, devices):
        yield


@contextmanager
def _flagged(state: State, *, training: bool) -> Iterator[None]:
    """Set the mode that a model's modules see, and no more: copies must not depend on it."""
    modules = [part.item for part in state.parts if isinstance(part.item, nn.Module)]
    before = [module.training for module in modules]
    for module in modules:
        module.training = training
    try:
        yield
    finally:
        for module, mode in zip(modules, before, strict=True):
            module.training = mode


def _difference(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> float:
    """The largest difference between two answers, relative to the largest value; NaN equals NaN."""
    if [(name, x.shape) for name, x in expected.items()] != [(name, x.shape) for name, x in found.items()]:
        return float("inf")
    worst = 0.0
    for name, a in expected.items():
        a, b = (x if x.is_complex() else x.double() for x in (a, found[name]))
        unequal = ~torch.isclose(a, b, rtol=0, atol=0, equal_nan=True)
        if unequal.any():
            difference = (a - b)[unequal].abs().max() / a.abs().nan_to_num().max().clamp_min(1e-300)
            worst = max(worst, float(difference))
    return worst
