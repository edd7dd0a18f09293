"""The agent: its proposals are the same to the last bit when it is built anew; it learns what its reward says."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from legr.commands.learn import search_task
from legr.errors import SettingsError, StudyError
from legr.ranking.types import Affine, FloatArray
from legr.requests.learn import LearnRequest
from legr.search.ddpg import DdpgAgent
from legr.search.layer_walk import FEATURES, LayerWalk
from legr.search.methods import METHODS, Material, check
from legr.search.methods import learner as made
from legr.search.pricing import Pricing
from legr.search.reinforcement import Episode, ReinforcementLearner, ReinforcementSettings
from legr.search.types import Candidate, Proposal
from legr.study.records import SearchSettings
from legr.study.store import Study
from tests.search.candidates import candidate

BUDGET = 0.4
QUICK = ReinforcementSettings(warmup=4, batch=8, hidden=16, actor_rate=1e-3, critic_rate=1e-2)
Loss = Callable[[tuple[int, ...]], float]


@pytest.fixture
def walk(made_study: Path) -> LayerWalk:
    return LayerWalk(Pricing(Study.open(made_study).ranker), BUDGET)


def learner(walk: LayerWalk, seed: int = 0, settings: ReinforcementSettings = QUICK) -> ReinforcementLearner:
    n_decisions = len(walk.decisions)
    return ReinforcementLearner(walk, lambda: DdpgAgent(len(FEATURES), n_decisions, seed, settings), seed, settings)


def kept(walk: LayerWalk) -> Loss:
    """A loss of 1 where nothing stays, which every layer but the second one makes smaller."""
    worth = np.ones(len(walk.decisions))
    worth[1] = 0
    totals = np.array([decision.total for decision in walk.decisions])
    return lambda numbers: float((worth * (1 - np.array(numbers) / totals) ** 2).sum() / worth.sum())


def search(walk: LayerWalk, learner: ReinforcementLearner, n_candidates: int) -> list[Candidate]:
    """Candidate 0 is the identity; the others are what the learner proposes."""
    loss, n_layers = kept(walk), 1 + max(max(decision.layers) for decision in walk.decisions)
    found = [candidate(Proposal(Affine.identity(n_layers)), 1.0)]
    while len(found) < n_candidates:
        proposal = learner.propose(found)
        found.append(candidate(proposal, loss(tuple(proposal.state["kept"]))))
    return found


def maps(found: list[Candidate]) -> list[bytes]:
    return [c.affine.alpha.tobytes() + c.affine.kappa.tobytes() for c in found]


def test_no_two_proposals_of_the_warm_up_are_alike(walk: LayerWalk) -> None:
    found = search(walk, learner(walk), 10)
    assert len(set(maps(found))) == 10


def test_a_learner_that_is_built_anew_goes_on_to_the_last_bit(walk: LayerWalk) -> None:
    whole = search(walk, learner(walk), 14)
    for known in (1, 5, 6, 11):  # before, at and after the end of the warm-up
        anew = learner(walk)
        found = whole[:known]
        while len(found) < 14:
            proposal = anew.propose(found)
            found.append(candidate(proposal, whole[len(found)].value))
        assert maps(found) == maps(whole)


def test_a_proposal_depends_on_seed_and_earlier_candidates_alone(walk: LayerWalk) -> None:
    same = learner(walk, 3)
    found = search(walk, same, 9)
    after = same.propose(found).state
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    assert same.propose(found[:4]).state == found[4].proposal.state  # fewer: it forgets what came later
    assert same.propose(found).state == after
    assert learner(walk, 4).propose(found).state != after


def test_its_options_are_those_of_the_settings(made_study: Path, walk: LayerWalk) -> None:
    options = {"warmup": 4, "batch": 8, "hidden": 16, "actor_rate": 1e-3, "critic_rate": 1e-2}
    settings = SearchSettings(method="rl", budgets=(BUDGET,), seed=3, options=options)
    found = search(walk, learner(walk, 3), 8)
    material = Material(
        Pricing(Study.open(made_study).ranker), settings, lambda images: pytest.fail("it needs no probe")
    )
    assert made(material).propose(found).state == learner(walk, 3).propose(found).state


def test_losses_count_once_the_warm_up_is_over(walk: LayerWalk) -> None:
    found = search(walk, learner(walk), 20)
    known = [candidate(found[0].proposal, 1.0)]
    other = learner(walk)
    while len(known) < len(found):
        proposal = other.propose(known)
        known.append(candidate(proposal, 1 - found[len(known)].value))
    assert maps(known)[:5] == maps(found)[:5]
    assert maps(known)[5:] != maps(found)[5:]


class Sure:
    """An agent that always says the same, and learns nothing."""

    def share(self, state: FloatArray) -> float:
        return 0.4

    def remember(self, episode: Episode) -> None: ...

    def update(self, n_updates: int, baseline: float, seed: int) -> None: ...


def test_it_has_settled_once_twenty_proposals_are_the_same(walk: LayerWalk) -> None:
    """Noise of 0.001 % of a share moves nothing by a filter, so the first of them is the one after the warm-up."""
    settings = ReinforcementSettings(warmup=3, noise=1e-5)
    found = search(walk, ReinforcementLearner(walk, Sure, 0, settings), 1 + 3 + 20)
    assert [c.proposal.settled for c in found] == [False] * 23 + [True]
    assert len(set(maps(found))) == 1 + 3 + 1


class Lost(Sure):
    """An agent whose weights have become NaN."""

    def share(self, state: FloatArray) -> float:
        return float("nan")


def test_an_agent_that_has_learned_nan_ends_the_search(walk: LayerWalk) -> None:
    settings = ReinforcementSettings(warmup=2)
    with pytest.raises(SettingsError, match="critic_rate must be small enough"):
        search(walk, ReinforcementLearner(walk, Lost, 0, settings), 5)


def test_global_generators_are_left_alone(walk: LayerWalk) -> None:
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    expected = random.random(), np.random.random(), float(torch.rand(1))
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    threads = torch.get_num_threads()
    search(walk, learner(walk), 8)
    assert (random.random(), np.random.random(), float(torch.rand(1))) == expected
    assert torch.get_num_threads() == threads


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_agent_ends_better_than_its_warm_up(walk: LayerWalk, seed: int) -> None:
    settings = ReinforcementSettings(warmup=20)
    found = search(walk, learner(walk, seed, settings), 101)
    values = np.array([c.value for c in found[1:]])
    assert values[-20:].mean() < 0.8 * values[:20].mean()
    assert values[20:].min() < values[:20].min()
    share = [c.proposal.state["kept"][1] / walk.decisions[1].total for c in found[1:]]
    assert np.mean(share[-20:]) < np.mean(share[:20])  # of the layer that is worth nothing


def test_a_network_that_fails_is_as_bad_as_a_few_times_the_identity(walk: LayerWalk) -> None:
    found = search(walk, learner(walk), 8)
    failed, bad = ([*found[:-1], candidate(found[-1].proposal, value)] for value in (1e6, 3.0))
    assert learner(walk).propose(failed).state == learner(walk).propose(bad).state


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "kept is missing"),
        ({"kept": [1]}, "of another network"),
        ({"kept": [-1]}, "must be"),
        ({"kept": "all"}, "must be"),
        ({"kept": [10**6] * 9}, "of another network"),
    ],
)
def test_a_damaged_state_is_one_sentence(walk: LayerWalk, state: dict[str, object], words: str) -> None:
    found = search(walk, learner(walk), 2)
    found[1] = candidate(Proposal(found[1].affine, state), 1.0)
    with pytest.raises(StudyError, match=rf"damaged state \(.*{words}.*\); move it away and learn again"):
        learner(walk).propose(found)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, r"rl learns for one budget, got all; one search a budget: --budget 0\.3"),
        ({"budgets": (0.3, 0.5)}, r"rl learns for one budget, got 2; one search a budget: --budget 0\.3"),
        ({"options": {"noise": 0.0}}, r"noise must be in \(0, 10\], got 0"),
        ({"options": {"tau": 1.5}}, r"tau must be in \(0, 1\], got 1\.5"),
        ({"options": {"warmup": 0}}, r"warmup must be in \[1, 10000\], got 0"),
        ({"options": {"pool": 3}}, "there is no option 'pool'; this method has warmup, noise"),
    ],
)
def test_what_it_refuses(settings: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        check(SearchSettings(method="rl", **settings))  # type: ignore[arg-type]


def test_without_the_extra_a_sentence_says_what_to_install(made_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, request = Study.open(made_study), LearnRequest(method="rl", budgets=(BUDGET,))
    assert search_task(study, request).effort == 400
    monkeypatch.setattr("legr.search.methods.find_spec", lambda name: None)
    with pytest.raises(
        SettingsError, match=r"^rl needs stable-baselines3, which is not installed; pip install stable-"
    ):
        search_task(study, request)
    assert METHODS["gradient"].package == ""
