"""A layer's filters: their scores by hand, and when they leave, by the networks of many budgets."""

import numpy as np
import pytest
import torch

from legr import BudgetCurve, Structure, filter_norms, trace
from legr.charts.layer_filters import layer_filters
from legr.errors import SettingsError
from legr.models.zoo import build_model
from legr.ranking.constraints import Constraints
from legr.ranking.order import Ranker
from legr.ranking.types import Affine
from tests.nets import N_UNITS, example, make


def ranker_of(name: str = "cifar_resnet8") -> Ranker:
    torch.manual_seed(0)
    model = build_model(name, 10, seed=3).eval()
    structure = trace(model, torch.zeros(1, 3, 16, 16))
    return Ranker(structure, filter_norms(model, structure))


def affine_of(structure: Structure) -> Affine:
    rng = np.random.default_rng(0)
    n_layers = len(structure.layers)
    return Affine(np.exp(rng.normal(0, 0.3, n_layers)), rng.normal(0, 0.5, n_layers))


@pytest.mark.parametrize(
    "constraints",
    [
        Constraints(),
        Constraints(multiple=4),
        Constraints(multiple=4, blocks=True),
        Constraints(pins={"layer2.0.conv1": 20}),
    ],
    ids=["plain", "fours", "blocks", "pinned"],
)
def test_a_filter_is_there_from_the_budget_on_that_is_named(constraints: Constraints) -> None:
    ranker = ranker_of()
    affine = affine_of(ranker.structure)
    curve = BudgetCurve(ranker.structure, ranker.rank(affine, constraints))
    for number, layer in enumerate(ranker.structure.layers):
        found = layer_filters(ranker, curve, layer.name, affine)
        assert sorted(found.numbers.tolist()) == list(range(layer.total))
        assert (found.gone_below[:-1] >= found.gone_below[1:]).all()  # the first to leave comes first
        for step in range(0, len(curve.macs), 7):
            kept = curve.keep(step).kept(layer.labels)
            fraction = curve.macs[step] / curve.original.macs
            is_there = found.gone_below <= fraction
            assert is_there.sum() == curve.kept[number, step]  # none of a layer that has left with its block
            assert (kept[found.numbers] == is_there).all() or not is_there.any()


def test_scores_are_those_of_the_filters_that_leave_together() -> None:
    ranker = ranker_of()
    structure, affine = ranker.structure, affine_of(ranker.structure)
    curve = BudgetCurve(structure, ranker.rank(affine))
    found = layer_filters(ranker, curve, "conv1", affine)
    names = [layer.name for layer in structure.layers]
    assert (found.alpha, found.kappa) == (affine.alpha[0], affine.kappa[0])
    assert [partner.layer for partner in found.partners] == ["layer1.0.conv2"] and found.partners[0].shared == 16
    other = names.index("layer1.0.conv2")
    for row, number in enumerate(found.numbers):
        own = affine.alpha[0] * ranker.norms.values[0][number] + affine.kappa[0]
        with_it = affine.alpha[other] * ranker.norms.values[other][number] + affine.kappa[other]
        assert found.norms[row] == ranker.norms.values[0][number]
        assert found.own[row] == pytest.approx(own) and found.scores[row] == pytest.approx(own + with_it)
    assert (np.diff(found.scores[: len(found.scores) - found.stay]) >= 0).all()  # one by one they leave in this order


def test_the_uniform_ranking_has_no_map() -> None:
    ranker = ranker_of()
    curve = BudgetCurve(ranker.structure, ranker.rank_uniform())
    found = layer_filters(ranker, curve, "layer1.0.conv1", None)
    assert found.alpha is None and found.kappa is None and not found.own.any()
    np.testing.assert_allclose(found.scores, (np.arange(16) + 0.5) / 16)


def test_unprunable_filters_come_last_and_have_no_score() -> None:
    for kind in N_UNITS:
        model = make(kind)
        structure = trace(model, example())
        ranker = Ranker(structure, filter_norms(model, structure))
        curve = BudgetCurve(structure, ranker.rank())
        for layer in structure.layers:
            found = layer_filters(ranker, curve, layer.name, Affine.identity(len(structure.layers)))
            fixed = layer.labels[found.numbers] == 0
            assert (np.isnan(found.scores) == fixed).all() and not found.gone_below[fixed].any(), kind
            assert not fixed.any() or fixed[-fixed.sum() :].all()


def test_another_name_is_refused() -> None:
    ranker = ranker_of()
    curve = BudgetCurve(ranker.structure, ranker.rank())
    with pytest.raises(SettingsError, match="fc is no layer whose filters are ranked"):
        layer_filters(ranker, curve, "fc", None)
