"""Scoring: what a candidate's losses are, computed another way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import legr
from legr.commands.images import images_of
from legr.commands.original import original
from legr.data.batches import iterate
from legr.errors import SettingsError
from legr.search import fitness
from legr.search.fitness import FAILED, Fitness
from legr.search.workers import Workers
from legr.structure.surgery import prune
from legr.structure.types import Keep
from legr.study.records import SearchSettings
from legr.study.store import Study
from legr.training.batch_norm import set_statistics

SETTINGS = SearchSettings(images=100)
CPU = torch.device("cpu")


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "fast_dtype", lambda device: torch.float32)


@pytest.fixture
def study(made_study: Path) -> Study:
    return Study.open(made_study)


def make(study: Study, workers: int = 1, **changed: object) -> Fitness:
    settings = replace(SETTINGS, **changed)  # type: ignore[arg-type]
    return Fitness(
        original(study),
        study.structure,
        images_of(study),
        study.info.normalization,
        settings,
        CPU,
        Workers(workers, CPU),
    )


def keep_of(study: Study, budget: float = 0.5) -> Keep:
    return study.curve("identity").at(macs=budget)


@pytest.mark.usefixtures("float32")
def test_loss_is_cross_entropy_in_training_mode_on_held_out_images(study: Study) -> None:
    dataset = images_of(study)
    network = prune(original(study), study.structure, keep_of(study)).train()  # no dropout: batch statistics
    order = torch.randperm(len(dataset.heldout), generator=torch.Generator().manual_seed(0))[:100]
    inputs, labels = next(iter(iterate(dataset.heldout, study.info.normalization, batch=100, order=order)))
    with torch.no_grad():
        expected = float(F.cross_entropy(network(inputs), labels))
    score = make(study)([keep_of(study)])
    assert score.losses.shape == (1, 1)
    assert score.losses[0, 0] == pytest.approx(expected, rel=1e-5)
    assert score.passes == 1


@pytest.mark.slow
@pytest.mark.usefixtures("float32")
def test_recalibrated_and_stale_statistics(study: Study) -> None:
    inputs = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 + 1
    network = original(study)
    with torch.no_grad():
        by_batch = network.train()(inputs)
        network = original(study)
        stale = network.eval()(inputs)
        own = set_statistics(network, "recalibrated", [inputs])(inputs)
        assert torch.allclose(own, by_batch, atol=2e-2)  # running variances are unbiased
        assert not torch.allclose(own, stale, atol=0.1)
        assert torch.equal(set_statistics(original(study), "stale")(inputs), stale)
        assert torch.allclose(set_statistics(original(study), "batch")(inputs), by_batch, atol=1e-5)
    values = {kind: make(study, statistics=kind)([keep_of(study)]) for kind in ("batch", "recalibrated", "stale")}
    assert len({float(score.losses.mean()) for score in values.values()}) == 3
    assert values["recalibrated"].passes > values["stale"].passes == 1


def test_the_same_networks_score_the_same(study: Study) -> None:
    keeps = [keep_of(study, 0.5), keep_of(study, 0.3)]
    score = make(study)(keeps)
    assert np.array_equal(score.losses, make(study)(keeps).losses)
    assert not np.array_equal(score.losses, make(study, seed=1)(keeps).losses)
    assert score.losses[1] == make(study)(keeps[1:]).losses[0]
    assert score.passes == 2


@pytest.mark.slow
@pytest.mark.usefixtures("float32")
@pytest.mark.parametrize("stop_at", [4, 99])
@pytest.mark.parametrize("budgets", [(0.3,), (0.3, 0.5, 0.7)])
def test_workers_change_nothing_but_the_time(
    study: Study, monkeypatch: pytest.MonkeyPatch, budgets: tuple[float, ...], stop_at: int
) -> None:
    """Neither losses nor passes, with one budget or several, whether a candidate is stopped or not."""
    monkeypatch.setattr(fitness, "batch_size_for", lambda split, pixels: 10)
    keeps = [keep_of(study, budget) for budget in budgets]

    def has_lost(losses: np.ndarray) -> bool:
        return int(np.isfinite(losses[0]).sum()) == stop_at

    alone, together = (make(study, workers)(keeps, has_lost) for workers in (1, 3))
    assert np.allclose(alone.losses, together.losses, rtol=1e-4, equal_nan=True)
    assert np.isfinite(alone.losses[0]).sum() == min(stop_at, 10)
    assert alone.passes == together.passes


def test_workers_share_the_cores() -> None:
    threads = torch.get_num_threads()
    workers = Workers(3, CPU)
    assert workers.map(lambda number: (number, torch.get_num_threads()), range(7)) == [
        (number, max(1, threads // 3)) for number in range(7)
    ]
    assert torch.get_num_threads() == threads
    assert Workers(None, torch.device("cuda")).number == 1
    with pytest.raises(SettingsError, match="workers must be at least 1, got 0"):
        Workers(0, CPU)


@pytest.mark.slow
def test_steps_train_before_scoring(study: Study) -> None:
    """Random weights: a few steps lower the loss, the same for every call, and the model stays as it was."""
    plain, trained = make(study), make(study, sgd_steps=8)
    before = {name: tensor.clone() for name, tensor in trained._model.state_dict().items()}
    score = trained([keep_of(study)])
    assert score.losses.mean() < plain([keep_of(study)]).losses.mean()
    assert np.array_equal(score.losses, trained([keep_of(study)]).losses)
    assert score.passes == 1 + 3 * 8 * 128 / 100
    assert all(torch.equal(before[name], tensor) for name, tensor in trained._model.state_dict().items())


def test_a_candidate_that_has_lost_is_not_scored_further(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "batch_size_for", lambda split, pixels: 25)
    score_of = make(study)
    seen: list[int] = []

    def has_lost(losses: np.ndarray) -> bool:
        seen.append(int(np.isfinite(losses).sum()))
        return len(seen) == 2

    score = score_of([keep_of(study, 0.5), keep_of(study, 0.3)], has_lost)
    assert seen == [2, 4]
    assert np.isfinite(score.losses).sum(axis=1).tolist() == [2, 2]
    assert score.passes == 1


def test_outputs_that_are_no_numbers_are_a_large_loss(study: Study) -> None:
    model = original(study)
    with torch.no_grad():
        [m for m in model.modules() if isinstance(m, nn.Linear)][-1].bias.fill_(float("nan"))
    score_of = Fitness(model, study.structure, images_of(study), study.info.normalization, SETTINGS, CPU)
    assert (score_of([keep_of(study)]).losses == FAILED).all()


def test_fewer_images_than_asked_for_is_no_error(study: Study) -> None:
    assert make(study, images=10**6).n_images == len(images_of(study).heldout)


@pytest.mark.parametrize("n_images", [73, 91, 100])
def test_no_batch_is_left_with_one_image(study: Study, monkeypatch: pytest.MonkeyPatch, n_images: int) -> None:
    monkeypatch.setattr(fitness, "batch_size_for", lambda split, pixels=0: 9)
    sizes = [len(labels) for _, labels in make(study, images=n_images)._batches]
    assert sum(sizes) == n_images
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.slow
def test_steps_draw_dropout_alike(study: Study) -> None:
    model = original(study)
    model.linear = nn.Sequential(nn.Dropout(0.5), model.linear)  # type: ignore[arg-type, assignment]
    structure = legr.trace(model, torch.zeros(1, *study.info.input_shape))
    settings = replace(SETTINGS, sgd_steps=3)
    score_of = Fitness(model, structure, images_of(study), study.info.normalization, settings, CPU)
    keep = Keep(np.ones(structure.n_units, dtype=bool))
    assert np.array_equal(score_of([keep]).losses, score_of([keep]).losses)
