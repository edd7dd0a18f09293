"""Values and early ends, worked out by hand."""

import numpy as np
import pytest

from legr.ranking.types import Affine
from legr.search.racing import Race
from legr.search.types import Candidate, Proposal, best_of

IDENTITY = np.array([[2.0, 2.0, 2.0, 2.0], [0.5, 0.5, 0.5, 0.5]])
NAN = np.nan


def candidate(losses: np.ndarray, value: float, stopped: bool = False) -> Candidate:
    return Candidate(Proposal(Affine.identity(1)), losses, value, 1, 0.0, stopped, "")


def test_one_budget_is_worth_its_mean_loss() -> None:
    assert Race(IDENTITY[:1]).value(np.array([[1.0, 2.0, 3.0, 4.0]])) == 2.5


def test_several_budgets_count_alike_in_units_of_the_identity() -> None:
    judge = Race(IDENTITY)
    assert judge.value(IDENTITY) == 1
    assert judge.value(np.array([[1.0] * 4, [1.0] * 4])) == pytest.approx((0.5 + 2) / 2)


def test_who_is_surely_behind_has_lost() -> None:
    judge, best = Race(IDENTITY[:1]), np.array([[1.0, 1.2, 0.8, 1.0]])
    assert not judge.has_lost(np.array([[9.0, 9.0, NAN, NAN]]), best)  # two batches are few
    assert judge.has_lost(np.array([[1.5, 1.7, 1.3, NAN]]), best)
    assert not judge.has_lost(np.array([[0.5, 0.7, 0.3, NAN]]), best)
    assert not judge.has_lost(np.array([[1.6, 1.2, 0.8, NAN]]), best)  # 0.2 behind, with an error of 0.2


def test_who_was_stopped_is_as_far_behind_as_was_seen() -> None:
    best = candidate(np.array([[1.0, 1.2, 0.8, 1.0]]), 1.0)
    assert Race(IDENTITY[:1]).estimate(np.array([[1.5, 1.9, NAN, NAN]]), best) == pytest.approx(1.6)


def test_who_was_stopped_is_never_the_best() -> None:
    losses = np.ones((1, 4))
    assert best_of([candidate(losses, 3.0), candidate(losses, 1.0, stopped=True), candidate(losses, 2.0)]) == 2
