"""Filter norms of a model: the raw importance that the learned map rescales."""

from torch import nn

from legr.ranking.types import Norms
from legr.structure.types import Structure


def filter_norms(model: nn.Module, structure: Structure) -> Norms:
    """Sum of squares of each filter's weights, float64[filters], for every layer of `structure`."""
    values = []
    for layer in structure.layers:
        weight = model.get_parameter(layer.parameter).detach().double().cpu().movedim(layer.dim, 0)
        values.append(weight.square().flatten(1).sum(1).numpy())
    return Norms(tuple(values))
