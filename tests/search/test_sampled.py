"""Optuna's samplers as learners: from the identity on, to the same end however often interrupted."""

from collections.abc import Callable

import numpy as np
import pytest

from legr.search.sampled import CmaEs, Sampled, Tpe
from tests.search.candidates import search

DEVIATIONS = np.linspace(0.5, 2.0, 4)
MAKE: dict[str, Callable[[], Sampled]] = {
    "cma-es": lambda: Sampled(CmaEs(8, 1, 0.3), DEVIATIONS),
    "tpe": lambda: Sampled(Tpe(8, 1), DEVIATIONS),
}


@pytest.mark.parametrize("name", MAKE)
def test_it_gets_better_and_goes_on_to_the_same_candidates(name: str) -> None:
    found = search(MAKE[name](), 60, 4)
    values = [c.value for c in found]
    assert min(values[30:]) < 0.8 * values[0]
    begun_again = MAKE[name]().propose(found[:25])
    assert np.array_equal(begun_again.affine.alpha, found[25].affine.alpha)
    assert np.array_equal(begun_again.affine.kappa, found[25].affine.kappa)
