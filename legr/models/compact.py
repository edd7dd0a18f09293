"""Tensors without their slices of zeros: most of what a set of weights for small networks holds is never read."""

from collections.abc import Mapping

import torch
from torch import Tensor

from legr.errors import WeightsError

_DIMS = 2  # filters and channels; kernels are small
_NUMBERS = {torch.float64, torch.float32, torch.float16, torch.bfloat16}
_PREFIX = "kept"  # such as "kept0:conv1.weight": positions along dim 0, int32[kept], rising


def compact(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of which slices of zeros along the first two dims are left out; `expanded` brings them back."""
    found = {}
    for name, tensor in state.items():
        kept = tensor
        for dim in range(min(tensor.dim(), _DIMS)):
            others = [other for other in range(tensor.dim()) if other != dim]
            used = (tensor != 0).any(dim=others) if others else tensor != 0
            if tensor.is_floating_point() and not bool(used.all()):
                positions = used.nonzero().flatten()
                kept = kept.index_select(dim, positions)
                found[f"{_PREFIX}{dim}:{name}"] = positions.to(torch.int32)
        found[name] = kept
    return found


def expanded(tensors: Mapping[str, Tensor], shapes: Mapping[str, torch.Size], file: str) -> dict[str, Tensor]:
    """Tensors with the slices of zeros that `compact` left out.

    Args:
        shapes: of the whole tensors, by name; those of unknown names stay as they are.
        file: name of their file, for errors.

    Raises:
        WeightsError: positions do not fit a tensor.
    """
    found = {name: tensor for name, tensor in tensors.items() if not _is_positions(name)}
    for name in [name for name in tensors if _is_positions(name)]:
        dim, _, owner = name.removeprefix(_PREFIX).partition(":")
        if owner not in found or owner not in shapes:
            raise WeightsError(f"{file} does not fit the model: {name} belongs to no tensor; save it again")
        found[owner] = _spread(found[owner], int(dim), tensors[name], shapes[owner], f"{file}: {name}")
    return found


def _spread(tensor: Tensor, dim: int, positions: Tensor, shape: torch.Size, name: str) -> Tensor:
    fits = (
        not tensor.is_meta
        and not positions.is_meta
        and tensor.dtype in _NUMBERS
        and positions.dtype == torch.int32
        and dim < tensor.dim() == len(shape)
        and all(size <= most for size, most in zip(tensor.shape, shape, strict=True))
        and positions.shape == tensor.shape[dim : dim + 1]
        and bool((positions[1:] > positions[:-1]).all())
        and (not len(positions) or (int(positions[0]) >= 0 and int(positions[-1]) < shape[dim]))
    )
    if not fits:
        raise WeightsError(f"{name} does not fit its tensor: copy or download it again")
    whole = tensor.new_zeros([*tensor.shape[:dim], shape[dim], *tensor.shape[dim + 1 :]])
    return whole.index_copy_(dim, positions.long(), tensor)


def _is_positions(name: str) -> bool:
    prefix, colon, _ = name.partition(":")
    return bool(colon) and prefix in {f"{_PREFIX}{dim}" for dim in range(_DIMS)}
