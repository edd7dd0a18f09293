"""Scoring: what a candidate's loss is, computed another way."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from legr.commands.network import images_of, normalization_of, original
from legr.data.batches import iterate
from legr.ranking.types import Affine
from legr.search import fitness
from legr.search.fitness import BatchStatisticsLoss
from legr.structure.surgery import prune
from legr.study.store import Study


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "fast_dtype", lambda device: torch.float32)


def make(study: Study, seed: int = 0, n_images: int = 100) -> BatchStatisticsLoss:
    return BatchStatisticsLoss(
        original(study),
        study.ranker,
        images_of(study),
        normalization_of(study),
        budget=0.5,
        n_images=n_images,
        seed=seed,
        device=torch.device("cpu"),
    )


@pytest.mark.usefixtures("float32")
def test_loss_is_cross_entropy_in_training_mode_on_held_out_images(made_study: Path) -> None:
    study = Study.open(made_study)
    dataset = images_of(study)
    keep = study.curve("identity").at(macs=0.5)
    network = prune(original(study), study.structure, keep).train()  # no dropout: training mode = batch statistics
    order = torch.randperm(len(dataset.heldout), generator=torch.Generator().manual_seed(0))[:100]
    inputs, labels = next(iter(iterate(dataset.heldout, normalization_of(study), batch=100, order=order)))
    with torch.no_grad():
        expected = float(F.cross_entropy(network(inputs), labels))
    assert make(study)(Affine.identity(len(study.structure.layers))) == pytest.approx(expected, rel=1e-5)


def test_the_same_candidate_scores_the_same(made_study: Path) -> None:
    study = Study.open(made_study)
    affine = Affine.identity(len(study.structure.layers))
    assert make(study)(affine) == make(study)(affine)
    assert make(study, seed=1)(affine) != make(study)(affine)


def test_fewer_images_than_asked_for_is_no_error(made_study: Path) -> None:
    study = Study.open(made_study)
    assert make(study, n_images=10**6).n_images == len(images_of(study).heldout)


def test_the_model_is_left_alone(made_study: Path) -> None:
    study = Study.open(made_study)
    score = make(study)
    before = {name: tensor.clone() for name, tensor in score._model.state_dict().items()}
    score(Affine.identity(len(study.structure.layers)))
    assert all(torch.equal(before[name], tensor) for name, tensor in score._model.state_dict().items())
