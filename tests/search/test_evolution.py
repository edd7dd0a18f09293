"""Proposals: random but repeatable, different from each other, drawn from the pool of the last 64."""

from dataclasses import replace

import numpy as np
import pytest

from legr.ranking.types import Affine
from legr.search.evolution import Evolution, EvolutionSettings
from legr.search.types import Proposal
from tests.search.candidates import candidate, search

DEVIATIONS = np.linspace(0.5, 2.0, 20)


def evolution(seed: int = 0, **options: float) -> Evolution:
    return Evolution(DEVIATIONS, seed, replace(EvolutionSettings(), **options))  # type: ignore[arg-type]


def test_no_two_proposals_are_alike() -> None:
    """One famous port re-seeded before each proposal and proposed one candidate 63 times."""
    maps = {(c.affine.alpha.tobytes(), c.affine.kappa.tobytes()) for c in search(evolution(), 150, 20)}
    assert len(maps) == 150


def test_a_proposal_depends_on_seed_number_and_pool_alone() -> None:
    found = search(evolution(3), 100, 20)
    again = evolution(3).propose(found).affine
    np.random.seed(0)
    assert np.array_equal(evolution(3).propose(found).affine.alpha, again.alpha)
    assert not np.array_equal(evolution(4).propose(found).affine.alpha, again.alpha)
    other_past = [candidate(Proposal(Affine.identity(20)), 1e9)] * 36 + found[36:]
    assert np.array_equal(evolution(3).propose(other_past).affine.alpha, again.alpha)


@pytest.mark.parametrize("spread", [1.0, 0.2])
def test_first_candidates_are_spread_as_in_the_paper_or_less(spread: float) -> None:
    found = search(evolution(pool=2000, spread=spread), 1500, 20)[1:]
    alphas = np.log([c.affine.alpha for c in found])
    kappas = np.array([c.affine.kappa for c in found]) / DEVIATIONS
    for sample in (alphas, kappas):
        assert abs(sample.mean()) < 0.03 * spread
        assert sample.std() == pytest.approx(spread, rel=0.03)


@pytest.mark.parametrize(("n_layers", "touched"), [(20, 2), (55, 5), (3, 1)])
def test_a_mutation_touches_a_tenth_of_the_layers_and_at_least_one(n_layers: int, touched: int) -> None:
    parent = Affine.identity(n_layers)
    learner = Evolution(np.ones(n_layers), 0, EvolutionSettings())
    child = learner.propose([candidate(Proposal(parent), 0.0)] * 64).affine
    assert (child.alpha != parent.alpha).sum() == (child.kappa != parent.kappa).sum() == touched


def test_it_finds_better_candidates_than_chance() -> None:
    values = [c.value for c in search(evolution(), 400, 20)]
    assert min(values[64:]) < 0.6 * min(values[1:64])
