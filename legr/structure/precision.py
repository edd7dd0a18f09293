"""One precision for a whole forward, whatever types it names: a proof is made in float64."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from legr.structure.operations import base_name

COMPLEX = {torch.float64: torch.complex128, torch.float32: torch.complex64}  # by the type of its parts


def in_precision(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Convert parameters and buffers in place; `Module.to` would lose the imaginary part of complex ones."""

    def convert(x: Tensor) -> Tensor:
        if x.is_complex():
            return x.to(COMPLEX[dtype])
        return x.to(dtype) if x.is_floating_point() else x

    converted: nn.Module = network._apply(convert)  # as `Module.to` does; `double` may be the network's own method
    return converted


class OnePrecision(TorchDispatchMode):
    """Lets a forward compute in the default dtype where it names another: `x.float()` and `x.half()` change nothing.

    Pixels become numbers of that dtype, and a network that computes in bfloat16 can be proved.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        named = any(isinstance(value, torch.dtype) for value in (*args, *kwargs.values()))
        if named and base_name(func) != "view":  # that one reads the same bytes as another type
            args, kwargs = tree_map_only(torch.dtype, _instead_of, (args, kwargs))
        return func(*args, **kwargs)


def _instead_of(dtype: torch.dtype) -> torch.dtype:
    usual = torch.get_default_dtype()
    if dtype.is_complex:
        return COMPLEX[usual]
    return usual if dtype.is_floating_point else dtype
