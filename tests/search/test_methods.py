"""Budgets of the whole slider, wherever its floor lies."""

import pytest

from legr.search.methods import METHODS, SCORED, scored_budgets
from legr.study.records import EFFORTS, SearchSettings


@pytest.mark.parametrize("floor", [0.02, 0.1, 0.3, 0.95, 0.99])
def test_scored_budgets_lie_above_the_floor(floor: float) -> None:
    budgets = scored_budgets(SearchSettings(), floor)
    assert len(set(budgets)) == len(SCORED)
    assert all(floor < budget < 1 for budget in budgets)
    if floor <= 0.1:
        assert budgets == SCORED


def test_budgets_that_are_asked_for_are_taken() -> None:
    assert scored_budgets(SearchSettings(budgets=(0.3, 0.7)), 0.5) == (0.3, 0.7)


def test_every_method_has_efforts() -> None:
    assert set(EFFORTS) == set(METHODS)
