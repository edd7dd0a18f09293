"""What running a model may change: kept before, put back afterwards, and what has changed named.

That is more than parameters and buffers: caches, counters and features that a forward keeps as plain attributes, also
in lists, dicts and objects of the model's own. What lies outside of the model, such as a global variable, is not
followed.
"""

import functools
import random
import sys
import types
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from operator import is_
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from legr.structure.operations import Call, tensors_of

_PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)
_CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType)
_NO_PARTS = (*_PLAIN, *_CODE)
_PASSED_OVER = {type(None), bool, int, float, str, *_CODE, *weakref.ProxyTypes}  # by their very class: fast
_REGISTERED = ("_parameters", "_buffers", "_modules")  # of a module: what they hold has its name in the module
_HOOKS = {name for name in vars(nn.Module()) if "hook" in name}  # of a module: left out where empty, to be fast
_STATISTICS = ("running_mean", "running_var")  # written by operations whose schema does not say so
_TRAINING = ("training", "use_input_stats")  # where this is true

#: What keeps its state where Python cannot see it: how to read it, how to write it.
_GENERATORS: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], None]]] = {
    torch.Generator: (lambda g: g.get_state(), lambda g, s: g.set_state(s)),
    random.Random: (lambda g: g.getstate(), lambda g, s: g.setstate(s)),
    np.random.Generator: (lambda g: g.bit_generator.state, lambda g, s: setattr(g.bit_generator, "state", s)),
    np.random.RandomState: (lambda g: g.get_state(), lambda g, s: g.set_state(s)),
    np.ndarray: (lambda a: a.copy(), lambda a, s: a.__setitem__(..., s)),
}


class Part(NamedTuple):
    """An object that belongs to a model: what a deep copy of the model would copy."""

    item: Any
    name: str  # in what holds it; "" for one of many
    holder: "Part | None"

    @property
    def path(self) -> str:
        """The names on the way to it, such as "layer1.0.cache"; "" for the model."""
        names, part = [], self
        while part.holder is not None:
            names.append(part.name)
            part = part.holder
        return ".".join(filter(None, reversed(names)))


def parts(model: nn.Module) -> list[Part]:
    """Everything that belongs to a model, each object once."""
    seen: set[int] = set()
    found, stack = [], [Part(model, "", None)]
    while stack:
        part = stack.pop()
        if id(part.item) not in seen:
            seen.add(id(part.item))
            found.append(part)
            held = [(name, item) for name, item in held_by(part.item) if type(item) not in _PASSED_OVER]
            stack += [Part(item, name, part) for name, item in reversed(held) if not isinstance(item, _NO_PARTS)]
    return found


def held_by(item: Any) -> Iterable[tuple[str, Any]]:
    """What an object holds, by name, if a deep copy of it would copy that as well."""
    if isinstance(item, (Tensor, *_GENERATORS)):
        return ()
    if isinstance(item, types.MethodType):
        return (("", item.__self__),)
    if isinstance(item, functools.partial):
        return [("", value) for value in (item.func, *item.args, *item.keywords.values())]
    held: list[tuple[str, Any]] = []
    if isinstance(item, dict):
        held += [(str(key), value) for key, value in item.items()]
    elif isinstance(item, (list, tuple, set, frozenset, deque)):
        held += [("", value) for value in item]
    if _has_attributes(item):
        own = vars(item).items()
        held += [("" if name in _REGISTERED else name, value) for name, value in own if name not in _HOOKS or value]
    return held


def _has_attributes(item: Any) -> bool:
    """Whether an object has attributes that a forward may set; those of Python's own classes are no state."""
    library = type(item).__module__.partition(".")[0]
    own_class = library not in sys.stdlib_module_names or isinstance(item, types.SimpleNamespace)
    return own_class and hasattr(item, "__dict__")


class _KeepWritten(TorchDispatchMode):
    """Keeps the values of a state's tensors that operations are about to overwrite."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}  # id -> tensor, values
        self._by_storage: dict[int, list[Tensor]] = {}
        for tensor in tensors:
            self._by_storage.setdefault(storage_of(tensor), []).append(tensor)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if written := _written(func):
            call = Call(func, args, kwargs or {}, None)
            in_training = any(call[name] for name in _TRAINING)
            for name, statistics in written:
                for target in tensors_of(call[name]) if in_training or not statistics else ():
                    self._keep(self._by_storage.get(storage_of(target), ()))
        return func(*args, **(kwargs or {}))

    def _keep(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            if id(tensor) not in self.kept:
                with _disable_current_modes():  # modes further out see the operations of the forward alone
                    self.kept[id(tensor)] = tensor, tensor.detach().clone()


@functools.cache
def _written(func: Any) -> tuple[tuple[str, bool], ...]:
    """Names of the arguments that an operation writes into, and whether they are statistics."""
    arguments = func._schema.arguments
    writes = [a.name for a in arguments if a.alias_info is not None and a.alias_info.is_write]
    return (*((name, False) for name in writes), *((a.name, True) for a in arguments if a.name in _STATISTICS))


def storage_of(tensor: Tensor) -> int:
    """What two tensors have in common if they share memory."""
    return tensor.untyped_storage()._cdata if tensor.layout == torch.strided else id(tensor)


class State:
    """The state of a model at one time.

    Values of tensors are copied only when an operation is about to overwrite them, so a state costs no memory to
    speak of; that is why what may change them has to run inside `running`.

    Attributes:
        model: whose state it is.
        parts: everything that belongs to it.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model, self.parts = model, parts(model)
        self._contents: list[tuple[Part, Any, Any]] = []  # part, container, shallow copy
        self._generators: list[tuple[Any, Any]] = []
        self._tensors: list[tuple[Part, Tensor, Tensor]] = []  # part, tensor, tensor with the same memory
        for part in self.parts:
            item = part.item
            if isinstance(item, Tensor):
                self._tensors.append((part, item, item.detach()))
            elif type(item) in _GENERATORS:
                self._generators.append((item, _GENERATORS[type(item)][0](item)))
            else:
                for kind in (dict, list, set, deque):
                    if isinstance(item, kind):
                        self._contents.append((part, item, kind(item)))
                if _has_attributes(item):
                    self._contents.append((part, vars(item), dict(vars(item))))
        self._mode: _KeepWritten | None = None

    @contextmanager
    def running(self) -> Iterator[TorchDispatchMode]:
        """Whatever happens inside, the state is as before afterwards.

        Yields:
            A mode to run operations in that may write into tensors of the model.
        """
        self._mode = _KeepWritten(tensor for _, tensor, _ in self._tensors)
        try:
            yield self._mode
        finally:
            self.restore()

    def changed(self, but: Collection[int] = ()) -> Iterator[str]:
        """Paths of what is not as it was, such as "a.cache"; for use inside `running`.

        Args:
            but: identities of objects to pass over.
        """
        written = self._mode.kept if self._mode is not None else {}
        for part, item, saved in self._contents:
            if id(part.item) not in but and not _same(item, saved):
                yield f"{part.path}.{_first_change(item, saved)}".strip(".")
        for part, tensor, own in self._tensors:
            if id(tensor) not in but and (id(tensor) in written or not _same_memory(tensor, own)):
                yield part.path

    def restore(self) -> None:
        """Put everything back."""
        for _, item, saved in self._contents:
            if not _same(item, saved):
                item.clear()
                item.extend(saved) if isinstance(item, (list, deque)) else item.update(saved)
        for item, saved in self._generators:
            _GENERATORS[type(item)][1](item, saved)
        for _, tensor, own in self._tensors:
            if not _same_memory(tensor, own):
                tensor.data = own
        if self._mode is not None and self._mode.kept:
            with torch.inference_mode(), _disable_current_modes():
                for tensor, values in self._mode.kept.values():
                    tensor.copy_(values)
            self._mode.kept.clear()


def _first_change(item: Any, saved: Any) -> str:
    """The key of a dict whose value has changed; "" for any other container."""
    if not isinstance(item, dict):
        return ""
    keys = {**item, **saved}
    return str(next((key for key in keys if item.get(key, keys) is not saved.get(key, keys)), ""))


def _same(item: Any, saved: Any) -> bool:
    """Whether a container holds the very objects that it held, or equal numbers and texts, in the same order."""
    if len(item) != len(saved):
        return False
    if isinstance(item, set):
        return bool(item == saved)
    now, before = (item.values(), saved.values()) if isinstance(item, dict) else (item, saved)
    if isinstance(item, dict) and not all(map(is_, item, saved)) and list(item) != list(saved):
        return False
    return all(map(is_, now, before)) or all(x is y or _equal(x, y) for x, y in zip(now, before, strict=True))


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and isinstance(a, _PLAIN) and bool(a == b)


def _same_memory(tensor: Tensor, own: Tensor) -> bool:
    if tensor.layout != torch.strided:
        return True
    return tensor.data_ptr() == own.data_ptr() and tensor.shape == own.shape
