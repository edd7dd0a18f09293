"""Scores of filters that a learned map could be applied to instead of the sum of squares."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.studies import CPU, Bench
from legr.data.batches import iterate
from legr.ranking.order import Ranker
from legr.ranking.types import FloatArray, Norms
from legr.structure.types import Layer


def _by_filter(value: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Bench], Ranker]:
    """Scores that a filter has by its own weights; `value` gets them as float64[filters, weights]."""

    def ranker(bench: Bench) -> Ranker:
        weights = [(bench.model.get_parameter(layer.parameter), layer) for layer in bench.structure.layers]
        values = [value(_rows(weight, layer)).numpy() for weight, layer in weights]
        return Ranker(bench.structure, Norms(tuple(values)))

    return ranker


def _rows(values: torch.Tensor, layer: Layer) -> torch.Tensor:
    """Values of a layer's weights as float64[filters, weights]."""
    return values.detach().double().movedim(layer.dim, 0).flatten(1)


def _norm_scale(bench: Bench) -> Ranker:
    """Size of the scale of the norm that is declared after a convolution."""
    parameters = dict(bench.model.named_parameters())
    names = list(parameters)
    values = []
    for layer in bench.structure.layers:
        scale = parameters[names[names.index(layer.parameter) + 1]]
        assert scale.shape == (layer.total,), "a norm must follow the convolution"
        values.append(scale.detach().double().abs().numpy())
    return Ranker(bench.structure, Norms(tuple(values)))


def _taylor(bench: Bench) -> Ranker:
    """Squared first-order change of the loss when a filter goes, on 1,024 training images (Molchanov et al., 2019)."""
    order = torch.randperm(len(bench.dataset.train), generator=torch.Generator().manual_seed(0))[:1024]
    values: list[FloatArray] = [np.zeros(layer.total) for layer in bench.structure.layers]
    for inputs, labels in iterate(bench.dataset.train, bench.normalization, batch=128, device=CPU, order=order):
        bench.model.zero_grad()
        F.cross_entropy(bench.model.eval()(inputs), labels).backward()
        for number, layer in enumerate(bench.structure.layers):
            weight = bench.model.get_parameter(layer.parameter)
            assert weight.grad is not None
            change = _rows(weight * weight.grad, layer).sum(1)
            values[number] = values[number] + change.square().numpy()
    bench.model.zero_grad()
    return Ranker(bench.structure, Norms(tuple(values)))


BASES: dict[str, Callable[[Bench], Ranker]] = {
    "L2": lambda bench: bench.study.ranker,
    "L1": _by_filter(lambda w: w.abs().sum(1)),
    "norm scale": _norm_scale,
    "Taylor": _taylor,
    "median": _by_filter(lambda w: torch.cdist(w, w).sum(1)),  # He et al., 2019: far from the others is dear
    "layer's mean": _by_filter(lambda w: w.square().sum(1) / w.square().sum(1).mean()),
}
