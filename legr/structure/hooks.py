"""A step of training with the gradient hooks that a pruned network keeps: those of its parameters and of its modules.

Nothing that the hooks hold is changed by it: what they count or gather is put back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from legr.errors import TraceError, VerificationError
from legr.structure.copies import at_least_one, zeroed
from legr.structure.examples import Example
from legr.structure.gradients import slice_kept, step, step_of_pruned
from legr.structure.model_io import first_line, reseed
from legr.structure.precision import in_precision
from legr.structure.state import State
from legr.structure.surgery import prune
from legr.structure.ties import held_by_code
from legr.structure.types import Keep, Structure

_HOOKS = ("_backward_hooks", "_backward_pre_hooks", "_post_accumulate_grad_hooks")  # of parameters and modules


def problem_with_hooks(model: nn.Module, structure: Structure, keep: Keep, calls: Sequence[Example]) -> str:
    """What goes wrong in a step of training with a hook of the pruned network; "" if nothing does.

    Hooks that fail in the whole network as well, as those that need other processes, are passed over.

    Args:
        model: the caller's own, from which `prune` takes the hooks.
        keep: it is tried, and the kept set of all other units.

    Raises:
        VerificationError: `prune` refuses a hook, or it treats channels by their number.
    """
    if not any(True for _ in _hooked(model)):
        return ""
    held = State(_what_hooks_hold(model))
    others = Keep(at_least_one(structure, ~keep.units))
    with held.running() as watch, watch:
        for kept in (keep, others):
            problem = _problem(model, structure, kept, calls, held)
            if problem:
                return problem
    return ""


def _problem(model: nn.Module, structure: Structure, keep: Keep, calls: Sequence[Example], held: State) -> str:
    for call in calls:
        try:
            step(_pruned(model, structure, Keep(np.ones_like(keep.units))), call)
        except VerificationError:
            raise
        except Exception:
            continue
        finally:
            held.restore()
        try:
            pruned = step_of_pruned(lambda: _pruned(model, structure, keep), call)
        finally:
            held.restore()
        if isinstance(pruned, str):
            return pruned
    _require_alike(model, structure, keep, held)
    return ""


def _pruned(model: nn.Module, structure: Structure, keep: Keep) -> nn.Module:
    """A pruned copy on the CPU, in the precision of the proof, whose hooks say where they are when they fail."""
    try:
        network = prune(model, structure, keep)
    except TraceError as error:
        raise VerificationError(str(error)) from error
    in_precision(network.cpu(), torch.get_default_dtype())
    for name, hooks in _hooked(network):
        for key, hook in hooks.items():
            hooks[key] = _named(name, hook)
    for parameter in network.parameters():
        if parameter._backward_hooks:
            parameter.requires_grad_(True)  # one that is frozen may learn later
    return network


def _named(name: str, hook: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        try:
            return hook(*args)
        except Exception as error:
            raise RuntimeError(f"in a gradient hook of {name}: {first_line(error)}") from error

    return run


def _hooked(model: nn.Module) -> Iterator[tuple[str, dict[int, Callable[..., Any]]]]:
    """The gradient hooks of every parameter and module that has any."""
    named: list[tuple[str, Any]] = [*model.named_parameters(), *model.named_modules()]
    for name, owner in named:
        for attribute in _HOOKS:
            if hooks := getattr(owner, attribute, None):
                yield name or "the model", hooks


def _what_hooks_hold(model: nn.Module) -> nn.Module:
    """Hooks and what their code refers to, as attributes of a module that can be looked into."""
    holder, seen = nn.Module(), set[int]()
    todo = [hook for _, hooks in _hooked(model) for hook in hooks.values()]
    todo += [value for hook in todo for value in _named_in_code(hook)]
    for item in todo:
        if id(item) not in seen:
            seen.add(id(item))
            todo += held_by_code(item)
    vars(holder)["held"] = todo
    return holder


def _named_in_code(hook: Any) -> list[Any]:
    """The global variables that a function names, such as a list that it appends to."""
    function = getattr(hook, "__func__", hook)
    if not isinstance(function, FunctionType):
        return []
    return [function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__]


def _require_alike(model: nn.Module, structure: Structure, keep: Keep, held: State) -> None:
    """Refuse a hook of a parameter that treats channels by their number, such as one that stops the first 8."""
    whole, smaller = (_pruned(model, structure, kept) for kept in (Keep(np.ones_like(keep.units)), keep))
    small = dict(smaller.named_parameters())
    with zeroed(whole, structure, keep):
        for name, parameter in whole.named_parameters():
            by_number = False
            if parameter._backward_hooks and parameter.shape != small[name].shape:
                with suppress(Exception):  # it has run in a step of training, or fails in the whole network as well
                    by_number = _is_by_number(structure, keep, name, parameter, small[name])
                held.restore()
            if by_number:
                raise VerificationError(
                    f"a gradient hook of {name} treats channels by their number, which is another in a pruned network; "
                    "remove the hook, and register one on the pruned network"
                )


def _is_by_number(structure: Structure, keep: Keep, name: str, whole: Tensor, small: Tensor) -> bool:
    """Whether hooks do to the whole gradient something else than to its slice, and to other channels if they move.

    One that takes the mean of a gradient does something else as well, but to all channels alike.
    """
    gradient = torch.randn(whole.shape, dtype=whole.dtype, generator=torch.Generator().manual_seed(0))
    dims = [dim for dim in range(whole.dim()) if whole.shape[dim] != small.shape[dim]]
    for dim in dims:
        removed = np.flatnonzero(~keep.kept(structure.axis_of[name, dim].labels))
        gradient = gradient.index_fill(dim, torch.from_numpy(removed), 0)
    changed = _changed(whole, gradient)
    sliced = _changed(small, slice_kept(name, gradient, structure, keep))
    if torch.allclose(slice_kept(name, changed, structure, keep), sliced):
        return False
    if not torch.allclose(changed, _changed(whole, gradient, seed=1)):  # it draws random numbers
        return False
    return not all(torch.allclose(_changed(whole, gradient.roll(1, d)), changed.roll(1, d)) for d in dims)


def _changed(parameter: Tensor, gradient: Tensor, seed: int = 0) -> Tensor:
    """A gradient after the hooks of its parameter."""
    reseed(seed)
    hooks: Mapping[int, Callable[[Tensor], Tensor | None]] = parameter._backward_hooks or {}
    gradient = gradient.clone()
    for hook in hooks.values():
        result = hook(gradient)
        gradient = gradient if result is None else result
    return gradient
