"""The probe: slopes of the loss on training images; a search with it goes on from what its journal knows."""

from pathlib import Path

import numpy as np
import pytest
import torch

from legr.commands.network import images_of, normalization_of, original
from legr.ranking.types import Affine
from legr.search.gradient import GradientLearner, GradientSettings
from legr.search.probe import TrainingProbe
from legr.search.types import Proposal
from legr.study.store import Study
from tests.search.candidates import candidate


@pytest.fixture
def study(made_study: Path) -> Study:
    return Study.open(made_study)


def probe(study: Study, *, broken: bool = False) -> TrainingProbe:
    model, dataset, normalization = original(study), images_of(study), normalization_of(study)
    if broken:
        with torch.no_grad():
            model.linear.bias.fill_(float("nan"))  # type: ignore[operator, union-attr]
    return TrainingProbe(model, study.structure, dataset.train, normalization, images=32, device=torch.device("cpu"))


def ask(found: TrainingProbe, study: Study, seed: int) -> np.ndarray:
    units = study.curve("identity").at(macs=0.5).units
    return found(units, np.random.default_rng(seed))


def test_the_same_question_has_the_same_answer(study: Study) -> None:
    asked = probe(study)
    first = ask(asked, study, 0)
    ask(asked, study, 1)
    assert np.array_equal(ask(asked, study, 0), first)
    assert not np.array_equal(ask(asked, study, 1), first)


def test_outputs_that_are_no_numbers_move_nothing(study: Study) -> None:
    assert not ask(probe(study, broken=True), study, 0).any()


def test_a_search_goes_on_alike(study: Study) -> None:
    def learner() -> GradientLearner:
        settings = GradientSettings(images=32, stride=2)
        return GradientLearner(study.ranker, probe(study), budgets=(0.2, 0.8), spread=True, seed=0, settings=settings)

    def walk(on: GradientLearner, proposal: Proposal, proposals: int) -> Proposal:
        for _ in range(proposals):
            proposal = on.propose([candidate(proposal, 0.0)])
        return proposal

    start = Proposal(Affine.identity(len(study.structure.layers)))
    whole = walk(learner(), start, 4)
    found = walk(learner(), walk(learner(), start, 2), 2)
    assert np.array_equal(found.affine.alpha, whole.affine.alpha)
    assert found.state == whole.state
