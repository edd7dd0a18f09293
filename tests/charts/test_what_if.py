"""Costs of another number of filters are those of that network, counted by themselves."""

import numpy as np
import pytest
import torch
from torch import nn

from legr import BudgetCurve, filter_norms, trace
from legr.charts.layer_filters import layer_filters
from legr.charts.what_if import costs_by_count, with_count
from legr.models.zoo import build_model
from legr.ranking.constraints import Constraints
from legr.ranking.order import Ranker
from legr.structure.cost import cost, counts_of
from legr.structure.types import Keep
from tests.nets import N_UNITS, example, make


class Counting:
    """A device on which a network takes as many milliseconds as it has positions."""

    def milliseconds(self, counts: np.ndarray) -> np.ndarray:
        return counts.sum(axis=0).astype(np.float64)


def check(ranker: Ranker, curve: BudgetCurve, share: float) -> None:
    structure = ranker.structure
    keep = curve.at(macs=max(share, curve.floor))
    for layer in structure.layers:
        filters = layer_filters(ranker, curve, layer.name, None)
        found = costs_by_count(structure, keep, filters, device=Counting())
        assert (np.diff(found.kept) > 0).all() and found.kept[0] >= 1 and found.kept[-1] == layer.total
        assert found.latency_ms is not None
        for n, kept in enumerate(found.kept.tolist()):
            units = keep.units.copy()
            for place, number in enumerate(filters.numbers.tolist()):
                if layer.labels[number] > 0:
                    units[layer.labels[number] - 1] = place >= layer.total - kept
            expected = cost(structure, Keep(units))
            assert (found.macs[n], found.params[n]) == (expected.macs, expected.params)
            assert Keep(units).kept(layer.labels).sum() == kept
            assert np.array_equal(with_count(keep, filters, kept).units, units)
            assert found.latency_ms[n] == counts_of(structure, Keep(units)).sum()
        some = found.kept[1::2]
        fewer = costs_by_count(structure, keep, filters, some, Counting())
        assert fewer.latency_ms is not None
        assert fewer.kept.tolist() == some.tolist() and fewer.macs.tolist() == found.macs[1::2].tolist()
        assert fewer.latency_ms.tolist() == found.latency_ms[1::2].tolist()


@pytest.mark.parametrize("kind", N_UNITS, ids=lambda kind: kind.__name__)
def test_costs_are_those_of_the_networks_themselves(kind: type[nn.Module]) -> None:
    model = make(kind).eval()
    structure = trace(model, example())
    ranker = Ranker(structure, filter_norms(model, structure))
    check(ranker, BudgetCurve(structure, ranker.rank()), 0.6)


def test_so_they_are_with_blocks_that_have_left() -> None:
    model = build_model("cifar_resnet20", 10, seed=0).eval()
    structure = trace(model, torch.zeros(1, 3, 16, 16))
    ranker = Ranker(structure, filter_norms(model, structure))
    check(ranker, BudgetCurve(structure, ranker.rank(constraints=Constraints(multiple=8, blocks=True))), 0.3)
