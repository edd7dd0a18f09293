"""Results that Python's own decorators keep: `functools.lru_cache` outside of a model, `cached_property` inside.

A forward that finds a result there runs other operations than one that does not. And a result that was computed for a
proof, without gradients or for another number of channels, must not be found by anybody later.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from legr.structure.trees import tensors_in

_CACHED = type(functools.cache(int))  # of a function with `lru_cache` or `cache`


@contextmanager
def without_caches(model: nn.Module) -> Iterator[None]:
    """Let functions compute anew what `lru_cache` would look up, and leave the caches alone.

    These are the methods of the model's classes, and the functions that the files of these classes name.
    """
    replaced: list[tuple[Any, str, Any]] = []
    try:
        for owner in _owners(model):
            for name, value in list(vars(owner).items()):
                plain = _uncached(value)
                if plain is not None:
                    replaced.append((owner, name, value))
                    setattr(owner, name, plain)
        yield
    finally:
        for owner, name, value in replaced:
            setattr(owner, name, value)


def forget_properties(network: nn.Module) -> None:
    """Let every `cached_property` that holds tensors be computed anew."""
    for module in network.modules():
        for name, value in list(vars(module).items()):
            if isinstance(getattr(type(module), name, None), functools.cached_property) and tensors_in(value):
                delattr(module, name)


def _owners(model: nn.Module) -> list[Any]:
    """The classes of a model's modules, and the files that define them; PyTorch's own have no such caches."""
    kinds = {kind for module in model.modules() for kind in type(module).__mro__}
    own = [kind for kind in kinds if kind.__module__.partition(".")[0] not in ("builtins", "torch")]
    files = {kind.__module__ for kind in own}
    return [*own, *(sys.modules[file] for file in files if file in sys.modules)]


def _uncached(value: Any) -> Any:
    """A function or method that keeps nothing; None for one without a cache, and for anything else."""
    if isinstance(value, _CACHED):
        return _forgetful(value.__wrapped__)
    if isinstance(value, (staticmethod, classmethod)) and isinstance(value.__func__, _CACHED):
        return type(value)(_forgetful(value.__func__.__wrapped__))
    if isinstance(value, property) and isinstance(value.fget, _CACHED):
        return property(_forgetful(value.fget.__wrapped__), value.fset, value.fdel)
    return None


def _forgetful(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that remembers results while it runs, as it may call itself, and no longer."""
    cached, running = functools.cache(function), [0]

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        running[0] += 1
        try:
            return cached(*args, **kwargs)
        finally:
            running[0] -= 1
            if not running[0]:
                cached.cache_clear()

    vars(run).update(cache_clear=cached.cache_clear, cache_info=cached.cache_info)  # the model's code may call these
    return run
