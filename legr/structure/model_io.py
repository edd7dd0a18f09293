"""A model from outside: a private copy to work on, and the values in its output."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy

from legr.errors import TraceError
from legr.structure.trees import named_leaves

_LARGE = 100_000  # elements of a weight


def output_values(output: Any) -> dict[str, Tensor]:
    """Everything in a model's output by its place: tensors as they are, numbers and texts as tensors.

    Raises:
        TraceError: the output holds an object that cannot be looked into, or no tensor at all.
    """
    leaves = {name: leaf for name, leaf in named_leaves(output) if leaf is not None}
    if not any(isinstance(leaf, Tensor) for leaf in leaves.values()):
        raise TraceError("the model returns no tensor; wrap it to return one")
    values = {name: _as_tensor(leaf) for name, leaf in leaves.items()}
    return {name: value for name, value in values.items() if value is not None}


def _as_tensor(leaf: Any) -> Tensor | None:
    """A tensor, number or text as a tensor; None for other plain values, such as a device."""
    if isinstance(leaf, Tensor):
        return leaf
    if isinstance(leaf, np.generic):
        leaf = leaf.item()
    if isinstance(leaf, (bool, int, float, complex)):
        return torch.tensor(leaf, dtype=torch.complex128 if isinstance(leaf, complex) else torch.float64)
    return torch.tensor(list(leaf.encode()), dtype=torch.float64) if isinstance(leaf, str) else None


def require_followable(model: nn.Module) -> None:
    """Refuse a model whose parameters have no values yet, or whose forward is not run by Python.

    Raises:
        TraceError: it is lazy, on the meta device, or scripted.
    """
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if is_lazy(tensor) or tensor.is_meta:
            raise TraceError(f"{name} has no values yet; run the model once, or load its weights, and try again")
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        raise TraceError("the model is scripted (torch.jit), so its forward cannot be followed; use the Python module")


def private_copy(model: nn.Module, *, sharing: bool = False) -> nn.Module:
    """Copy a model to the CPU in evaluation mode; its forward hooks stay, as they may change what it computes.

    Args:
        sharing: share large weights with the model instead of copying them; they must not be written into.

    Raises:
        TraceError: the model cannot be copied (legacy `weight_norm`, for one).
    """
    require_followable(model)
    shared = [p for p in model.parameters() if sharing and p.dtype == torch.float32 and not p.is_cuda and is_large(p)]
    try:
        network = copy.deepcopy(model, {id(p): p for p in shared})
    except Exception as error:
        raise TraceError(
            f"{type(model).__name__} cannot be copied ({error}); remove what computes a weight on the fly "
            "(torch.nn.utils.remove_weight_norm, parametrize.remove_parametrizations) or what it keeps of an "
            "earlier forward, and try again"
        ) from error
    for module in network.modules():
        module._backward_hooks.clear()
        module._backward_pre_hooks.clear()
    return network.cpu().eval()


def is_large(parameter: Tensor) -> bool:
    """Whether a weight is worth sharing: it is large, and keeps its values in a stand-in (see `copies.py`)."""
    return parameter.numel() > _LARGE and bool(parameter.flatten()[1:_LARGE].ne(parameter.flatten()[0]).any())


@contextmanager
def as_traced(dtype: torch.dtype) -> Iterator[None]:
    """Conditions for following a forward: no fused attention, no change to the global random state."""
    fast, usual = torch.backends.mha.get_fastpath_enabled(), torch.get_default_dtype()
    torch.backends.mha.set_fastpath_enabled(False)
    torch.set_default_dtype(dtype)  # for tensors that the forward creates
    try:
        with sdpa_kernel(SDPBackend.MATH), torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.set_default_dtype(usual)
