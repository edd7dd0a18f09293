"""Budgets in milliseconds of a device, along a ranking whose milliseconds rise and fall."""

import re
from itertools import pairwise

import numpy as np
import pytest

import legr
from legr.ranking.paying import latency_after
from legr.structure.types import Structure
from tests.ranking import by_hand
from tests.ranking.devices import Lanes, Listed

#: 8 channels, of which at least 2 stay: of the steps to 7, 6, 5, 4, 3 and 2 channels, those to 5 and to 3 pay.
MS = {8: 10.0, 7: 10.4, 6: 10.1, 5: 9.2, 4: 9.3, 3: 8.0, 2: 8.0}


def one_layer() -> legr.BudgetCurve:
    units = range(1, 9)
    structure = by_hand.network({"a": (units, [0] * 3), "head": ([0] * 5, units)})
    return curve_of(structure, Listed(MS))


def curve_of(structure: Structure, device: object = None, **constraints: object) -> legr.BudgetCurve:
    wanted = legr.Constraints(**constraints)  # type: ignore[arg-type]
    ranking = legr.rank(structure, by_hand.norms(structure, 0), constraints=wanted)
    return legr.BudgetCurve(structure, ranking, device)  # type: ignore[arg-type]


def test_a_removal_that_makes_it_slower_waits_for_those_that_pay() -> None:
    curve = one_layer()
    assert curve.latency.tolist() == [10.0, 9.2, 8.0]
    assert curve.kept[0].tolist() == [8, 5, 3]
    plain = legr.rank(curve.structure, by_hand.norms(curve.structure, 0))
    assert np.array_equal(curve.ranking.order, plain.order)
    assert latency_after(curve.structure, plain, Listed(MS)).tolist() == list(MS.values())


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({"latency_ms": 10.0}, 8),
        ({"latency_ms": 9.999}, 5),
        ({"latency_ms": 9.2}, 5),
        ({"latency": 0.8}, 3),
        ({"fps": 100}, 8),
        ({"fps": 101}, 5),
        ({"fps": 125}, 3),
        ({"macs": 7 / 8}, 5),  # 7 channels would be within, and slower
        ({"macs": 0.5}, 3),
        ({"macs": 0.5, "fps": 1}, 3),
        ({"macs": 1.0, "latency_ms": 9.5}, 5),
        ({"params": 0.5, "latency_ms": 9.5}, 3),
    ],
    ids=str,
)
def test_limits_lead_to_the_first_step_that_pays_and_holds_all(limits: dict[str, float], kept: int) -> None:
    curve = one_layer()
    assert curve.kept[0, curve.step(**limits)] == kept == curve.at(legr.Budget(**limits)).units.sum()  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("constraints", [{}, {"multiple": 4}], ids=str)
def test_no_network_of_a_curve_is_slower_than_a_larger_one(seed: int, constraints: dict[str, object]) -> None:
    structure = by_hand.random_network(seed)
    device = Lanes(structure)
    curve, plain = curve_of(structure, device, **constraints), curve_of(structure, **constraints)
    costs = [legr.cost(structure, curve.keep(step), device) for step in range(len(curve.latency))]
    assert [cost.latency_ms for cost in costs] == pytest.approx(curve.latency.tolist())
    assert [cost.macs for cost in costs] == curve.macs.tolist()
    assert (np.diff(curve.latency) < 0).all()
    ms = latency_after(structure, plain.ranking, device)
    for limit in np.linspace(ms.min(), ms[0], 17).tolist():
        keep = curve.at(latency_ms=limit)
        first = int(np.argmax(ms <= limit))  # whether or not it pays: every step before it breaks the limit
        assert keep == plain.keep(first)
    kept_sets = [curve.at(macs=share).units for share in np.linspace(1, curve.floor, 9).tolist()]
    for larger, smaller in pairwise(kept_sets):
        assert (larger | ~smaller).all()


def test_a_pin_that_makes_it_slower_stays_and_later_steps_pay() -> None:
    curve = curve_of(by_hand.chain(16, 24), Lanes(by_hand.chain(16, 24)), pins={"a": 15})
    assert curve.latency[0] == pytest.approx(0.01 + 1e-3 * (2.5 * 3 / 8 + 3 * 2.5 + 5 / 8 * 3))
    assert curve.original.latency_ms == pytest.approx(0.01 + 1e-3 * (2 * 3 / 8 + 3 * 2 + 5 / 8 * 3))
    assert curve.at(macs=1.0).units.sum() == 15 + 24
    assert curve.step(latency=1.0) > 0


def test_the_floor_is_named_in_milliseconds_and_in_frames() -> None:
    curve = one_layer()
    assert curve.floors["latency"] == 0.8
    with pytest.raises(legr.BudgetError, match="a budget of 4 ms is below the floor of 8 ms, below which") as caught:
        curve.step(latency_ms=4)
    assert caught.value.floor == 0.8
    with pytest.raises(legr.BudgetError, match="500 frames a second is above the most that is reached, 125 frames"):
        curve.step(fps=500)
    with pytest.raises(legr.BudgetError, match="50 % of the latency is below the floor of 80 % of the latency"):
        curve.step(latency=0.5)


def test_the_most_frames_that_a_message_names_are_reached() -> None:
    for seed in range(5):
        curve = curve_of(by_hand.chain(43, 57 + seed), Lanes(by_hand.chain(43, 57 + seed)))
        with pytest.raises(legr.BudgetError, match="above the most") as caught:
            curve.step(fps=1e8)
        most = float(re.findall(r"reached, ([0-9.e+]+) frames", str(caught.value))[0])
        assert curve.step(fps=most) == len(curve.latency) - 1


def test_milliseconds_of_no_device_are_no_budget() -> None:
    curve = curve_of(by_hand.chain())
    assert "latency" not in curve.floors and curve.original.latency_ms is None
    assert curve.table().latency_ms is None
    for limits in ({"latency_ms": 4.0}, {"fps": 4.0}, {"latency": 0.5}):
        with pytest.raises(legr.BudgetError, match="milliseconds depend on the device; give its profile"):
            curve.step(**limits)


def test_the_table_holds_the_milliseconds_of_its_rows() -> None:
    structure = by_hand.chain(43, 57)
    curve = curve_of(structure, Lanes(structure))
    table = curve.table(np.linspace(1, curve.floor, 390).clip(curve.floor).tolist())
    steps = [curve.step(macs=share) for share in table.budgets.tolist()]
    assert table.latency_ms is not None and table.latency_ms.tolist() == curve.latency[steps].tolist()
    assert (np.diff(table.latency_ms) <= 0).all()
