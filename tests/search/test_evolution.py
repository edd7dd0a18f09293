"""Proposals: random but repeatable, different from each other, drawn from the pool of the last 64."""

import numpy as np
import pytest

from legr.ranking.types import Affine
from legr.search.evolution import Finished, propose
from legr.study.records import SearchSettings

DEVIATIONS = np.linspace(0.5, 2.0, 20)


def search(n_candidates: int, settings: SearchSettings) -> list[Finished]:
    """Run the search on a loss with a known minimum."""
    found: list[Finished] = []
    for number in range(n_candidates):
        affine = propose(number, found, DEVIATIONS, settings)
        found.append((affine, float(np.square(np.log(affine.alpha) - 0.7).sum() + np.square(affine.kappa).sum())))
    return found


def test_candidate_0_is_the_identity() -> None:
    affine = propose(0, [], DEVIATIONS, SearchSettings())
    assert (affine.alpha == 1).all()
    assert (affine.kappa == 0).all()


def test_no_two_proposals_are_alike() -> None:
    """One famous port re-seeded before each proposal and proposed one candidate 63 times."""
    maps = {(a.alpha.tobytes(), a.kappa.tobytes()) for a, _ in search(150, SearchSettings())}
    assert len(maps) == 150


def test_a_proposal_depends_on_seed_number_and_pool_alone() -> None:
    found = search(100, SearchSettings(seed=3))
    again = propose(100, found, DEVIATIONS, SearchSettings(seed=3))
    np.random.seed(0)
    assert np.array_equal(propose(100, found, DEVIATIONS, SearchSettings(seed=3)).alpha, again.alpha)
    assert not np.array_equal(propose(100, found, DEVIATIONS, SearchSettings(seed=4)).alpha, again.alpha)
    other_past = [(Affine.identity(20), 1e9)] * 36 + found[36:]
    assert np.array_equal(propose(100, other_past, DEVIATIONS, SearchSettings(seed=3)).alpha, again.alpha)


def test_first_candidates_are_spread_as_in_the_paper() -> None:
    settings = SearchSettings(pool=2000)
    found: list[Finished] = [(Affine.identity(20), 0.0)]
    for number in range(1, 1500):
        found.append((propose(number, found, DEVIATIONS, settings), 0.0))
    alphas = np.log([a.alpha for a, _ in found[1:]])
    kappas = np.array([a.kappa for a, _ in found[1:]]) / DEVIATIONS
    for sample in (alphas, kappas):
        assert abs(sample.mean()) < 0.03
        assert sample.std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(("n_layers", "touched"), [(20, 2), (55, 5), (3, 1)])
def test_a_mutation_touches_a_tenth_of_the_layers_and_at_least_one(n_layers: int, touched: int) -> None:
    parent = Affine.identity(n_layers)
    child = propose(64, [(parent, 0.0)] * 64, np.ones(n_layers), SearchSettings())
    assert (child.alpha != parent.alpha).sum() == (child.kappa != parent.kappa).sum() == touched


def test_it_finds_better_candidates_than_chance() -> None:
    losses = [loss for _, loss in search(400, SearchSettings())]
    assert min(losses[64:]) < 0.6 * min(losses[1:64])
