"""A parameter or buffer as an operation sees it: itself, transposed, or in another shape."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class ParameterView:
    """A parameter or buffer seen by an operation: the tensor's dim i is the parameter's dim `dims[i]`."""

    name: str
    dims: tuple[int | None, ...]


def view_of(name: str, source: Tensor, tensor: Tensor) -> ParameterView | None:
    """A tensor in the storage of a parameter as a view of it, dims matched by size and stride; None for a part of it.

    Args:
        name: of the parameter.
        source: the parameter.
    """
    if source.storage_offset() != tensor.storage_offset() or source.numel() != tensor.numel():
        return None
    if source.shape == tensor.shape and source.stride() == tensor.stride():
        return ParameterView(name, tuple(range(tensor.dim())))
    dim_of = {key: dim for dim, key in enumerate(zip(source.shape, source.stride(), strict=True))}
    keys = zip(tensor.shape, tensor.stride(), strict=True)
    return ParameterView(name, tuple(dim_of.get(key) for key in keys))
