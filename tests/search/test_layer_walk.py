"""Decisions follow the budget and respect floors; the map of some decisions leads to exactly the network they mean."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import legr
from legr.errors import SettingsError
from legr.ranking.blocks import floor_of
from legr.ranking.order import Ranker
from legr.search.layer_walk import FEATURES, LayerWalk
from legr.search.pricing import Pricing
from legr.structure.cost import cost, original_cost
from legr.structure.types import Keep
from legr.study.store import Study
from tests.nets import Chain, Residual
from tests.ranking.devices import Lanes
from tests.search.test_learn import Uneven

BUDGET = 0.4


def ranker_of(model: nn.Module, *shape: int) -> Ranker:
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter))
    structure = legr.trace(model, torch.zeros(1, *shape))
    return Ranker(structure, legr.filter_norms(model, structure))


@pytest.fixture
def pricing(made_study: Path) -> Pricing:
    return Pricing(Study.open(made_study).ranker)


def decided(walk: LayerWalk, wanted: float | np.random.Generator) -> list[int]:
    """Decisions that are as near to some shares as the budget allows."""
    numbers: list[int] = []
    for decision in walk.decisions:
        share = wanted if isinstance(wanted, float) else wanted.random()
        numbers.append(int(np.clip(round(share * decision.total), *walk.bounds(numbers))))
    return numbers


def kept_of(pricing: Pricing, walk: LayerWalk, numbers: list[int], budget: float) -> tuple[list[int], float]:
    """Filters of each decision's first layer in the network at the budget, and its share of the MACs."""
    curve = pricing.curve(walk.affine(numbers))
    step = curve.step(macs=budget)
    share = cost(pricing.ranker.structure, curve.keep(step)).macs / curve.original.macs
    return [int(curve.kept[decision.layers[0], step]) for decision in walk.decisions], share


@pytest.mark.parametrize("wanted", [0.0, 1.0, 0.3, "random"])
def test_the_network_at_the_budget_is_the_one_that_was_decided(pricing: Pricing, wanted: float | str) -> None:
    walk = LayerWalk(pricing, BUDGET)
    share = np.random.default_rng(1) if isinstance(wanted, str) else wanted
    numbers = decided(walk, share)
    kept, macs = kept_of(pricing, walk, numbers, BUDGET)
    assert kept == numbers
    assert BUDGET - 0.03 < macs <= BUDGET  # not a filter more would fit where the last one decides
    for decision in walk.decisions:
        layer = pricing.ranker.structure.layers[decision.layers[0]]
        assert decision.least == floor_of(layer.total)
    assert all(decision.least <= n <= decision.total for decision, n in zip(walk.decisions, numbers, strict=True))


def macs_of(pricing: Pricing, walk: LayerWalk, numbers: list[int]) -> float:
    """Share of the MACs of the network that keeps the units with a score above 0."""
    structure = pricing.ranker.structure
    keep = Keep(pricing.ranker.scores(walk.affine(numbers)) > 0)
    return cost(structure, keep).macs / original_cost(structure).macs


def test_a_share_is_clipped_where_later_layers_at_their_floors_would_break_the_budget(pricing: Pricing) -> None:
    walk = LayerWalk(pricing, BUDGET)
    numbers = decided(walk, 1.0)
    place = next(i for i, decision in enumerate(walk.decisions) if numbers[i] < decision.total)
    floors = [decision.least for decision in walk.decisions[place + 1 :]]
    assert macs_of(pricing, walk, [*numbers[: place + 1], *floors]) <= BUDGET
    assert macs_of(pricing, walk, [*numbers[:place], numbers[place] + 1, *floors]) > BUDGET
    assert numbers[-1] == walk.decisions[-1].least


def test_a_share_is_raised_where_later_layers_could_not_use_the_budget(pricing: Pricing) -> None:
    walk = LayerWalk(pricing, BUDGET)
    numbers = decided(walk, 0.0)
    place = next(i for i, decision in enumerate(walk.decisions) if numbers[i] > decision.least)
    rest = [decision.total for decision in walk.decisions[place + 1 :]]
    assert macs_of(pricing, walk, [*numbers[: place + 1], *rest]) >= BUDGET
    assert macs_of(pricing, walk, [*numbers[:place], numbers[place] - 1, *rest]) < BUDGET


def test_layers_that_share_units_are_one_decision() -> None:
    """Stem and outer write one stream of 8 channels, so two decisions are left of three layers."""
    walk = LayerWalk(Pricing(ranker_of(Residual(), 3, 8, 8)), 0.5)
    assert [(d.layers, d.total, d.least) for d in walk.decisions] == [((0, 2), 8, 2), ((1,), 6, 2)]


def test_scores_cross_zero_at_the_decided_number() -> None:
    ranker = ranker_of(Chain(), 3, 7, 7)
    walk = LayerWalk(Pricing(ranker), 0.5)
    numbers = [5, 12, 4]
    assert [d.total for d in walk.decisions] == [8, 12, 10]
    scores = ranker.scores(walk.affine(numbers))
    above = [int((scores[group.units] > 0).sum()) for group in ranker.structure.groups]
    assert above == numbers
    norms = np.sort(ranker.norms.values[0])[::-1]
    affine = walk.affine(numbers)
    assert 1 / affine.alpha[0] == pytest.approx((norms[4] + norms[5]) / 2)
    assert affine.kappa[0] == pytest.approx(-1)


def test_states_say_where_the_walk_is() -> None:
    """Chain at 7 x 7: conv1 has 3 inputs, 9 weights, 49 positions; conv2 8 inputs, 9 positions; fc1 108 inputs, 1."""
    ranker = ranker_of(Chain(), 3, 7, 7)
    walk = LayerWalk(Pricing(ranker), 0.5)
    macs = np.array([8 * 3 * 9 * 49, 12 * 8 * 9 * 9, 108 * 10, 10 * 4])
    states = walk.states([4, 6, 5])
    assert states.shape == (3, len(FEATURES))
    by_name = dict(zip(FEATURES, states.T, strict=True))
    assert by_name["place"] == pytest.approx([0, 0.5, 1])
    assert by_name["filters"] == pytest.approx([8 / 12, 1, 10 / 12])
    assert by_name["inputs"] == pytest.approx([3 / 108, 8 / 108, 1])
    assert by_name["kernel"] == pytest.approx([1, 1, 1 / 9])
    assert by_name["positions"] == pytest.approx([1, 9 / 49, 1 / 49])
    assert by_name["macs"] == pytest.approx(macs[:3] / macs.sum())
    assert by_name["left"] == pytest.approx([(macs[1] + macs[2]) / macs.sum(), macs[2] / macs.sum(), 0])
    assert by_name["last share"] == pytest.approx([1, 0.5, 0.5])
    half = macs / 2  # after the first decision half of conv1 has left, and half of what conv2 reads
    assert by_name["removed"][:2] == pytest.approx([0, (half[0] + half[1]) / macs.sum()])
    assert walk.states([4]) == pytest.approx(states[:2])


def test_layers_of_several_groups_keep_the_same_share_of_each() -> None:
    ranker = ranker_of(Uneven(), 3, 16, 16)
    pricing = Pricing(ranker)
    walk = LayerWalk(pricing, 0.5)
    assert len(walk.decisions) == 1 and len(walk.decisions[0].groups) == 2
    numbers = decided(walk, 0.5)
    curve = pricing.curve(walk.affine(numbers))
    keep = curve.at(macs=0.5)
    shares = [keep.units[group.units].mean() for group in ranker.structure.groups]
    assert abs(shares[0] - shares[1]) < 0.15
    assert cost(ranker.structure, keep).macs <= 0.5 * curve.original.macs


def test_milliseconds_of_a_device_are_a_budget_as_well(made_study: Path) -> None:
    study = Study.open(made_study)
    pricing = Pricing(study.ranker, Lanes(study.structure), 8)
    walk = LayerWalk(pricing, 0.6)
    curve = pricing.curve(walk.affine(decided(walk, np.random.default_rng(0))))
    latency = curve.latency[pricing.step(curve, 0.6)]
    assert latency <= 0.6 * (curve.original.latency_ms or 0.0)


def test_a_network_that_cannot_lose_a_filter_is_refused() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Conv2d(2, 3, 1))
    with pytest.raises(SettingsError, match="rl needs layers that can lose filters, and this network has none"):
        LayerWalk(Pricing(ranker_of(model, 3, 4, 4)), 0.5)
