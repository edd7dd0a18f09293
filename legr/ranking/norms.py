"""Filter norms of a model: the raw importance that the learned map rescales."""

from torch import Tensor, nn

from legr.ranking.types import Norms
from legr.structure.types import Structure


def filter_norms(model: nn.Module, structure: Structure) -> Norms:
    """Sum of squares of each filter's weights, float64[filters], for every layer of `structure`."""
    values = []
    for layer in structure.layers:
        weight = _masked(model, layer.parameter).detach().abs().double().cpu().movedim(layer.dim, 0)
        values.append(weight.square().flatten(1).sum(1).numpy())
    return Norms(tuple(values))


def _masked(model: nn.Module, name: str) -> Tensor:
    """A parameter, times the mask that `torch.nn.utils.prune` has put beside it."""
    parameter, buffers = model.get_parameter(name), dict(model.named_buffers())
    mask = buffers.get(f"{name.removesuffix('_orig')}_mask") if name.endswith("_orig") else None
    return parameter if mask is None else parameter * mask
