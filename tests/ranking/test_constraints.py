"""Constraints: multiples, floors, excluded layers and pins, worked out by hand."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest

import legr
from legr.ranking.blocks import floor_of
from legr.ranking.constraints import MULTIPLES
from legr.structure.types import Structure
from tests.ranking import by_hand

SEEDS = range(40)


def norms_of(structure: Structure, **values: list[float]) -> legr.Norms:
    return legr.Norms(tuple(np.array(values[layer.name], dtype=np.float64) for layer in structure.layers))


def kept(structure: Structure, ranking: legr.Ranking) -> Mapping[str, list[int]]:
    curve = legr.BudgetCurve(structure, ranking)
    return {layer.name: row.tolist() for layer, row in zip(structure.layers, curve.kept, strict=True)}


def by_score(structure: Structure, **constraints: object) -> legr.Ranking:
    """Rank by norms that rise with the filter's number, in every layer alike."""
    norms = legr.Norms(tuple(np.arange(1.0, layer.total + 1) for layer in structure.layers))
    return legr.rank(structure, norms, constraints=legr.Constraints(**constraints))  # type: ignore[arg-type]


# -- without constraints ---------------------------------------------------------------------------------------


def one_by_one(structure: Structure, scores: np.ndarray) -> list[int]:
    """The order without constraints, unit by unit: each goes unless it takes a layer below its floor."""
    scored = {layer.labels.tobytes() for layer in structure.layers}
    left = {v.tobytes(): len(v) for v in structure.vectors}
    order = []
    for unit in np.argsort(scores, kind="stable").tolist():
        need = {v.tobytes(): int((v == unit + 1).sum()) for v in structure.vectors}
        floors = {v.tobytes(): floor_of(len(v)) if v.tobytes() in scored else 1 for v in structure.vectors}
        if all(left[v] - count >= floors[v] for v, count in need.items() if count):
            left = {v: left[v] - need[v] for v in left}
            order.append(unit)
    return order


@pytest.mark.parametrize("seed", SEEDS)
def test_without_constraints_units_go_one_by_one(seed: int) -> None:
    structure = by_hand.split(seed + 6) if seed % 5 == 0 else by_hand.random_network(seed)
    norms = by_hand.norms(structure, seed)
    for ranking in (legr.rank(structure, norms), legr.rank_uniform(structure, norms)):
        assert ranking.order.tolist() == one_by_one(structure, ranking.scores)
        assert ranking.ends.tolist() == list(range(len(ranking.order) + 1))


# -- multiples ---------------------------------------------------------------------------------------------


def test_blocks_leave_multiples_and_go_by_their_mean() -> None:
    structure = by_hand.chain(10, 12)
    norms = norms_of(structure, a=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], b=[2.5] * 12)
    ranking = legr.rank(structure, norms, constraints=legr.Constraints(multiple=4))
    # a: 10 -> 8 (mean 1.5) -> 4 (mean 4.5), the next would leave 0; b: 12 -> 8 -> 4 (2.5 each)
    assert ranking.order.tolist() == [0, 1, *range(10, 14), *range(14, 18), 2, 3, 4, 5]
    assert ranking.ends.tolist() == [0, 2, 6, 10, 14]
    assert kept(structure, ranking) == {"a": [10, 8, 8, 8, 4], "b": [12, 12, 8, 4, 4]}


def test_channels_that_never_go_count_as_remaining() -> None:
    assert kept(by_hand.with_unprunable(), by_score(by_hand.with_unprunable(), multiple=4)) == {"a": [10, 8, 4]}


def test_units_with_several_channels_leave_multiples_in_every_layer() -> None:
    structure = by_hand.lumps()
    assert kept(structure, by_score(structure, multiple=4)) == {"expand": [6, 4], "depthwise": [12, 8]}
    assert kept(structure, by_score(structure, multiple=8)) == {"expand": [6], "depthwise": [12]}  # 8 fits neither


def test_groups_that_share_a_layer_are_cut_together() -> None:
    ranking = by_score(by_hand.split(18), multiple=4)
    # 18 -> 16 by the two lowest, then four of the first half (four more would empty it), twice four of the second
    assert ranking.order.tolist() == [0, 1, 2, 3, 4, 5, *range(9, 17)]
    assert kept(by_hand.split(18), ranking) == {"s": [18, 16, 12, 8, 4]}
    assert kept(by_hand.split(8), by_score(by_hand.split(8), multiple=8)) == {"s": [8]}


@pytest.mark.parametrize("multiple", MULTIPLES)
@pytest.mark.parametrize("seed", SEEDS)
def test_layers_are_untouched_or_at_multiples_and_budgets_are_nested(seed: int, multiple: int) -> None:
    structure = by_hand.random_network(seed)
    norms = by_hand.norms(structure, seed)
    for ranking in (
        rank(structure, norms, constraints=legr.Constraints(multiple)) for rank in (legr.rank, legr.rank_uniform)
    ):
        curve = legr.BudgetCurve(structure, ranking)
        for layer, row in zip(structure.layers, curve.kept.tolist(), strict=True):
            assert all(count == layer.total or count % multiple == 0 for count in row)
            assert row[-1] >= floor_of(layer.total)
        kept_sets = [curve.keep(step).units for step in range(len(curve.macs))]
        assert all(
            (larger | ~smaller).all() and larger.sum() > smaller.sum() for larger, smaller in pairwise(kept_sets)
        )
        for group in structure.groups:  # the least important of its units are those that are gone
            gone = ranking.scores[group.units][~kept_sets[-1][group.units]]
            assert gone.max(initial=-1) <= ranking.scores[group.units][kept_sets[-1][group.units]].min(initial=np.inf)


# -- floors and excluded layers ----------------------------------------------------------------------------


def test_floors_are_raised_and_lowered() -> None:
    structure = by_hand.chain(10, 12)
    plain = kept(structure, by_score(structure))
    asked = kept(structure, by_score(structure, floors={"a": 7, "b": 1}))
    assert (plain["a"][-1], plain["b"][-1]) == (2, 2)
    assert (asked["a"][-1], asked["b"][-1]) == (7, 1)
    assert kept(structure, by_score(structure, floors={"a": 7}, multiple=4))["a"][-1] == 8


def test_nothing_of_an_excluded_layer_goes() -> None:
    structure = by_hand.residual()
    counts = kept(structure, by_score(structure, excluded=("outer",)))
    assert set(counts["outer"]) == set(counts["stem"]) == {8}  # they share their channels
    assert counts["inner"][-1] == 2
    nothing = by_score(structure, excluded=("outer", "inner"))
    assert (nothing.order.tolist(), nothing.ends.tolist()) == ([], [0])


# -- pins --------------------------------------------------------------------------------------------------


def test_a_pin_holds_at_every_budget_and_its_lowest_units_go_at_once() -> None:
    structure = by_hand.chain(10, 12)
    norms = norms_of(structure, a=[5, 1, 4, 2, 3, 9, 9, 9, 9, 9], b=list(range(12)))
    ranking = legr.rank(structure, norms, constraints=legr.Constraints(pins={"a": 7}))
    assert ranking.order[:3].tolist() == [1, 3, 4]
    assert ranking.ends[:3].tolist() == [3, 4, 5]
    counts = kept(structure, ranking)
    assert set(counts["a"]) == {7}
    assert counts["b"] == list(range(12, 1, -1))


def test_a_pin_may_go_below_the_floor_and_ignores_multiples() -> None:
    structure = by_hand.chain(10, 12)
    counts = kept(structure, by_score(structure, multiple=8, pins={"a": 1}))
    assert set(counts["a"]) == {1}
    assert counts["b"] == [12, 8]


def test_the_rest_is_solved_again_at_the_same_budget() -> None:
    structure = by_hand.chain(40, 50)
    for pinned in (1, 13, 27, 40):
        curve = legr.BudgetCurve(structure, by_score(structure, pins={"a": pinned}))
        for budget in np.linspace(curve.floor, 1, 13).tolist():
            step = curve.step(macs=budget)
            cost = legr.cost(structure, curve.keep(step)).macs
            assert cost == curve.macs[step] <= budget * curve.original.macs
            assert curve.kept[0, step] == pinned
            if step:
                assert curve.macs[step - 1] > budget * curve.original.macs


def test_no_half_of_a_layer_is_emptied_by_a_pin() -> None:
    structure = by_hand.split(8)  # the four lowest are all that one head reads
    keep = legr.BudgetCurve(structure, by_score(structure, pins={"s": 4})).keep(0)
    assert keep.units.tolist() == [False] * 3 + [True] + [False] + [True] * 3


@pytest.mark.parametrize("seed", SEEDS)
def test_pins_of_random_networks_are_met_or_the_nearest_counts_are_named(seed: int) -> None:
    structure, rng = by_hand.random_network(seed), np.random.default_rng(seed)
    norms = by_hand.norms(structure, seed)
    layer = structure.layers[int(rng.integers(len(structure.layers)))]
    pinned = int(rng.integers(1, layer.total + 1))
    try:
        ranking = legr.rank(structure, norms, constraints=legr.Constraints(4, pins={layer.name: pinned}))
    except legr.SettingsError as error:
        pinned = int(str(error).rsplit("to ", 1)[1].split(" or ")[0])
        ranking = legr.rank(structure, norms, constraints=legr.Constraints(4, pins={layer.name: pinned}))
    assert set(kept(structure, ranking)[layer.name]) == {pinned}
    last = legr.BudgetCurve(structure, ranking).keep(len(ranking.ends) - 1)
    assert all(last.kept(vector).any() for vector in structure.vectors)


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        ({"multiple": 3}, "multiples of 1, 4, 8, 16, 32, got 3"),
        ({"pins": {"a": 0}}, "the pin of a must be a whole number from 1 on, got 0"),
        ({"floors": {"a": 1.5}}, "the floor of a must be a whole number from 1 on, got 1.5"),
        ({"pins": {"a": 3}, "excluded": ("a",)}, "a is excluded, so it cannot be pinned"),
    ],
)
def test_values_out_of_range_are_refused(constraints: dict[str, object], words: str) -> None:
    with pytest.raises(legr.SettingsError, match=words):
        legr.Constraints(**constraints)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("structure", "constraints", "words"),
    [
        (by_hand.lumps(), {"excluded": ("exand",)}, "no layer 'exand' that can be cut; did you mean expand"),
        (by_hand.chain(), {"pins": {"a": 11}}, r"the pin of a must be in \[1, 10\], the channels it has, got 11"),
        (by_hand.chain(), {"floors": {"b": 13}}, r"the floor of b must be in \[1, 12\]"),
        (by_hand.lumps(), {"pins": {"depthwise": 5}}, "its channels leave in lumps of 2; pin it to 4 or 6"),
        (by_hand.with_unprunable(), {"pins": {"a": 2}}, "3 of its channels always stay; pin it to 3"),
        (by_hand.residual(), {"pins": {"stem": 4, "outer": 5}}, "with stem, which is pinned to 4; pin it to 4"),
        (by_hand.lumps(), {"pins": {"expand": 3, "depthwise": 8}}, "with expand, which is pinned to 3; pin it to 6"),
        (by_hand.residual(), {"pins": {"stem": 4}, "excluded": ("outer",)}, "with outer, which is excluded; .* to 8"),
    ],
)
def test_what_a_network_cannot_have_is_refused(
    structure: Structure, constraints: dict[str, object], words: str
) -> None:
    with pytest.raises(legr.SettingsError, match=words):
        by_score(structure, **constraints)


def test_pins_of_layers_that_share_channels_may_agree() -> None:
    counts = kept(by_hand.lumps(), by_score(by_hand.lumps(), pins={"expand": 3, "depthwise": 6}))
    assert counts == {"expand": [3], "depthwise": [6]}


def test_constraints_are_plain_data_and_back() -> None:
    constraints = legr.Constraints(8, {"b": 2, "a": 1}, ("d", "c", "d"), {"e": 5})
    assert constraints.to_dict() == {
        "multiple": 8,
        "floors": {"a": 1, "b": 2},
        "excluded": ["c", "d"],
        "pins": {"e": 5},
    }
    assert legr.Constraints.from_dict(constraints.to_dict()) == constraints
    assert legr.Constraints().is_plain and not constraints.is_plain


def test_constraints_in_words() -> None:
    assert legr.Constraints().words == ""
    assert legr.Constraints(8, excluded=("a",), floors={"b": 2, "c": 3}).words == (
        "multiples of 8; a left whole; a floor for b (2), c (3)"
    )
    assert legr.Constraints(pins=dict.fromkeys("abcd", 1)).words == "4 layers pinned"
