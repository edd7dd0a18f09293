"""What ties a copy to the model that it was copied from: closures and weak references, which copies share."""

import types
import weakref
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from legr.structure.state import held_by, parts

_LOOKED_AT = 100_000  # objects: a closure may hold on to a whole program
_HOOKS = ("_hooks", "_pre_hooks")


def find_tie(model: nn.Module, network: nn.Module) -> str:
    """The first way from a copy back to its model, such as "a hook of a refers to kept by a closure"; "" for none."""
    copied = {id(part.item) for part in parts(network)}
    own = {id(p.item): p.path for p in parts(model) if id(p.item) not in copied and _is_part(p.item)}
    seen: set[int] = set()
    todo: list[tuple[str, str, Any]] = [("", "", network)]  # path, means, object
    for path, means, item in todo:
        if id(item) in own:
            return f"{_owner(path)} refers to {own[id(item)] or 'the model itself'} {means or 'directly'}"
        if id(item) in seen or len(seen) > _LOOKED_AT:
            continue
        seen.add(id(item))
        todo += [(path, means or "by a closure", value) for value in held_by_code(item)]
        if isinstance(item, weakref.ref) or type(item) in weakref.ProxyTypes:
            todo.append((path, "by a weak reference", _target(item)))
        else:
            todo += [(f"{path}.{name}".strip("."), means, value) for name, value in held_by(item)]
    return ""


def _is_part(item: Any) -> bool:
    return isinstance(item, (nn.Module, Tensor, dict, list, set))


def held_by_code(item: Any) -> Iterable[Any]:
    """What a function keeps: the variables around it, and the defaults of its arguments."""
    if not isinstance(item, types.FunctionType):
        return ()
    cells = [cell.cell_contents for cell in item.__closure__ or () if _is_filled(cell)]
    return [*cells, *(item.__defaults__ or ()), *(item.__kwdefaults__ or {}).values()]


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  (raises)
    except ValueError:
        return False
    return True


def _target(reference: Any) -> Any:
    """What a weak reference points to; None where it is gone."""
    try:
        return reference() if isinstance(reference, weakref.ref) else reference.__init__.__self__
    except ReferenceError:
        return None


def _owner(path: str) -> str:
    """A path of attributes in words: the hook of a module, its forward, or a plain attribute."""
    names = path.split(".")
    for position, name in enumerate(names):
        module = ".".join(names[:position]) or "the model"
        if name.startswith("_") and name.endswith(_HOOKS):
            return f"a hook of {module}"
        if name == "forward":
            return f"the forward of {module}"
    return path or "the model"
