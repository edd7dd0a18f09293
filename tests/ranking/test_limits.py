"""Budgets of every kind: fractions and absolute limits, alone and together, with the floor named."""

import re

import numpy as np
import pytest

import legr
from legr.structure.types import Structure
from tests.ranking import by_hand


def curve_of(structure: Structure, seed: int = 0, **constraints: object) -> legr.BudgetCurve:
    norms = by_hand.norms(structure, seed)
    return legr.BudgetCurve(structure, legr.rank(structure, norms, constraints=legr.Constraints(**constraints)))  # type: ignore[arg-type]


def test_the_original_by_hand() -> None:
    original = curve_of(by_hand.chain(10, 12)).original
    assert original.macs == original.params == 3 * 10 + 10 * 12 + 12 * 5
    assert original.activation == max(300 + 100 * 10, 25 * 10 + 100 * 12)


@pytest.mark.parametrize("multiple", [1, 4])
@pytest.mark.parametrize("seed", range(20))
def test_costs_of_every_step_are_those_of_its_network(seed: int, multiple: int) -> None:
    structure = by_hand.random_network(seed)
    curve = curve_of(structure, seed, multiple=multiple)
    for step in range(len(curve.macs)):
        cost = legr.cost(structure, curve.keep(step))
        assert (cost.macs, cost.params, cost.activation) == (
            curve.macs[step], curve.params[step], curve.activation[step]
        )  # fmt: skip
    assert curve.floors == {
        "macs": curve.macs[-1] / curve.macs[0],
        "params": curve.params[-1] / curve.params[0],
        "activation": curve.activation[-1] / curve.activation[0],
    }


@pytest.mark.parametrize("constraints", [{}, {"multiple": 4}, {"pins": {"a": 9}}], ids=str)
def test_all_limits_hold_and_one_step_earlier_one_is_broken(constraints: dict[str, object]) -> None:
    curve = curve_of(by_hand.chain(60, 80), **constraints)
    weights_mb = curve.params * 4 / 1e6
    rng = np.random.default_rng(0)
    for _ in range(200):
        share, weight_mb, activation = rng.uniform(
            (curve.floor, weights_mb[-1], curve.floors["activation"]), (1, curve.original.params * 4e-6, 1)
        )
        step = curve.step(macs=share, weight_mb=weight_mb, activation=activation)
        hold = (curve.macs <= share * curve.original.macs) & (weights_mb <= weight_mb)
        hold &= curve.activation <= activation * curve.original.activation
        assert hold[step] and not hold[:step].any()


def test_absolute_limits_are_in_their_units() -> None:
    curve = curve_of(by_hand.chain(60, 80))
    for step in (0, 7, len(curve.macs) - 1):
        assert curve.step(mmacs=curve.macs[step] / 1e6) == np.argmax(curve.macs <= curve.macs[step])
        assert curve.step(weight_mb=4 * curve.params[step] / 1e6) <= step
        assert curve.step(activation_mb=curve.activation[step] / 1e6) <= step


def test_a_budget_and_names_are_as_good() -> None:
    curve = curve_of(by_hand.chain(60, 80))
    assert curve.step(legr.Budget(macs=0.5, params=0.4)) == curve.step(macs=0.5, params=0.4)
    assert curve.step(legr.Budget(macs=0.5), params=0.4) == curve.step(macs=0.5, params=0.4)
    assert curve.at(legr.Budget(mmacs=0.004)) == curve.at(mmacs=0.004)


def test_a_whole_budget_is_the_first_step_even_where_a_pin_makes_it_smaller() -> None:
    curve = curve_of(by_hand.chain(10, 12), pins={"a": 4})
    assert curve.step(macs=1.0) == 0
    assert curve.macs[0] == 3 * 4 + 4 * 12 + 12 * 5
    assert curve.original.macs == 210
    assert curve.table().macs[0] == curve.macs[0]


@pytest.mark.parametrize("name", ["macs", "params", "activation", "mmacs", "weight_mb", "activation_mb"])
@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), True])
def test_limits_out_of_range_are_refused(name: str, bad: float) -> None:
    with pytest.raises(legr.BudgetError, match=r"in \(0, 1(000000000)?\]"):
        legr.Budget(**{name: bad})


def test_no_limit_is_no_budget() -> None:
    with pytest.raises(legr.BudgetError, match="needs a limit"):
        legr.Budget()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("macs", "% of the MACs"),
        ("params", "% of the parameters"),
        ("activation", "% of the activation memory"),
        ("mmacs", "million MACs"),
        ("weight_mb", "MB of weights"),
        ("activation_mb", "MB of activation memory"),
    ],
)
def test_the_floor_is_named_in_the_unit_of_the_limit_and_can_be_asked_for(name: str, words: str) -> None:
    for seed in range(10):
        curve = curve_of(by_hand.chain(43, 57 + seed))
        with pytest.raises(legr.BudgetError, match=f"a budget of 1e-.* {words} is below the floor") as caught:
            curve.step(**{name: 1e-9})
        floor = float(re.findall(rf"floor of ([0-9.e-]+) {words}", str(caught.value))[0])
        assert curve.step(**{name: floor / 100 if "%" in words else floor}) <= len(curve.macs) - 1
        metric = {"mmacs": "macs", "weight_mb": "params", "activation_mb": "activation"}.get(name, name)
        assert caught.value.floor == curve.floors[metric]  # type: ignore[index]


def test_activation_memory_that_is_not_known_cannot_be_limited() -> None:
    curve = curve_of(by_hand.split())
    assert set(curve.floors) == {"macs", "params"}
    with pytest.raises(legr.BudgetError, match="nothing is known"):
        curve.step(activation=0.5)


def test_activation_memory_is_not_computed_for_other_budgets() -> None:
    curve = curve_of(by_hand.chain())
    curve.step(macs=0.5, weight_mb=0.5)
    curve.table()
    assert "activation" not in vars(curve)
