"""Whether a network runs the same operations in training mode as in evaluation mode.

Batch norms, dropout and stochastic depth are the same operation in both modes: per channel, or for every channel alike.
Anything else that a training forward adds, leaves out or does with other tensors or constants makes a difference.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from legr.structure.copies import DROPOUTS
from legr.structure.examples import Example
from legr.structure.model_io import output_values, reseed
from legr.structure.operations import Call, base_name, parameter_names
from legr.structure.state import storage_of

#: What an operation is told of the mode, and of how it draws numbers.
_OF_THE_MODE = (
    *("training", "train", "use_input_stats", "momentum", "exponential_average_factor", "cudnn_enabled"),
    *("p", "dropout", "dropout_p", "generator"),
)
_FREE, _OF_THE_MODEL, _OF_THE_INPUT = range(3)  # what a tensor is computed from


class OperationLog(TorchDispatchMode):
    """Writes down, for one forward pass, every operation with its constants and where its operands come from.

    Two passes are the same if their `entries` are.

    Args:
        foreign: paths of tensors that the network must not read, by storage.
    """

    def __init__(self, network: nn.Module, inputs: Iterable[Tensor], foreign: Mapping[int, str]) -> None:
        super().__init__()
        self.entries: list[tuple[Any, ...]] = []
        self.foreign_read: str | None = None
        self._foreign = foreign
        self._sources: dict[int, tuple[Any, int]] = {}  # storage -> what wrote it last, what it is computed from
        for name, tensor in (*network.named_parameters(), *network.named_buffers()):
            self._sources[storage_of(tensor)] = name, _OF_THE_MODEL
        for number, x in enumerate(inputs):
            self._sources[storage_of(x)] = f"input {number}", _OF_THE_INPUT

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = Call(func, args, kwargs or {}, func(*args, **(kwargs or {})))
        operands = call.inputs
        for tensor in operands:
            self.foreign_read = self.foreign_read or self._foreign.get(storage_of(tensor))
        sources = [self._source(tensor) for tensor in operands]
        result = self._passed_on(call, operands, sources)
        if result is None:
            depends_on = max((kind for _, kind in sources), default=_FREE)
            result = len(self.entries), depends_on
            counts = depends_on == _OF_THE_MODEL and all(x.numel() == 1 for x in (*operands, *call.outputs))
            if depends_on != _FREE and not counts:
                self.entries.append((base_name(func), *(name for name, _ in sources), *_constants(call)))
        for tensor in call.outputs:
            self._sources[storage_of(tensor)] = result
        return call.output

    def returned(self, values: Mapping[str, Tensor]) -> None:
        """Note what the forward has returned."""
        self.entries.append(("return", *((name, self._source(tensor)[0]) for name, tensor in values.items())))

    def _source(self, tensor: Tensor) -> tuple[Any, int]:
        return self._sources.get(storage_of(tensor), (tuple(tensor.shape), _FREE))

    def _passed_on(self, call: Call, operands: list[Tensor], sources: list[tuple[Any, int]]) -> tuple[Any, int] | None:
        """The source of the operand that dropout or stochastic depth passes on; None for any other operation."""
        name = base_name(call.func)
        if name in DROPOUTS and operands:
            return sources[0]
        if name not in ("mul", "div") or not sources or sources[0][1] == _FREE:
            return None
        masks = zip(operands[1:], sources[1:], strict=True)
        a_number_a_sample = [kind == _FREE and x.numel() == (x.shape[0] if x.dim() else 1) for x, (_, kind) in masks]
        return sources[0] if a_number_a_sample and all(a_number_a_sample) else None


def run_logged(network: nn.Module, call: Example, foreign: Mapping[int, str]) -> tuple[dict[str, Tensor], OperationLog]:
    """Call a network once, in the mode that it is in; its output by place, and what it did."""
    private = call.map(torch.clone)
    log = OperationLog(network, private.tensors, foreign)
    values = run(network, private, log)
    log.returned(values)
    return values, log


def run(network: nn.Module, call: Example, log: AbstractContextManager[Any] | None = None) -> dict[str, Tensor]:
    """Call a network once, in the mode that it is in; its output by place."""
    reseed()
    with torch.inference_mode(), log or nullcontext():
        output = call.run(network)
    return output_values(output)


def _constants(call: Call) -> tuple[str, ...]:
    """Every argument that is no tensor, as text."""
    named = (*zip(parameter_names(call.func), call.args, strict=False), *call.kwargs.items())
    return tuple(
        f"{name}={value}"
        for name, value in named
        if name not in _OF_THE_MODE and not isinstance(value, Tensor) and not _holds_tensors(value)
    )


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(item, Tensor) for item in value)
