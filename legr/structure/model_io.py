"""A model from outside: a private copy to work on, its inputs, the tensors in its output."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_leaves, tree_map_only

from legr.errors import TraceError

_LARGE = 100_000  # elements of a weight
Inputs = Tensor | tuple[Any, ...]


def output_tensors(output: Any) -> list[Tensor]:
    """Every tensor in a model's output: a tensor, or tuples, lists and dicts of them.

    Raises:
        TraceError: the output holds an object of an unknown class, or no tensor at all.
    """
    leaves = tree_leaves(output)
    for leaf in leaves:
        if not (leaf is None or isinstance(leaf, (Tensor, int, float, str))):
            raise TraceError(
                f"the model returns a {type(leaf).__name__}, whose tensors cannot be found; "
                "wrap it to return a tensor, or a tuple, list or dict of tensors"
            )
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    if not tensors:
        raise TraceError("the model returns no tensor; wrap it to return one")
    return tensors


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


def as_inputs(example_input: Inputs) -> tuple[Any, ...]:
    """An example input as a tuple of arguments on the CPU."""
    inputs = example_input if isinstance(example_input, tuple) else (example_input,)
    if not any(isinstance(x, Tensor) for x in tree_leaves(inputs)):
        raise TraceError(
            "example_input must be a tensor or a tuple that holds one, such as torch.zeros(1, 3, 224, 224)"
        )
    moved: tuple[Any, ...] = tree_map_only(Tensor, lambda x: x.detach().cpu(), inputs)
    return moved


def noise_like(inputs: tuple[Any, ...], dtype: torch.dtype, generator: torch.Generator) -> tuple[Any, ...]:
    """Normal random numbers in the shapes of the inputs; integer tensors and other arguments stay as they are."""
    noise: tuple[Any, ...] = tree_map_only(
        Tensor,
        lambda x: torch.randn(x.shape, generator=generator, dtype=dtype) if x.is_floating_point() else x,
        inputs,
    )
    return noise


def inputs_dtype(inputs: tuple[Any, ...]) -> torch.dtype:
    """The floating type of the inputs; float64 where they are integers."""
    floats = [x.dtype for x in tree_leaves(inputs) if isinstance(x, Tensor) and x.is_floating_point()]
    return floats[0] if floats else torch.float64


def twice(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """A batch of every input twice: batch norms in training mode refuse a single value."""
    doubled: tuple[Any, ...] = tree_map_only(Tensor, lambda x: torch.cat((x, x)) if x.dim() else x, inputs)
    return doubled


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
