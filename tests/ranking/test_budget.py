"""Budgets: nested, never exceeded, as large as possible."""

from itertools import pairwise

import numpy as np
import pytest
import torch

import legr
from legr.models.zoo import build_model
from legr.structure.cost import layer_macs


@pytest.fixture(scope="module")
def curve() -> legr.BudgetCurve:
    model = build_model("cifar_resnet20", 10)
    structure = legr.trace(model, torch.zeros(1, 3, 32, 32))
    return legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))


def test_a_budget_is_kept_and_one_removal_earlier_it_is_not(curve: legr.BudgetCurve) -> None:
    original = curve.macs[0]
    for budget in np.linspace(curve.floor, 1, 97).tolist():
        keep = curve.at(macs=budget)
        step = curve.step(macs=budget)
        assert legr.cost(curve.structure, keep).macs == curve.macs[step] <= budget * original
        if step:
            assert legr.cost(curve.structure, curve.keep(step - 1)).macs > budget * original


def test_smaller_budgets_are_subsets(curve: legr.BudgetCurve) -> None:
    kept_sets = [curve.at(macs=budget).units for budget in (1.0, 0.8, 0.47, 0.2, curve.floor)]
    assert kept_sets[0].all()
    for larger, smaller in pairwise(kept_sets):
        assert (larger | ~smaller).all()


def test_limits_hold_together(curve: legr.BudgetCurve) -> None:
    step = curve.step(macs=0.5, params=0.3)
    assert curve.macs[step] <= 0.5 * curve.macs[0]
    assert curve.params[step] <= 0.3 * curve.params[0]
    assert step == max(curve.step(macs=0.5), curve.step(params=0.3))


def test_impossible_budgets_name_the_floor(curve: legr.BudgetCurve) -> None:
    for bad in (0, -1, 1.4, float("nan")):
        with pytest.raises(legr.BudgetError, match=r"in \(0, 1\]"):
            curve.at(macs=bad)
    with pytest.raises(legr.BudgetError, match="below the floor of") as caught:
        curve.at(macs=curve.floor / 2)
    assert caught.value.floor == curve.floor
    with pytest.raises(legr.BudgetError, match="needs a limit"):
        curve.at()


def test_the_table_is_the_curve(curve: legr.BudgetCurve) -> None:
    table = curve.table()
    assert table.kept.shape == (256, len(curve.structure.layers))
    for row in (0, 100, 255):
        step = curve.step(macs=max(float(table.budgets[row]), curve.floor))
        assert table.macs[row] == curve.macs[step]
        assert table.kept[row].tolist() == curve.kept[:, step].tolist()


@pytest.mark.parametrize("widths", [(7, 7), (5, 9), (13, 3), (11, 23), (6, 17)])
def test_the_floor_itself_can_be_reached(widths: tuple[int, int]) -> None:
    first, second = widths
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, first, 3), torch.nn.Conv2d(first, second, 3), torch.nn.Conv2d(second, 4, 1)
    )
    structure = legr.trace(model, torch.zeros(1, 3, 9, 9))
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    assert curve.step(macs=curve.floor) == len(curve.macs) - 1
    assert curve.table().macs[-1] == curve.macs[-1]


def test_the_table_knows_every_layer(curve: legr.BudgetCurve) -> None:
    structure = curve.structure
    table = curve.table([1.0, 0.47, curve.floor])
    assert table.macs.tolist() == [int(curve.macs[curve.step(macs=b)]) for b in (1.0, 0.47, curve.floor)]
    keep = curve.at(macs=0.47)
    macs = layer_macs(structure, keep)
    pruned = legr.prune(build_model("cifar_resnet20", 10), structure, keep)
    sizes = {name: parameter.numel() for name, parameter in pruned.named_parameters()}
    for number, layer in enumerate(structure.layers):
        assert table.layer_macs[1, number] == macs[layer.parameter]
        assert table.layer_params[1, number] == sizes[layer.parameter]
    assert (table.layer_macs.sum(axis=1) <= table.macs).all()
