"""Training from scratch with all budgets: structures are found early, and the study's original is the whole network."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from legr.commands import structures, supernet_points
from legr.commands import together as module
from legr.commands.evaluate import evaluate
from legr.commands.original import original
from legr.commands.structures import read_looks
from legr.commands.together import TogetherTask, train_together
from legr.commands.train import TrainTask
from legr.errors import SettingsError, StudyError, WeightsError
from legr.models.weights import hash_state, load_weights
from legr.models.zoo import find_spec
from legr.progress import Progress, silent
from legr.ranking.limits import Budget
from legr.study.store import Study
from legr.study.supernets import supernet_of
from legr.training.settings import SCRATCH
from tests.training.test_train import Killed

CPU = torch.device("cpu")
SETTINGS = replace(SCRATCH, epochs=4, batch=256, lr=0.1)

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, own_folders: Path) -> None:
    monkeypatch.setattr(structures, "BETWEEN_EPOCHS", 1)
    monkeypatch.setattr(supernet_points, "MEASURED", 2)
    monkeypatch.setattr(supernet_points, "BETWEEN", 1)
    monkeypatch.setattr(module, "_PASSES", 2)


def task(folder: Path, *, alike: float = 1.0, epochs: int = 4) -> TogetherTask:
    settings = replace(SETTINGS, epochs=epochs)
    training = TrainTask(
        folder / "w.safetensors", find_spec("cifar_resnet8"), "digits", settings, input_shape=(3, 16, 16)
    )
    return TogetherTask(training, folder / "study", 0.4, alike)


def facts(folder: Path) -> tuple[object, ...]:
    """What a run leaves, but for its times."""
    study = Study.open(folder / "study")
    run, learned = supernet_of(study, "learned"), study.map_of("learned")
    assert run and learned
    return run.points, learned.alpha, learned.kappa, study.info.weights_sha256


def test_the_whole_network_is_the_original_of_a_study_with_a_supernet(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    result = train_together(task(folder), CPU, silent)
    study = Study.open(folder / "study")
    run = supernet_of(study, "learned")
    assert run and run.epochs == 2 and result.structures_at == 2 and len(result.similarities) == 1
    assert result.top1 == run.points[0].top1 == evaluate(study, Budget(macs=1.0), None, True, CPU, silent).top1
    assert study.info.weights_origin == "legr" and hash_state(original(study).state_dict()) == study.info.weights_sha256
    assert sorted(path.name for path in folder.iterdir()) == ["study", "w.safetensors"]
    smallest = run.points[-1]
    found = evaluate(study, Budget(macs=smallest.macs_fraction), None, True, CPU, silent)
    assert found.supernet == run.key and found.top1 == smallest.top1
    with pytest.raises(WeightsError, match="is there already"):
        train_together(task(folder), CPU, silent)


def test_structures_that_stay_alike_end_the_first_part(tmp_path: Path) -> None:
    result = train_together(task(tmp_path, alike=0.0, epochs=8), CPU, silent)
    assert result.structures_at == 3 and len(result.similarities) == 2 and result.supernet.epochs == 5


def test_killed_anywhere_it_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train_together(task(tmp_path / "whole"), CPU, silent)
    stopped = task(tmp_path / "killed")

    def in_the_first_part(progress: Progress) -> None:
        if progress.stage == "epoch" and progress.done == 1:
            raise Killed

    with pytest.raises(Killed):
        train_together(stopped, CPU, in_the_first_part)
    assert [look.epoch for look in read_looks(stopped.looks)] == []
    for step in ("create", "run_learn", "run_supernet", "_adopt", "hash_state", "save_weights"):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(module, step, _kill)
            train_together(stopped, CPU, silent)
    train_together(stopped, CPU, silent)
    assert facts(tmp_path / "whole") == facts(tmp_path / "killed")


def _kill(*_: object, **__: object) -> None:
    raise Killed


def test_another_study_and_too_few_epochs_are_refused(tmp_path: Path, study_path: Path) -> None:
    with pytest.raises(SettingsError, match="--epochs must be 4 or more with --supernet, got 3"):
        train_together(task(tmp_path, epochs=3), CPU, silent)
    with pytest.raises(StudyError, match="holds a study already"):
        train_together(replace(task(tmp_path), study=study_path), CPU, silent)


def test_what_a_killed_run_has_left_is_not_taken_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = task(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(module, "create", _kill)
        train_together(first, CPU, silent)
    other = replace(first, training=replace(first.training, settings=replace(SETTINGS, seed=7)))
    assert first.early.exists() and not other.early.exists() and not other.looks.exists()
    assert first.making.parent != other.making.parent != replace(first, smallest=0.5).making.parent


def test_the_weights_say_how_they_were_made(tmp_path: Path) -> None:
    train_together(task(tmp_path), CPU, silent)
    study = Study.open(tmp_path / "study")
    model = original(study)
    header = load_weights(model, tmp_path / "w.safetensors").metadata
    made = json.loads(header["made"])
    run = supernet_of(study, "learned")
    assert run and made["seconds"] > run.seconds and header["split_seed"] == "0" and study.info.name == "study"
    assert "--supernet study --smallest 0.4 --alike 1" in made["command"] and str(tmp_path) not in made["command"]
    assert "--no-distill" in run.provenance.command and "--study study" in run.provenance.command


def test_looks_are_written_as_plain_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(module, "create", _kill)
        train_together(task(tmp_path), CPU, silent)
    looks = read_looks(task(tmp_path).looks)
    assert [look.epoch for look in looks] == [1, 2] and looks[0].similarity is None
    assert looks[1].similarity is not None and 0 < looks[1].similarity <= 1
    assert json.loads(task(tmp_path).looks.read_text())["looks"][1]["epoch"] == 2
