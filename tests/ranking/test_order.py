"""The order of removal, worked out by hand."""

import numpy as np
import pytest
import torch
from torch import nn

import legr
from legr.ranking.blocks import floor_of
from tests.nets import N_UNITS, Residual, example, make


class Pair(nn.Module):
    """Two chained 1x1 convolutions with weights set by hand: 3 and 4 filters."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(1, 3, 1, bias=False), nn.Conv2d(3, 4, 1, bias=False), nn.Conv2d(4, 1, 1)
        with torch.no_grad():
            self.a.weight.copy_(torch.tensor([1.0, 3.0, 2.0]).view(3, 1, 1, 1))
            self.b.weight.copy_(torch.tensor([2.0, 0.5, 1.0, 1.0]).sqrt().view(4, 1, 1, 1).expand(4, 3, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.b(self.a(x)))


@pytest.fixture
def pair() -> tuple[legr.Structure, legr.Norms]:
    model = Pair()
    structure = legr.trace(model, torch.zeros(1, 1, 4, 4))
    return structure, legr.filter_norms(model, structure)


def test_norms_are_sums_of_squares(pair: tuple[legr.Structure, legr.Norms]) -> None:
    assert np.allclose(pair[1].values[0], [1, 9, 4])
    assert np.allclose(pair[1].values[1], [6, 1.5, 3, 3])


def test_identity_is_plain_global_l2_with_ties_by_layer_then_index(pair: tuple[legr.Structure, legr.Norms]) -> None:
    ranking = legr.rank(*pair)
    # scores 1 9 4 | 6 1.5 3 3; each layer keeps 2, so 0, then 4, 5 of the second go; 6 and 2 stay
    assert ranking.order.tolist() == [0, 4, 5]
    assert np.allclose(ranking.scores, [1, 9, 4, 6, 1.5, 3, 3])


def test_alpha_and_kappa_move_layers_against_each_other(pair: tuple[legr.Structure, legr.Norms]) -> None:
    affine = legr.Affine.of([0.1, 2.0], [5.0, -4.0])
    ranking = legr.rank(*pair, affine)
    assert np.allclose(ranking.scores, [5.1, 5.9, 5.4, 8, -1, 2, 2])
    assert ranking.order.tolist() == [4, 5, 0]


def test_uniform_takes_the_same_share_of_every_group(pair: tuple[legr.Structure, legr.Norms]) -> None:
    # percentiles 1/6 5/6 3/6 | 7/8 1/8 3/8 5/8
    assert legr.rank_uniform(*pair).order.tolist() == [4, 0, 5]


def test_coupled_filters_add_up() -> None:
    model = make(Residual)
    structure = legr.trace(model, example())
    scores = legr.rank(structure, legr.filter_norms(model, structure)).scores
    by_hand = model.stem.weight.double().square().sum((1, 2, 3)) + model.outer.weight.double().square().sum((1, 2, 3))
    assert np.allclose(scores[:8], by_hand.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(("total", "floor"), [(1, 1), (2, 2), (16, 2), (20, 2), (21, 3), (30, 3), (64, 7), (70, 7)])
def test_floor_is_a_tenth_rounded_up_and_two(total: int, floor: int) -> None:
    assert floor_of(total) == floor


@pytest.mark.parametrize("kind", N_UNITS, ids=lambda kind: kind.__name__)
def test_no_layer_ends_below_its_floor_and_each_group_ends_at_it(kind: type[nn.Module]) -> None:
    model = make(kind)
    structure = legr.trace(model, example())
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    for layer, kept in zip(structure.layers, curve.kept, strict=True):
        assert kept[-1] >= floor_of(layer.total)
        assert (np.diff(kept) <= 0).all()


def test_a_map_or_norms_of_another_network_are_refused(pair: tuple[legr.Structure, legr.Norms]) -> None:
    with pytest.raises(legr.SettingsError, match="one alpha and kappa for each of 2 layers, got 3"):
        legr.rank(*pair, legr.Affine.identity(3))
    with pytest.raises(legr.SettingsError, match="belong to another network"):
        legr.rank(pair[0], legr.Norms((np.zeros(3),)))
    with pytest.raises(legr.SettingsError, match="alpha must be above 0"):
        legr.Affine.of([1.0, -1.0], [0.0, 0.0])
