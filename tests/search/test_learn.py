"""Searching: the same ranking however often it is interrupted, whatever the method."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import legr
from legr.commands.learn import search_task
from legr.errors import SettingsError, StudyError
from legr.progress import Progress, silent
from legr.ranking.order import Ranker
from legr.ranking.types import Affine
from legr.requests.learn import LearnRequest
from legr.search.budgets import ListedBudgets
from legr.search.ddpg import DdpgAgent
from legr.search.evolution import Evolution, EvolutionSettings
from legr.search.fitness import CandidateScore, HasLost
from legr.search.gradient import GradientLearner, GradientSettings
from legr.search.journal import mend
from legr.search.layer_walk import FEATURES, LayerWalk
from legr.search.learn import Search, learn, standing
from legr.search.pricing import Pricing
from legr.search.reinforcement import ReinforcementLearner, ReinforcementSettings
from legr.search.replay import journal_path
from legr.search.types import Candidate, Learner, LearnResult, Proposal
from legr.structure.types import Keep
from legr.study.provenance import Provenance
from legr.study.records import Learned, SearchSettings
from legr.study.store import Study
from tests.search.test_journal import WRITTEN_BY_OPTUNA

BUDGETS = (0.3, 0.6)
IMAGES = 10


class Wanted:
    """A loss that costs nothing: units that are kept cost the loss their number gives them; may be told to die."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.calls, self.dies_after = 0, dies_after

    def __call__(self, keeps: Sequence[Keep], has_lost: HasLost | None) -> CandidateScore:
        if self.calls == self.dies_after:
            raise KeyboardInterrupt
        self.calls += 1
        prices = price(len(keeps[0].units))
        losses = np.array([[10 + prices[keep.units].mean() + 0.01 * batch for batch in range(4)] for keep in keeps])
        return CandidateScore(losses, len(keeps))


def price(n_units: int) -> np.ndarray:
    return np.random.default_rng(5).normal(size=n_units)


class Noisy:
    """A probe that says the prices of units, and some noise."""

    def __init__(self, study: Study) -> None:
        self.prices = price(study.structure.n_units)

    def __call__(self, units: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.prices + 0.1 * rng.normal(size=len(units))


def learner_of(method: str, study: Study) -> Learner:
    deviations = study.norms.deviations
    if method == "evolution":
        return Evolution(deviations, 0, EvolutionSettings(pool=8, draw=3))
    if method == "rl":
        walk, settings = LayerWalk(Pricing(study.ranker), BUDGETS[0]), ReinforcementSettings(warmup=5, hidden=16)
        return ReinforcementLearner(
            walk, lambda: DdpgAgent(len(FEATURES), len(walk.decisions), 0, settings), 0, settings
        )
    return GradientLearner(
        Pricing(study.ranker),
        Noisy(study),
        budgets=ListedBudgets(BUDGETS),
        seed=0,
        settings=GradientSettings(images=2, stride=2),
    )


def run(study: Study, effort: float, method: str = "evolution", fitness: Wanted | None = None) -> LearnResult:
    scored = fitness or Wanted()

    def search() -> Search:
        return Search(Pricing(study.ranker), BUDGETS, learner_of(method, study), scored, IMAGES)

    return learn(study, SearchSettings(method=method), effort, search, silent)


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


def learned(study: Study, effort: float, method: str = "evolution") -> Learned:
    run(study, effort, method)
    found = study.learned
    assert found is not None
    return found


def same(a: Learned | None, b: Learned | None) -> bool:
    assert a and b
    return (a.alpha, a.kappa, a.best_losses, a.best_candidate) == (b.alpha, b.kappa, b.best_losses, b.best_candidate)


def fresh(made_study: Path, path: Path) -> Study:
    path.mkdir()
    for name in ("study.json", "structure.json"):
        (path / name).write_bytes((made_study / name).read_bytes())
    return Study.open(path)


@pytest.fixture
def whole(made_study: Path, tmp_path: Path) -> Learned:
    """The result of a search that nothing disturbed."""
    return learned(fresh(made_study, tmp_path / "undisturbed"), 60)


def test_the_best_is_kept_and_never_worse_than_the_identity(study: Study) -> None:
    seen: list[Progress] = []
    settings = SearchSettings(method="evolution")

    def search() -> Search:
        return Search(Pricing(study.ranker), BUDGETS, learner_of("evolution", study), Wanted(), IMAGES)

    found = learn(study, settings, 50, search, seen.append)
    assert [p.values["candidates"] for p in seen] == list(range(1, found.candidates + 1))
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    assert seen[-1].done == seen[-1].total == 50
    assert found.best_loss == min(p.values["best_loss"] for p in seen) <= found.identity_loss == 1
    record = study.learned
    assert record is not None
    assert record.best_losses[-1] == found.best_loss
    steps = np.diff(record.passes_spent)  # two budgets, two passes each; a twin of an earlier one costs next to nothing
    assert set(np.round(steps, 6)) == {2, 0.02}
    assert record.passes_spent[-2] < 50 <= record.passes_spent[-1]
    curve = study.curve("learned")
    losses = Wanted()([curve.at(macs=b) for b in BUDGETS], None).losses
    identity = Wanted()([study.curve("identity").at(macs=b) for b in BUDGETS], None).losses
    assert (losses / identity.mean(1, keepdims=True)).mean() == pytest.approx(found.best_loss)
    assert run(study, 1).candidates == found.candidates  # finished: returns at once


def test_an_identity_that_wins_stays(study: Study) -> None:
    class Same(Wanted):
        def __call__(self, keeps: Sequence[Keep], has_lost: HasLost | None) -> CandidateScore:
            return CandidateScore(np.ones((len(keeps), 4)), 1)

    found = run(study, 12, fitness=Same())
    assert found.best_loss == found.identity_loss == 1
    assert study.learned is not None
    assert (study.learned.affine.alpha == 1).all()


@pytest.mark.parametrize("method", ["evolution", "gradient", "rl"])
def test_an_interrupted_search_ends_with_the_same_ranking(made_study: Path, tmp_path: Path, method: str) -> None:
    undisturbed = learned(fresh(made_study, tmp_path / "undisturbed"), 60, method)
    study = fresh(made_study, tmp_path / "interrupted")
    for dies_after in (3, 9):
        with pytest.raises(KeyboardInterrupt):
            run(study, 60, method, Wanted(dies_after))
    assert study.learned is None
    assert run(study, 60, method).resumed_from >= 12
    assert same(study.learned, undisturbed)
    assert undisturbed.best_candidate > 0


def test_extending_is_the_same_as_searching_longer(study: Study, whole: Learned) -> None:
    learned(study, 21)
    assert same(learned(study, 60), whole)


@pytest.mark.parametrize("damage", ["torn end", "garbage in the middle", "half a number"])
def test_a_damaged_journal_loses_nothing(study: Study, whole: Learned, damage: str) -> None:
    learned(study, 40)
    journal = journal_path(study, SearchSettings(method="evolution"))
    lines = journal.read_bytes().splitlines(keepends=True)
    if damage == "torn end":
        journal.write_bytes(b"".join(lines) + b'{"op_code": 4, "worker')
    elif damage == "garbage in the middle":
        journal.write_bytes(b"".join([*lines[:15], b"\x00\xff garbage\n", *lines[16:]]))
    else:
        journal.write_bytes(b"".join(lines)[:-7])
    assert study.learned is not None  # the slider never needs the journal
    assert same(learned(study, 60), whole)
    kept = journal.with_name(f"{journal.name}.damaged")
    assert kept.exists() == (damage == "garbage in the middle")  # half a line is what a killed process leaves


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda facts: facts["alpha"].append(1.0), "lists of a candidate differ in length"),
        (lambda facts: (facts["alpha"].pop(), facts["kappa"].pop()), "of another network or search"),
        (lambda facts: facts["alpha"].__setitem__(0, -1.0), r"alpha\[0\] must be above 0, got -1.0"),
        (lambda facts: facts["losses"].append([0.5]), "differ in length|of another network or search"),
        (lambda facts: facts.update(passes=0), "passes must be above 0, got 0"),
        (lambda facts: facts.update(stopped="no"), "stopped must be true or false, got 'no'"),
    ],
)
def test_a_journal_that_no_search_has_written_is_one_sentence(study: Study, change: Any, words: str) -> None:
    journal = journal_path(study, SearchSettings(method="evolution"))
    journal.parent.mkdir()
    *lines, last = (line for line in WRITTEN_BY_OPTUNA.read_text().splitlines() if "user_attrs" in line)
    trial = json.loads(last)
    change(trial["user_attrs"]["candidate"])
    journal.write_text("\n".join([*lines, json.dumps(trial)]) + "\n")
    with pytest.raises(StudyError, match=rf"journal.*{words}.*; move it away and learn again|{words}; move it away"):
        run(study, 60)


def test_a_search_that_optuna_wrote_down_ends_as_if_undisturbed(study: Study, whole: Learned) -> None:
    journal = journal_path(study, SearchSettings(method="evolution"))
    journal.parent.mkdir()
    shutil.copy(WRITTEN_BY_OPTUNA, journal)
    assert run(study, 60).resumed_from == 12
    assert same(study.learned, whole)


def test_mending_leaves_a_whole_journal_alone(study: Study) -> None:
    learned(study, 5)
    journal = journal_path(study, SearchSettings(method="evolution"))
    before = journal.read_bytes()
    assert mend(journal) == 0
    assert journal.read_bytes() == before
    assert all(isinstance(json.loads(line), dict) for line in before.splitlines())


def test_a_foreign_file_is_refused(study: Study) -> None:
    journal = journal_path(study, SearchSettings(method="evolution"))
    journal.parent.mkdir()
    journal.write_text('{"a": 1}\n')
    with pytest.raises(StudyError, match="not a search journal"):
        run(study, 3)


def test_searches_of_other_settings_stand_side_by_side(study: Study) -> None:
    first = learned(study, 20)
    second = learned(study, 20, "gradient")
    assert not same(first, second)
    assert same(learned(study, 20), first)  # at once, from its journal
    assert len(list((study.path / "searches").glob("*.journal"))) == 2


def test_candidates_that_leave_the_same_networks_are_scored_once(study: Study) -> None:
    """Maps that differ by a factor rank alike."""

    class Scaled:
        def propose(self, finished: Sequence[object]) -> object:
            from legr.search.types import Proposal

            plain = Affine.identity(len(study.structure.layers))
            return Proposal(Affine(plain.alpha * (1 + len(finished)), plain.kappa))

    fitness = Wanted()
    search = Search(Pricing(study.ranker), BUDGETS, Scaled(), fitness, IMAGES)  # type: ignore[arg-type]
    found = [search.next([])]
    found += [search.next(found) for _ in range(3)]
    assert fitness.calls == 1
    assert len({c.value for c in found}) == 1
    assert [c.passes for c in found] == [2, 0.02, 0.02, 0.02]


def test_a_search_needs_effort(study: Study) -> None:
    with pytest.raises(SettingsError, match="at least 1, got 0"):
        run(study, 0)


class Settles:
    """Proposes a few maps, and says when it has settled."""

    def propose(self, finished: Sequence[Candidate]) -> Proposal:
        n_layers = len(finished[0].affine.alpha)
        affine = Affine(np.exp(np.random.default_rng(len(finished)).normal(size=n_layers)), np.zeros(n_layers))
        return Proposal(affine, settled=len(finished) == 3)


def test_a_search_that_has_settled_is_over(study: Study) -> None:
    fitness = Wanted()

    def search() -> Search:
        return Search(Pricing(study.ranker), BUDGETS, Settles(), fitness, IMAGES, racing=False)

    settings = SearchSettings()
    assert standing(study, settings) == (0.0, False)
    assert learn(study, settings, 100, search, silent, lambda seconds: Provenance(seconds=seconds)).candidates == 4
    learned = study.learned
    assert learned is not None and learned.provenance == Provenance(seconds=learned.seconds)
    written = (study.path / "ranking.json").stat().st_mtime_ns
    assert learn(study, settings, 200, search, silent).resumed_from == 4
    assert study.learned == learned and (study.path / "ranking.json").stat().st_mtime_ns == written
    assert fitness.calls == 4
    assert standing(study, settings) == (8.0, True)
    assert study.learned
    assert study.learned.settled
    task = search_task(study, LearnRequest(method="gradient", candidates=500))
    assert (task.is_done, task.passes_spent) == (True, 8.0)


class Uneven(nn.Module):
    """One layer of two groups: how many of its filters the smallest network has depends on how they are ranked."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.one, self.two = nn.Conv2d(3, 64, 3), nn.Conv2d(64, 16, 3, padding=1), nn.Conv2d(16, 16, 1)
        self.head = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        wide = self.wide(x)
        narrow = self.one(wide)
        narrow = narrow + self.two(narrow.relu())
        n = narrow.shape[1]
        return self.head(torch.cat((wide[:, :n] + narrow, wide[:, n:]), dim=1).mean((2, 3)))


def test_a_candidate_whose_smallest_network_is_larger_is_scored_with_that() -> None:
    torch.manual_seed(0)
    model = Uneven()
    with torch.no_grad():
        for layer in (model.wide, model.one, model.two):
            layer.weight *= torch.randn(len(layer.weight), 1, 1, 1).exp()
    structure = legr.trace(model, torch.zeros(1, 3, 16, 16))
    ranker = Ranker(structure, legr.filter_norms(model, structure))
    floor = legr.BudgetCurve(structure, ranker.rank()).floor
    search = Search(
        Pricing(ranker), (floor,), Evolution(ranker.norms.deviations, 0, EvolutionSettings()), Wanted(), IMAGES
    )
    found: list[Candidate] = []
    for _ in range(12):
        found.append(search.next(found))
    floors = [legr.BudgetCurve(structure, ranker.rank(c.proposal.affine)).floor for c in found]
    assert max(floors) > floor
