"""Predicted cost = counted cost, to the unit, on the real network."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import legr
from legr.deploy.crosscheck import thop_macs
from legr.models.zoo import build_model
from legr.structure.codec import from_dict, to_dict
from legr.structure.cost import layer_macs, original_cost
from legr.structure.counters import count
from tests.nets import N_UNITS, Chain, example, make


@pytest.mark.parametrize("kind", N_UNITS, ids=lambda kind: kind.__name__)
def test_random_plans_cost_what_is_count(kind: type[nn.Module]) -> None:
    model = make(kind)
    structure = legr.trace(model, example())
    assert original_cost(structure) == count(model, example())
    rng = np.random.default_rng(1)
    for _ in range(10):
        units = rng.random(structure.n_units) < 0.6
        for layer in structure.layers:
            units[np.maximum(layer.labels - 1, 0)[:1]] = True
        keep = legr.Keep(units)
        assert legr.cost(structure, keep) == count(legr.prune(model, structure, keep), example())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("cifar_resnet20", 32), ("mobilenet_v2", 96), ("resnet18", 64)])
def test_every_budget_costs_what_is_count(name: str, size: int) -> None:
    model, image = build_model(name, 10), torch.zeros(1, 3, size, size)
    structure = legr.trace(model, image)
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    for budget in np.random.default_rng(2).uniform(curve.floor, 1, size=8).tolist():
        step = curve.step(macs=budget)
        counted = count(legr.prune(model, structure, curve.keep(step)), image)
        assert (counted.macs, counted.params, counted.activation) == (
            curve.macs[step],
            curve.params[step],
            curve.activation[step],
        )
        assert counted == legr.cost(structure, curve.keep(step))


@pytest.mark.slow
def test_published_sizes() -> None:
    for name, macs, params in (("cifar_resnet20", 40_551_040, 269_722), ("cifar_resnet56", 125_485_696, 853_018)):
        counted = original_cost(legr.trace(build_model(name, 10), torch.zeros(1, 3, 32, 32)))
        assert (counted.macs, counted.params) == (macs, params)


def test_thop_agrees_but_for_norms_and_pools() -> None:
    model = build_model("cifar_resnet20", 10)
    ours = original_cost(legr.trace(model, torch.zeros(1, 3, 32, 32))).macs
    theirs = thop_macs(model, (3, 32, 32))
    assert theirs is not None
    norms = sum(32 * 32 * 2 * c // s**2 * n for c, s, n in ((16, 1, 7), (32, 2, 6), (64, 4, 6)))
    assert 0 <= theirs - ours <= 2 * norms
    assert not [name for name, _ in model.named_buffers() if "total_ops" in name]


def test_structure_survives_json() -> None:
    structure = legr.trace(make(Chain), example())
    again = from_dict(json.loads(json.dumps(to_dict(structure))))
    assert to_dict(again) == to_dict(structure)
    assert again.n_units == structure.n_units
    assert original_cost(again) == original_cost(structure)


def test_macs_of_each_layer_add_up_to_the_network() -> None:
    structure = legr.trace(make(Chain), example())
    keep = legr.Keep(np.arange(structure.n_units) % 3 > 0)
    by_layer = layer_macs(structure, keep)
    assert sum(by_layer.values()) == legr.cost(structure, keep).macs
    kept = keep.units[:8].sum()
    assert by_layer["conv1.weight"] == 3 * kept * 9 * 64  # 3 colours, 3x3 kernel, 8x8 positions
