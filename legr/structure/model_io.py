"""A model from outside: a private copy to work on, and the values in its output."""

import copy
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy
from torch.nn.utils.weight_norm import WeightNorm
from torch.overrides import TorchFunctionMode

from legr.errors import TraceError
from legr.structure.caches import without_caches
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


def tensors_by_name(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers by every name that they have."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


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
    for name, module in model.named_modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and not getattr(module, hook.name).is_leaf:
                raise TraceError(
                    f"{f'{name}.{hook.name}'.strip('.')} is computed on the fly by the former weight_norm; call "
                    "torch.nn.utils.remove_weight_norm, or use torch.nn.utils.parametrizations.weight_norm"
                )


def private_copy(model: nn.Module, *, sharing: bool = False) -> nn.Module:
    """Copy a model to work on; its forward hooks stay, as they may change what it computes.

    Args:
        sharing: share large weights with the model instead of copying them; they must not be written into.

    Raises:
        TraceError: something that the model holds cannot be copied.
    """
    shared = [p for p in model.parameters() if sharing and p.dtype == torch.float32 and not p.is_cuda and is_large(p)]
    network = deep_copy(model, {id(p): p for p in shared})
    for module in network.modules():
        module._backward_hooks.clear()
        module._backward_pre_hooks.clear()
    return network


class _Detached(TorchFunctionMode):
    """Lets tensors be copied that a graph of gradients stands behind: the copy has their values alone."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.__deepcopy__ and not args[0].is_leaf:
            tensor, memo = args
            memo[id(tensor)] = tensor.detach().clone()
            return memo[id(tensor)]
        return func(*args, **(kwargs or {}))


def deep_copy(model: nn.Module, memo: dict[int, Any] | None = None) -> nn.Module:
    """Copy a model, also one that keeps features of a training pass.

    Args:
        memo: by identity of some objects, what stands in their place in the copy; grows by all that is copied.

    Raises:
        TraceError: something that the model holds cannot be copied.
    """
    try:
        with _Detached():
            return copy.deepcopy(model, memo)
    except Exception as error:
        raise TraceError(
            f"{type(model).__name__} cannot be copied ({error}); remove what it holds that is no part of it, such as "
            "a lock or an open file, and try again"
        ) from error


def is_large(parameter: Tensor) -> bool:
    """Whether a weight is worth sharing: it is large, and keeps its values in a stand-in (see `copies.py`)."""
    return parameter.numel() > _LARGE and bool(parameter.flatten()[1:_LARGE].ne(parameter.flatten()[0]).any())


def reseed(seed: int = 0) -> None:
    """Let every global generator of numbers start anew: a forward that draws numbers then draws the same ones again."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    random.seed(seed)
    np.random.seed(seed)


@contextmanager
def as_traced(model: nn.Module, dtype: torch.dtype, devices: Sequence[int] = ()) -> Iterator[None]:
    """Conditions for following a forward: no fused attention, no cached results, no change to the global random state.

    Args:
        model: whose forward it is, or that of its copies.
        devices: CUDA devices whose random state is put back as well.
    """
    drawn, drawn_by_numpy = random.getstate(), np.random.get_state()
    fast, usual = torch.backends.mha.get_fastpath_enabled(), torch.get_default_dtype()
    torch.backends.mha.set_fastpath_enabled(False)
    torch.set_default_dtype(dtype)  # for tensors that the forward creates
    try:
        with sdpa_kernel(SDPBackend.MATH), torch.random.fork_rng(devices=devices), without_caches(model):
            yield
    finally:
        random.setstate(drawn)
        np.random.set_state(drawn_by_numpy)
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.set_default_dtype(usual)


def first_line(error: Exception) -> str:
    """What an error says, in its first line; with its kind where that alone says little."""
    text = str(error).strip()
    text = f"{type(error).__name__}: {text}" if isinstance(error, LookupError) or not text else text
    return text.splitlines()[0][:200]
