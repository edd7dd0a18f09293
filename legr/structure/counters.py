"""Count what a network costs by running it: the check on every cost that `cost` predicts.

Nothing here reads a structure, so a wrong one cannot make a count wrong.
"""

import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from legr.structure.examples import Inputs, as_example
from legr.structure.macs import counted, mac_counter
from legr.structure.model_io import as_traced
from legr.structure.state import State
from legr.structure.types import Cost

_FLOAT = 4  # bytes: activations are counted in float32


def count(model: nn.Module, example_input: Inputs) -> Cost:
    """Run a network once, in its own mode and dtype, and count MACs, parameters and activation memory."""
    example = as_example(model, example_input)
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    live = LiveBytes(model, example.tensors)
    recurrent = any(isinstance(module, nn.RNNBase) for module in model.modules())  # a fused one keeps other tensors
    kept = State(model)  # a forward may build caches, which would be of no use in training
    conditions = (
        kept.running(),
        _onednn(on=not recurrent),
        as_traced(model, dtype),
        _without_gradients(model),
        torch.inference_mode(),
    )
    with ExitStack() as stack:
        for condition in conditions:
            stack.enter_context(condition)
        with mac_counter() as macs, live:
            example.run(model)
    return Cost(counted(macs), sum(p.numel() for p in model.parameters()), live.peak)


@contextmanager
def _onednn(*, on: bool) -> Iterator[None]:
    """Leave oneDNN as it is, or switch it off for a while.

    PyTorch's own `flags` sets more than that, and warns of TF32 where there is no such device.
    """
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = before and on  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before


@contextmanager
def _without_gradients(model: nn.Module) -> Iterator[None]:
    """Switch `requires_grad` off for a while.

    `FlopCounterMode` hooks into the gradient of every tensor that a module is called on. In inference mode a
    parameter that requires a gradient has nothing to hook into, and that is an error.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)


class LiveBytes(TorchDispatchMode):
    """Follows the lifetimes of storages: `peak` is the largest sum of bytes alive after any operation.

    Args:
        model: its parameters and buffers are not counted.
        inputs: counted from beginning to end, as the caller keeps them alive.
    """

    def __init__(self, model: nn.Module, inputs: Sequence[Tensor]) -> None:
        super().__init__()
        self._uncounted = {x.untyped_storage()._cdata for x in (*model.parameters(), *model.buffers(), *inputs)}
        self._alive: set[int] = set()  # storages that are counted
        self.now = sum(_bytes(x) for x in inputs)
        self.peak = self.now

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for tensor in tree_leaves((args, kwargs)):
            if isinstance(tensor, Tensor):
                self._count(tensor, 0)  # a constant, made before the pass
        output = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(output):
            if isinstance(tensor, Tensor):
                self._count(tensor, _bytes(tensor))
        self.peak = max(self.peak, self.now)
        return output

    def _count(self, tensor: Tensor, size: int) -> None:
        """Count the storage of a tensor from now on until it is freed, unless it is counted already."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._uncounted or key in self._alive:
            return
        self._alive.add(key)
        self.now += size
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self.now -= size


def _bytes(tensor: Tensor) -> int:
    elements = tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)
    if tensor.is_complex():
        return elements * 2 * _FLOAT
    return elements * (_FLOAT if tensor.is_floating_point() else tensor.element_size())
