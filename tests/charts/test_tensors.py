"""Shapes before and after pruning are those of the networks themselves."""

import pytest
import torch
from torch import nn

from legr import BudgetCurve, filter_norms, prune, rank, trace
from legr.charts.tensors import tensor_changes, tensors_table
from legr.models.zoo import build_model
from legr.ranking.constraints import Constraints
from legr.structure.types import Keep, Structure
from tests.nets import N_UNITS, example, make


def check(model: nn.Module, structure: Structure, keep: Keep) -> list[str]:
    """Compare with the pruned network; return the names of what has left."""
    before = {name: tuple(values.shape) for name, values in model.named_parameters()}
    after = {name: tuple(values.shape) for name, values in prune(model, structure, keep).named_parameters()}
    changes = tensor_changes(structure, keep)
    assert {change.name: change.before for change in changes} == before
    assert {change.name: change.after for change in changes if change.after is not None} == after
    table = tensors_table(structure, keep)
    assert table["pruned_values"].sum() == sum(values.numel() for values in prune(model, structure, keep).parameters())
    return [change.name for change in changes if change.after is None]


@pytest.mark.parametrize("kind", N_UNITS, ids=lambda kind: kind.__name__)
def test_shapes_are_those_of_the_pruned_network(kind: type[nn.Module]) -> None:
    model = make(kind).eval()
    structure = trace(model, example())
    curve = BudgetCurve(structure, rank(structure, filter_norms(model, structure)))
    for step in range(0, len(curve.macs), 3):
        assert not check(model, structure, curve.keep(step))


def test_blocks_that_have_left_are_removed_as_a_whole() -> None:
    model = build_model("cifar_resnet20", 10, seed=0).eval()
    structure = trace(model, torch.zeros(1, 3, 16, 16))
    ranking = rank(structure, filter_norms(model, structure), constraints=Constraints(multiple=8, blocks=True))
    curve = BudgetCurve(structure, ranking)
    left = check(model, structure, curve.at(macs=max(0.1, curve.floor)))
    assert left and all(name.startswith("layer") for name in left)
    table = tensors_table(structure, curve.at(macs=max(0.1, curve.floor))).set_index("tensor")
    assert table.loc[left[0], "pruned"] == "removed" and table.loc["conv1.weight", "original"] == "16 x 3 x 3 x 3"
