"""What a parameter carries beside its values: memory layout, class, attributes for optimizers, gradient hooks.

A smaller parameter is a new one, so all of this has to be taken over; `copy.deepcopy` leaves most of it behind as well.
"""

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from legr.errors import TraceError

Hook = Callable[..., Any]


def resized(old: Tensor, values: Tensor) -> Tensor:
    """Values as a tensor of the class and in the memory layout (such as channels_last) of a larger one."""
    layout = sorted(range(old.dim()), key=lambda d: (old.stride()[d], old.shape[d]), reverse=True)
    if layout != list(range(old.dim())):
        values = torch.empty_permuted(values.shape, layout, dtype=values.dtype, device=values.device).copy_(values)
    mro = type(old).__mro__
    if nn.Parameter in mro or nn.Buffer in mro:
        made: Tensor = torch.Tensor._make_subclass(type(old), values, old.requires_grad)
        return made
    if isinstance(old, nn.Parameter):  # a tensor of another class that was made one
        return nn.Parameter(values, requires_grad=old.requires_grad)
    return values.requires_grad_(old.requires_grad)


def carry_over(name: str, old: Tensor, new: Tensor, memo: dict[int, Any] | None) -> None:
    """Give a new tensor the attributes and gradient hooks of another.

    Args:
        name: of the parameter, for messages.
        memo: of the deep copy that `new` belongs to, so that what hooks are bound to is copied along; None where both
            belong to one model.

    Raises:
        TraceError: a hook holds something of the old model, or a tensor that fits the old parameter alone.
    """
    if vars(old):
        new.__dict__.update({key: _copied(value, memo) for key, value in vars(old).items() if key not in vars(new)})
    hooks: Mapping[int, Hook] = old._backward_hooks or {}
    after: Mapping[int, Hook] = getattr(old, "_post_accumulate_grad_hooks", None) or {}
    if not hooks and not after:
        return
    copies = {id(old): new} if memo is None else memo
    new.requires_grad_(True)  # it takes no hook otherwise
    for registered, register in ((hooks, new.register_hook), (after, new.register_post_accumulate_grad_hook)):
        for hook in registered.values():
            hook = _copied(hook, memo)
            if any(_is_of(held, copies) or _fits_alone(held, old, new) for held in _held(hook)):
                raise TraceError(
                    f"a gradient hook of {name} holds a part of the model, or a tensor of the parameter's size, which "
                    "is another in a pruned network; remove the hook, and register one on the pruned network"
                )
            register(hook)
    new.requires_grad_(old.requires_grad)


def _copied(value: Any, memo: dict[int, Any] | None) -> Any:
    """A copy where one can be made, bound to the copied modules; the value itself where not, as a function."""
    if memo is None:
        return value
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # such as a lock, or the handle of a process group
        return value


def _is_of(held: Any, copies: Mapping[int, Any]) -> bool:
    """Whether a hook holds a tensor or module of the old model, of which the new one has its own."""
    return isinstance(held, Tensor | nn.Module) and copies.get(id(held), held) is not held


def _fits_alone(held: Any, old: Tensor, new: Tensor) -> bool:
    """Whether a hook holds a tensor that can be combined with the old parameter and not with the new one."""
    return isinstance(held, Tensor) and _fits(held, old) and not _fits(held, new)


def _fits(tensor: Tensor, other: Tensor) -> bool:
    try:
        return bool(torch.broadcast_shapes(tensor.shape, other.shape) == other.shape)
    except RuntimeError:
        return False


def _held(hook: Any) -> Iterator[Any]:
    """What a function keeps from where it was defined, or a callable object in its attributes."""
    if isinstance(hook, functools.partial):
        yield from _held(hook.func)
        yield from _items((hook.args, hook.keywords))
    function = getattr(hook, "__func__", hook)
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield from _items(cell.cell_contents)
        except ValueError:  # a name that was never assigned
            continue
    yield from _items(getattr(function, "__defaults__", None) or ())
    if not isinstance(hook, nn.Module | functools.partial) and not hasattr(hook, "__code__"):
        yield from _items(getattr(hook, "__dict__", {}))


def _items(value: Any) -> Iterator[Any]:
    """A value, or those in lists, tuples and dicts of them, keys included."""
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set):
        for item in value:
            yield from _items(item)
    else:
        yield value
