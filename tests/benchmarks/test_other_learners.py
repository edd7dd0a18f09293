"""Learners to compare with: from the identity on, to the same end however often interrupted."""

import numpy as np
import pytest

pytest.importorskip("optuna")
pytest.importorskip("cmaes")
from benchmarks.other_learners import LEARNERS
from legr.search.types import best_of
from tests.search.candidates import search

pytestmark = pytest.mark.slow

DEVIATIONS = np.linspace(0.5, 2.0, 4)


@pytest.mark.parametrize("name", LEARNERS)
def test_it_gets_better_and_goes_on_to_the_same_candidates(name: str) -> None:
    candidates = search(LEARNERS[name](DEVIATIONS, 1), 60, 4)
    values = [c.value for c in candidates]
    assert min(values[30:]) < 0.8 * values[0]
    begun_again = LEARNERS[name](DEVIATIONS, 1).propose(candidates[:25])
    assert np.array_equal(begun_again.affine.alpha, candidates[25].affine.alpha)
    assert np.array_equal(begun_again.affine.kappa, candidates[25].affine.kappa)


def test_a_climb_breeds_from_the_best_alone() -> None:
    candidates = search(LEARNERS["climb"](np.linspace(0.5, 2.0, 20), 0), 40, 20)
    for number in range(1, 40):
        parent = candidates[best_of(candidates[:number])].affine
        assert (candidates[number].affine.alpha != parent.alpha).sum() == 2
    assert min(c.value for c in candidates) < candidates[0].value
