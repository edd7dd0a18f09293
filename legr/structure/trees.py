"""Look into what a model takes and returns: tuples, dicts, dataclasses and other objects, however deep."""

import copy
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from legr.errors import TraceError

_PLAIN = (type(None), bool, int, float, complex, str, bytes, Enum, slice, range, np.generic)
_PLAIN_OF_TORCH = (torch.dtype, torch.device, torch.layout, torch.memory_format)


def named_leaves(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every tensor and plain value in a tree with its place, such as ("logits[0]", tensor).

    Raises:
        TraceError: it holds an object that cannot be looked into, such as a generator.
    """
    return _leaves(tree, name, ())


def tensors_in(tree: Any) -> list[Tensor]:
    """Every tensor in a tree; what cannot be looked into is passed over."""
    return [leaf for _, leaf in _leaves(tree, "", (), strict=False) if isinstance(leaf, Tensor)]


def map_tensors(change: Callable[[Tensor], Any], tree: Any) -> Any:
    """A copy of a tree with every tensor changed; what cannot be looked into stays as it is."""
    return _map(change, tree, {})


def _map(change: Callable[[Tensor], Any], tree: Any, made: dict[int, Any]) -> Any:
    """See `map_tensors`; `made` has the copies of objects so far, as one may be in several places, or hold itself."""
    if isinstance(tree, Tensor):
        return change(tree)
    if id(tree) in made:
        return made[id(tree)]
    if _is_plain(tree) or isinstance(tree, (torch.Size, nn.Module)):
        return tree
    if isinstance(tree, tuple):
        items = [_map(change, item, made) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    if isinstance(tree, (list, deque)):
        return type(tree)(_map(change, item, made) for item in tree)
    attributes, is_mapping = _attributes(tree), isinstance(tree, Mapping)
    if not attributes and not is_mapping:
        return tree
    twin = made[id(tree)] = copy.copy(tree) if isinstance(tree, MutableMapping) or not is_mapping else dict(tree)
    for name, value in attributes.items():
        object.__setattr__(twin, name, _map(change, value, made))  # a frozen dataclass as well
    if is_mapping:
        for key, value in tree.items():
            twin[key] = _map(change, value, made)
    return twin


def _leaves(tree: Any, name: str, around: tuple[int, ...], *, strict: bool = True) -> Iterator[tuple[str, Any]]:
    """See `named_leaves`; `around` are the objects that `tree` lies in, so that one which holds itself ends."""
    if isinstance(tree, Tensor) or _is_plain(tree):
        yield name, tree
    elif id(tree) not in around:
        children = _children(tree)
        if children is None:
            if strict:
                raise TraceError(
                    f"the model returns a {type(tree).__name__}, whose tensors cannot be found; wrap it to return "
                    "tensors, or tuples, lists, dicts or dataclasses of them"
                )
            return
        for key, child in children.items():
            yield from _leaves(child, name + key, (*around, id(tree)), strict=strict)


def _children(tree: Any) -> dict[str, Any] | None:
    """What an object holds by its place in it; None where nothing can be said."""
    if isinstance(tree, (tuple, list, deque)):
        return {f"[{number}]": item for number, item in enumerate(tree)}
    attributes = {f".{name}": value for name, value in _attributes(tree).items()}
    if isinstance(tree, Mapping):
        items = {f"[{key!r}]": value for key, value in tree.items()}
        repeated = {id(value) for value in items.values()}  # of an object that is a dict and has attributes as well
        return items | {name: value for name, value in attributes.items() if id(value) not in repeated}
    return attributes or None


def _attributes(tree: Any) -> dict[str, Any]:
    """What an object keeps, by name."""
    if isinstance(tree, type) or (callable(tree) and not is_dataclass(tree)):
        return {}
    slots = [name for kind in type(tree).__mro__ for name in _slots(kind)]
    names = [field.name for field in fields(tree)] if is_dataclass(tree) else []
    kept = {name: getattr(tree, name) for name in (*names, *slots) if hasattr(tree, name)}
    return kept | getattr(tree, "__dict__", {})


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return tuple(name for name in ((slots,) if isinstance(slots, str) else slots) if not name.startswith("__"))


def _is_plain(tree: Any) -> bool:
    return isinstance(tree, (*_PLAIN, *_PLAIN_OF_TORCH))
