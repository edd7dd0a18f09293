"""One operation as a trace sees it, and what to do with an operation that has no rule.

It does not know any particular operation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from legr.structure.nodes import thin

if TYPE_CHECKING:
    from legr.structure.tracer import Tracer


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
        """Run the operation again, with some arguments changed, such as labels in the place of values."""
        names = [argument.name for argument in self.func._schema.arguments]
        args = [changed.get(name, value) for name, value in zip(names, self.args, strict=False)]
        kwargs = {name: changed.get(name, value) for name, value in self.kwargs.items()}
        return self.func(*args, **kwargs)


def varying(labels: Tensor) -> list[int]:
    """Dims along which representative labels differ."""
    (few,) = thin(labels)
    return [d for d in range(few.dim()) if few.size(d) > 1 and bool((few != few.narrow(d, 0, 1)).any())]


def unknown(tracer: "Tracer", call: Call) -> None:
    """No rule: hold every channel that comes in and count the cost as PyTorch counts it."""
    count = flop_registry.get(call.func._overloadpacket)
    if count is not None:
        tracer.add_cost(None, int(count(*call.args, **call.kwargs, out_val=call.output)) // 2)
    hold_all(tracer, call, "there is no rule for this operation")


def held_by_rehearsal(tracer: "Tracer", call: Call) -> None:
    """A rehearsal has shown that the operation does not survive pruning; its cost is counted where it ran."""
    hold_all(tracer, call, "sizes or values there are constants of the model's forward")


def hold_all(tracer: "Tracer", call: Call, reason: str) -> None:
    """Hold every channel and every parameter that an operation reads, and forget what its result is made of."""
    for tensor in call.inputs:
        tracer.freeze(tensor, call.name)
        tracer.hold(tracer.labels(tensor), call.name, reason)
    for tensor in call.outputs:
        tracer.write(tensor, torch.zeros((), dtype=torch.int64))
