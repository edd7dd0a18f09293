"""A ranking that is learned again while a supernet is trained: killed or not, one order, and the study has it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from legr.commands import relearning, supernet_points
from legr.commands import supernet as supernet_module
from legr.commands.learn import run_learn, search_task
from legr.commands.network import network_at
from legr.commands.original import original
from legr.commands.supernet import finished_supernet, run_supernet
from legr.errors import SettingsError
from legr.progress import Progress, silent
from legr.ranking.limits import Budget
from legr.requests.learn import LearnRequest
from legr.study.records import Learned, SearchSettings
from legr.study.store import Study
from legr.study.supernets import SupernetRun, supernet_of, supernets, weights_path
from legr.training.supernet_settings import SupernetSettings
from tests.training.test_train import Killed

CPU = torch.device("cpu")
SETTINGS = SupernetSettings(epochs=4, batch=256, smallest=0.4, networks=1, norms=1, weights=1, relearn=True)

pytestmark = pytest.mark.slow


@pytest.fixture
def study(study_path: Path, monkeypatch: pytest.MonkeyPatch, own_folders: Path) -> Study:
    monkeypatch.setattr(supernet_points, "MEASURED", 2)
    monkeypatch.setattr(relearning, "BETWEEN_EPOCHS", 1)  # strides of a search: enough for another order
    found = Study.open(study_path)
    layers = tuple(layer.name for layer in found.structure.layers)
    ones, zeros = (1.0,) * len(layers), (0.0,) * len(layers)
    learned = Learned(layers, ones, zeros, SearchSettings(), 1, 0, 1.0, 1.0, (1.0,), (1.0,), 1.0, heldout_seen=False)
    found.save_learned(learned)
    return found


def killed_after(epoch: int, study: Study) -> None:
    def report(progress: Progress) -> None:
        if progress.stage == "epoch" and progress.done == epoch:
            raise Killed

    with pytest.raises(Killed):
        run_supernet(study, SETTINGS, CPU, report)


def facts(study: Study) -> tuple[Learned | None, SupernetRun, bytes]:
    """All that a run leaves, but for its times."""
    (run,) = supernets(study)
    learned, weights = study.map_of("learned"), weights_path(study, run.key)
    return learned, run, weights.read_bytes()[-10_000:]


def test_the_study_has_the_order_that_the_networks_follow(study: Study) -> None:
    before, first_id = study.map_of("learned"), study.ranking_id("learned")
    result = run_supernet(study, SETTINGS, CPU, silent)
    (run,), after = supernets(study), study.map_of("learned")
    assert before and after and after.alpha != before.alpha and after.supernet == run.key
    assert after == run.relearned and run.ranking_id == study.ranking_id("learned") != first_id
    assert supernet_of(study, "learned") == run and not list((study.path / "checkpoints").glob("*"))
    for point in run.points:
        assert point.keep_id == network_at(study, original(study), Budget(macs=point.macs_fraction)).keep_id
    assert finished_supernet(study, SETTINGS) == result  # by the order of today
    study.save_learned(before)
    assert finished_supernet(study, SETTINGS) == result  # and by the one that it began with, which it replaces
    assert study.map_of("learned") == after


@pytest.mark.parametrize("epoch", [2, *(pytest.param(epoch, marks=pytest.mark.thorough) for epoch in (1, 3))])
def test_killed_and_resumed_it_ends_with_the_same_order_and_weights(study: Study, tmp_path: Path, epoch: int) -> None:
    shutil.copytree(study.path, tmp_path / "killed")
    run_supernet(study, SETTINGS, CPU, silent)
    killed = Study.open(tmp_path / "killed")
    killed_after(epoch, killed)
    run_supernet(killed, SETTINGS, CPU, silent)
    whole, resumed = facts(study), facts(killed)
    assert whole[0] and resumed[0] and (whole[0].alpha, whole[0].kappa) == (resumed[0].alpha, resumed[0].kappa)
    assert whole[1].points == resumed[1].points and whole[2] == resumed[2]


def test_killed_before_the_study_has_the_order_it_gets_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(supernet_module, "_take_order", kill)
        run_supernet(study, SETTINGS, CPU, silent)
    (run,) = supernets(study)
    assert run.relearned != study.map_of("learned")
    run_supernet(study, SETTINGS, CPU, silent)
    assert run.relearned == study.map_of("learned") and supernets(study) == [run]


def test_only_a_learned_ranking_is_learned_again(study: Study) -> None:
    with pytest.raises(SettingsError, match="identity was not; name another with --ranking"):
        run_supernet(study, SETTINGS, CPU, silent, ranking="identity")
    with pytest.raises(SettingsError, match="epochs must be 2 or more with relearn, got 1"):
        replace(SETTINGS, epochs=1)


def test_weights_that_followed_an_earlier_order_are_not_kept() -> None:
    assert (SETTINGS.first_kept, replace(SETTINGS, relearn=False).first_kept) == (2, 0)


def test_a_finished_search_leaves_the_order_that_was_learned_again(study: Study) -> None:
    task = search_task(study, LearnRequest(candidates=2))
    run_learn(study, task, CPU, silent)
    learned = study.map_of("learned")
    assert learned
    again = replace(learned, alpha=tuple(2 * alpha for alpha in learned.alpha), supernet="key")
    study.save_learned(again)
    run_learn(study, task, CPU, silent)
    assert study.map_of("learned") == again
    run_learn(study, replace(task, effort=task.effort + 5), CPU, silent)  # it goes on: what it finds is the ranking
    found = study.map_of("learned")
    assert found and not found.supernet


def test_an_order_that_was_chosen_meanwhile_stays(study: Study, caplog: pytest.LogCaptureFixture) -> None:
    before = study.map_of("learned")
    assert before
    other = replace(before, kappa=tuple(0.1 + n for n in range(len(before.kappa))))

    def report(progress: Progress) -> None:
        if progress.stage == "epoch" and progress.done == 3:
            study.save_learned(other)

    run_supernet(study, SETTINGS, CPU, report)
    assert study.map_of("learned") == other and "stays" in caplog.text
