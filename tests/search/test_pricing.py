"""A search at equal milliseconds: what is probed, what is subtracted, and where candidates are scored."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from legr.ranking.types import Affine, FloatArray
from legr.search.budgets import ListedBudgets
from legr.search.fitness import CandidateScore, HasLost
from legr.search.gradient import GradientLearner, GradientSettings
from legr.search.learn import Search
from legr.search.pricing import Pricing
from legr.search.types import Candidate, Proposal
from legr.structure.cost import cost, original_cost
from legr.structure.types import BoolArray, Keep
from legr.study.records import SearchSettings
from legr.study.store import Study
from tests.ranking.devices import Lanes
from tests.search.candidates import candidate

SETTINGS = GradientSettings(images=2, stride=5)


@pytest.fixture
def study(made_study: Path) -> Study:
    return Study.open(made_study)


@pytest.fixture
def pricing(study: Study) -> Pricing:
    return Pricing(study.ranker, Lanes(study.structure), 8)


def share(pricing: Pricing, keep: Keep) -> float:
    """Milliseconds of a network, of the original's."""
    ms, original = (
        cost(pricing.ranker.structure, keep, pricing.device),
        original_cost(pricing.ranker.structure, pricing.device),
    )
    assert ms.latency_ms and original.latency_ms
    return ms.latency_ms / original.latency_ms


class Flat:
    """A probe by which every unit is worth what it costs; remembers what it was asked."""

    def __init__(self, pricing: Pricing) -> None:
        self.pricing, self.asked = pricing, list[BoolArray]()

    def __call__(self, units: BoolArray, rng: np.random.Generator) -> FloatArray:
        self.asked.append(units)
        return self.pricing.prices(Keep(units))


def learned_from(pricing: Pricing, probe: Flat) -> FloatArray:
    """How far the parameters have moved after one proposal of a learner at 60 % of the cost."""
    learner = GradientLearner(pricing, probe, budgets=ListedBudgets((0.6,)), seed=0, settings=SETTINGS)
    start = Proposal(Affine.identity(len(pricing.ranker.structure.layers)))
    return np.abs(np.array(learner.propose([candidate(start, 0.0)]).state["point"]))


def test_worth_that_is_the_price_moves_nothing_and_one_of_macs_does(study: Study, pricing: Pricing) -> None:
    """At equal milliseconds a gradient that follows them says nothing; as MACs are other prices, theirs does."""
    limit = 0.5 * SETTINGS.stride * SETTINGS.rate
    assert learned_from(pricing, Flat(pricing)).max() < limit
    assert learned_from(pricing, Flat(Pricing(study.ranker))).max() > limit


def test_networks_are_probed_at_their_milliseconds_in_whole_multiples(study: Study, pricing: Pricing) -> None:
    probe = Flat(pricing)
    learned_from(pricing, probe)
    shares = [share(pricing, Keep(units)) for units in probe.asked]
    assert len(shares) == SETTINGS.stride and all(0.4 < found <= 0.6 for found in shares)
    for units in probe.asked:
        kept = [np.count_nonzero(Keep(units).kept(layer.labels)) for layer in study.structure.layers]
        wholes = [layer.total for layer in study.structure.layers]
        assert all(n % 8 == 0 or n == whole for n, whole in zip(kept, wholes, strict=True))


def test_candidates_are_scored_at_equal_milliseconds(study: Study, pricing: Pricing) -> None:
    asked: list[Sequence[Keep]] = []

    def fitness(keeps: Sequence[Keep], has_lost: HasLost | None) -> CandidateScore:
        asked.append(keeps)
        return CandidateScore(np.ones((len(keeps), 2)), 1.0)

    class Random:
        def propose(self, finished: Sequence[Candidate]) -> Proposal:
            rng = np.random.default_rng(len(finished))
            n_layers = len(study.structure.layers)
            return Proposal(Affine(np.exp(rng.normal(size=n_layers)), np.zeros(n_layers)))

    search = Search(pricing, (0.5, 0.8), Random(), fitness, 10)
    finished: list[Candidate] = []
    for _ in range(4):
        finished.append(search.next(finished))
    shares = np.array([[share(pricing, keep) for keep in keeps] for keeps in asked])
    assert (shares <= (0.5, 0.8)).all() and (shares > (0.3, 0.6)).all()
    macs = [cost(study.structure, keeps[0]).macs for keeps in asked]
    assert len(set(macs)) > 1


def test_the_floor_is_that_of_the_milliseconds(study: Study, pricing: Pricing) -> None:
    curve = pricing.curve()
    assert pricing.floor == share(pricing, curve.keep(-1))
    assert pricing.step(curve, 1e-6) == len(curve.latency) - 1
    assert Pricing(study.ranker).floor == study.curve("identity").floor


def test_searches_at_equal_macs_keep_their_names() -> None:
    """As they were before a search had a cost, computed by version 0.2.0."""
    assert SearchSettings().key == "gradient-0c709f90c5"
    assert SearchSettings(method="evolution", budgets=(0.47,)).key == "evolution-5099444e77"
    on = SearchSettings(cost="latency", device_profile="pi", profile_id="ab")
    assert len({on.key, SearchSettings().key, SearchSettings(cost="latency", device_profile="pi").key}) == 3
    assert SearchSettings.from_dict(on.to_dict()) == on
