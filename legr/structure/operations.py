"""One operation of PyTorch as a dispatch mode sees it: its arguments by name, its tensors, its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class Call:
    """One operation as it ran: `call["weight"]` is the argument of that name in the operation's schema."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any

    def __getitem__(self, name: str) -> Any:
        for position, argument in enumerate(self.func._schema.arguments):
            if argument.name == name:
                if position < len(self.args):
                    return self.args[position]
                return self.kwargs.get(name, argument.default_value)
        return None

    @property
    def name(self) -> str:
        """Name for messages, such as "conv2d"."""
        return str(self.func._schema.name).removeprefix("aten::")

    @property
    def inputs(self) -> list[Tensor]:
        """Every tensor argument."""
        return [leaf for leaf in tree_leaves((self.args, self.kwargs)) if isinstance(leaf, Tensor)]

    @property
    def outputs(self) -> list[Tensor]:
        """Every tensor result."""
        return [leaf for leaf in tree_leaves(self.output) if isinstance(leaf, Tensor)]

    def again(self, changed: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """Run the operation again with some arguments replaced, such as values by their labels."""
        names = [argument.name for argument in self.func._schema.arguments]
        args = [changed.get(name, value) for name, value in zip(names, self.args, strict=False)]
        kwargs = {name: changed.get(name, value) for name, value in self.kwargs.items()}
        return self.func(*args, **kwargs)


def base_name(func: Any) -> str:
    """Name without namespace, overload and the underscore of the in-place form: "relu_" is "relu"."""
    name = str(func._schema.name).split("::")[-1]
    return name if name.startswith("_") else name.removesuffix("_")
