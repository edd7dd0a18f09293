"""One operation of PyTorch as a dispatch mode sees it: its arguments by name, its tensors, its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Call:
    """One operation as it ran: `call["weight"]` is the argument of that name in the operation's schema."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any

    def __getitem__(self, name: str) -> Any:
        position, usual = _parameters(self.func).get(name, (len(self.args), None))
        return self.args[position] if position < len(self.args) else self.kwargs.get(name, usual)

    @property
    def name(self) -> str:
        """Name for messages, such as "conv2d"."""
        return str(self.func._schema.name).removeprefix("aten::")

    @cached_property
    def inputs(self) -> list[Tensor]:
        """Every tensor argument."""
        return tensors_of((*self.args, *self.kwargs.values()))

    @cached_property
    def outputs(self) -> list[Tensor]:
        """Every tensor result."""
        return tensors_of(self.output)

    def again(self, changed: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """Run the operation again with some arguments replaced, such as values by their labels."""
        names = parameter_names(self.func)
        args = [changed.get(name, value) for name, value in zip(names, self.args, strict=False)]
        kwargs = {name: changed.get(name, value) for name, value in self.kwargs.items()}
        return self.func(*args, **kwargs)


def tensors_of(values: Any) -> list[Tensor]:
    """Every tensor in what an operation takes or returns: one, or tuples and lists of them."""
    if isinstance(values, Tensor):
        return [values]
    return [x for item in values for x in tensors_of(item)] if isinstance(values, (tuple, list)) else []


def parameter_names(func: Any) -> tuple[str, ...]:
    """Names of the arguments that an operation takes, in order."""
    return tuple(_parameters(func))


@cache
def _parameters(func: Any) -> Mapping[str, tuple[int, Any]]:
    """Position and default value of every argument that an operation takes, by name."""
    return {a.name: (position, a.default_value) for position, a in enumerate(func._schema.arguments)}


@cache
def base_name(func: Any) -> str:
    """Name without namespace, overload and the underscore of the in-place form: "relu_" is "relu"."""
    name = str(func._schema.name).split("::")[-1]
    return name if name.startswith("_") else name.removesuffix("_")
