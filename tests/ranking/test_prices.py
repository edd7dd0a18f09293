"""What a unit costs on a device, and in activations."""

import numpy as np
import pytest
import torch
from torch import nn

import legr
from legr.ranking.footprints import Footprints
from legr.ranking.order import Ranker
from legr.ranking.prices import per_price, unit_activation, unit_latency
from legr.structure.cost import unit_macs
from legr.structure.types import Keep
from tests.ranking import by_hand
from tests.ranking.devices import Lanes


def everything(structure: legr.Structure) -> Keep:
    return Keep(np.ones(structure.n_units, dtype=bool))


def test_a_unit_costs_what_a_whole_lane_of_them_does() -> None:
    """3 -> a -> b -> 5 in lanes of 8: (a/8)(3/8) + (a/8)(b/8) + (5/8)(b/8) microseconds.

    With 32 and 24 all lanes are full. Eight of a are one lane: 3/8 + 3; eight of b: 4 + 5/8.
    """
    structure = by_hand.chain(32, 24)
    prices = unit_latency(Footprints(structure), everything(structure), Lanes(structure), multiple=8)
    assert prices[:32] == pytest.approx(1e-3 * (3 / 8 + 3) / 8)
    assert prices[32:] == pytest.approx(1e-3 * (4 + 5 / 8) / 8)


def test_a_lane_is_added_and_one_removed_where_there_are_so_many() -> None:
    structure = by_hand.chain(32, 24)
    units = np.ones(structure.n_units, dtype=bool)
    units[:19] = False  # 13 of a are left: 5 and 21 are one lane and a half, and three and a half, with odd ends
    prices = unit_latency(Footprints(structure), Keep(units), Lanes(structure), multiple=8)
    assert prices[:32] == pytest.approx(1e-3 * (3.5 - 1.5) * (3 / 8 + 3) / 16)
    assert prices[32:] == pytest.approx(1e-3 * (2.5 + 5 / 8) / 8)  # 24 of b are all: one lane is removed only


def test_no_unit_is_free_where_the_time_stands_still() -> None:
    structure = by_hand.chain(32, 24)

    class Flat:
        def milliseconds(self, counts: np.ndarray) -> np.ndarray:
            return np.full(counts.shape[1], 7.0)

    keep = everything(structure)
    prices, macs = unit_latency(Footprints(structure), keep, Flat(), multiple=8), unit_macs(structure, keep)
    assert (prices > 0).all()
    assert prices == pytest.approx(0.1 * 7.0 * macs / macs.sum())


@pytest.mark.parametrize("seed", range(6))
def test_prices_are_above_0_for_every_network_and_kept_set(seed: int) -> None:
    structure = by_hand.random_network(seed)
    ranking = legr.rank(structure, by_hand.norms(structure, seed))
    for n_removed in np.linspace(0, len(ranking.order), 5).astype(int):
        units = np.ones(structure.n_units, dtype=bool)
        units[ranking.order[:n_removed]] = False
        prices = unit_latency(Footprints(structure), Keep(units), Lanes(structure), multiple=4)
        assert np.isfinite(prices).all() and (prices > 0).all()


def test_blocks_are_the_fewest_units_that_leave_multiples() -> None:
    lumps = Footprints(by_hand.lumps())  # a unit is one filter of a layer and two of the next
    assert lumps.block_sizes(8).tolist() == [8]
    assert lumps.block_sizes(1).tolist() == [1]
    assert Footprints(by_hand.chain()).block_sizes(4).tolist() == [4, 4]


def test_activations_are_those_that_layers_write() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, stride=2, groups=8), nn.Conv2d(8, 6, 1), nn.Flatten(),
        nn.Linear(6 * 3 * 3, 4),
    )  # fmt: skip
    structure = legr.trace(model, torch.zeros(1, 3, 8, 8))
    bytes_ = unit_activation(structure)
    assert bytes_[:8].tolist() == [4 * (8 * 8 + 3 * 3)] * 8  # the depthwise layer writes the same units
    assert bytes_[8:].tolist() == [4 * 3 * 3] * 6


def test_a_cheap_unit_stays_longer_than_a_dear_one_of_the_same_score() -> None:
    structure = by_hand.chain(10, 12)
    scores, prices = np.full(22, 1.0), np.r_[np.full(10, 2.0), np.full(12, 1.0)]
    order = Ranker(structure, by_hand.norms(structure, 0)).rank_by(per_price(scores, prices)).order
    assert set(order[:8].tolist()) == set(range(8)) and set(order[8:].tolist()) <= set(range(10, 22))
    assert np.isfinite(per_price(scores, np.zeros(22))).all()


def test_what_has_left_stays_away_while_other_units_are_priced() -> None:
    """A layer without channels takes no time, so one channel more would cost all of its overhead."""
    structure = by_hand.chain(32, 24)
    units = np.ones(structure.n_units, dtype=bool)
    units[32:] = False

    class Overhead:
        def milliseconds(self, counts: np.ndarray) -> np.ndarray:
            return 1e-3 * counts[0] + 5.0 * (counts[1] > 0)

    prices = unit_latency(Footprints(structure), Keep(units), Overhead(), multiple=8)
    assert prices[:32] == pytest.approx(1e-3)
    assert prices[32:] == pytest.approx(5.0 / 8)
