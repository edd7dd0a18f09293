"""The probe: slopes of the loss on training images, weights that learn along, and the way back to them."""

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


def probe(study: Study, memory: Path, rate: float = 0.01) -> TrainingProbe:
    model, dataset, normalization = original(study), images_of(study), normalization_of(study)
    cpu = torch.device("cpu")
    return TrainingProbe(
        model, study.structure, dataset.train, normalization, images=32, rate=rate, memory=memory, device=cpu
    )


def ask(found: TrainingProbe, study: Study, seed: int) -> np.ndarray:
    units = study.curve("identity").at(macs=0.5).units
    return found(units, np.random.default_rng(seed))


def test_without_a_rate_the_same_question_has_the_same_answer(study: Study, tmp_path: Path) -> None:
    still = probe(study, tmp_path / "memory", rate=0)
    first = ask(still, study, 0)
    ask(still, study, 1)
    assert np.array_equal(ask(still, study, 0), first)
    assert not np.array_equal(ask(still, study, 1), first)
    still.remember()
    assert still.go_to(17)
    assert not (tmp_path / "memory").exists()


def test_weights_learn_along_and_are_found_again(study: Study, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    learning = probe(study, memory)
    first = ask(learning, study, 0)
    for seed in range(1, 4):
        ask(learning, study, seed)
        learning.remember()
    expected = ask(learning, study, 0)
    assert not np.array_equal(expected, first)
    assert sorted(file.name for file in memory.iterdir()) == ["3.safetensors", "4.safetensors"]
    other = probe(study, memory)
    assert other.go_to(4)
    assert np.array_equal(ask(other, study, 0), expected)
    assert other.go_to(0)
    assert np.array_equal(ask(other, study, 0), first)
    assert not other.go_to(2)
    (memory / "4.safetensors").write_bytes(b"torn")
    assert not probe(study, memory).go_to(4)


def test_outputs_that_are_no_numbers_move_nothing(study: Study, tmp_path: Path) -> None:
    broken = probe(study, tmp_path / "memory")
    weights = {name: p.detach().clone() for name, p in broken._network.named_parameters()}
    with torch.no_grad():
        broken._network.linear.bias.fill_(float("nan"))  # type: ignore[operator, union-attr]
    assert not ask(broken, study, 0).any()
    now = dict(broken._network.named_parameters())
    assert all(torch.equal(now[name], weights[name]) for name in weights if name != "linear.bias")


@pytest.mark.parametrize("lost", [False, True])
def test_a_search_goes_on_alike_even_where_its_weights_are_lost(study: Study, tmp_path: Path, lost: bool) -> None:
    def learner(memory: Path) -> GradientLearner:
        settings = GradientSettings(images=32, stride=2)
        asked = probe(study, memory)
        return GradientLearner(study.ranker, asked, budgets=(0.2, 0.8), spread=True, seed=0, settings=settings)

    def walk(on: GradientLearner, proposal: Proposal, proposals: int) -> Proposal:
        for _ in range(proposals):
            proposal = on.propose([candidate(proposal, 0.0)])
        return proposal

    start = Proposal(Affine.identity(len(study.structure.layers)))
    whole = walk(learner(tmp_path / "whole"), start, 4)
    half = walk(learner(tmp_path / "half"), start, 2)
    if lost:
        (tmp_path / "half" / "4.safetensors").unlink()
    found = walk(learner(tmp_path / "half"), half, 2)
    assert np.array_equal(found.affine.alpha, whole.affine.alpha)
    assert found.state == whole.state
