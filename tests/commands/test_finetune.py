"""Fine-tuning of any ranking's network: what is judged is what is kept, and every row tells what made it."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from legr.commands import finetune as module
from legr.commands import network as networks
from legr.commands.evaluate import evaluate
from legr.commands.finetune import Tuning, finished_finetune, run_finetune, teacher_cache
from legr.commands.network import network_at
from legr.commands.original import original
from legr.jobs import records
from legr.progress import silent
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.requests.jobs import JOB_REQUESTS
from legr.requests.train import FinetuneRequest
from legr.study.store import Study, keep_id
from legr.training.settings import RECIPES, TrainSettings
from tests.cli.processes import called, refused
from tests.cli.processes import run as run_command

CPU = torch.device("cpu")
HALF = Budget(macs=0.5)
SETTINGS = TrainSettings(epochs=1, batch=100)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(made_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """With the uniform network at half of the MACs fine-tuned and rounded. Do not write to it."""
    study = Study.open(made_study).copy_to(tmp_path_factory.mktemp("tuned") / "digits8")
    run_finetune(study, HALF, Tuning(SETTINGS, ranking="uniform", half=True), CPU, silent)
    return study


def test_the_ranking_asked_for_is_trained(study: Study) -> None:
    (run,) = study.finetuned
    (point,) = (p for p in study.points if p.finetuned)
    assert run.ranking == point.ranking == "uniform"
    assert (run.macs_fraction, run.top1) == (point.macs_fraction, point.top1)
    assert study.best_finetuned(study.curve("uniform").at(HALF)) == run
    assert study.best_finetuned(study.curve("identity").at(HALF)) is None
    assert finished_finetune(study, HALF, Tuning(SETTINGS)) is None
    again = run_finetune(study, HALF, Tuning(SETTINGS, ranking="uniform", half=True), CPU, silent)
    assert again == finished_finetune(study, HALF, Tuning(SETTINGS, "uniform", half=True))
    assert (
        finished_finetune(study, HALF, Tuning(SETTINGS, "uniform")) is None
    )  # weights that are not rounded are others


def test_a_run_that_was_killed_once_recorded_leaves_no_checkpoint(study: Study, tmp_path: Path) -> None:
    tuned = study.copy_to(tmp_path / "tuned")
    checkpoint = tuned.path / "checkpoints" / f"{tuned.finetuned[0].key}.safetensors"
    checkpoint.write_bytes(b"of the run")
    assert finished_finetune(tuned, HALF, Tuning(SETTINGS, "uniform", half=True)) is not None
    assert not checkpoint.exists()


def test_a_run_whose_weights_are_gone_is_not_finished(study: Study, tmp_path: Path) -> None:
    bare = study.copy_to(tmp_path / "bare")
    (run,) = bare.finetuned
    bare.finetuned_weights(run.key).unlink()
    assert finished_finetune(bare, HALF, Tuning(SETTINGS, "uniform", half=True)) is None
    assert evaluate(bare, HALF, "uniform", True, CPU, silent).top1 != run.top1


def test_rounded_weights_take_half_the_space_and_answer_as_they_were_judged(study: Study) -> None:
    (run,) = study.finetuned
    network = network_at(study, original(study), HALF, ranking="uniform").model
    convolutions = [weight for weight in network.parameters() if weight.dim() > 1]
    assert all(torch.equal(weight, weight.half().float()) for weight in convolutions)
    file = study.finetuned_weights(run.key)
    assert file.stat().st_size < 2.2 * sum(weight.numel() for weight in network.parameters()) + 20_000
    assert evaluate(study, HALF, "uniform", True, CPU, silent).top1 == run.top1


def test_a_row_names_the_command_that_makes_it_again(study: Study) -> None:
    (run,) = study.finetuned
    (point,) = (p for p in study.points if p.finetuned)
    assert run.provenance == point.provenance
    assert (run.provenance.seed, run.provenance.seconds) == (0, run.seconds)
    assert "thread" in run.provenance.machine
    python, module, program, *arguments = shlex.split(run.provenance.command)
    assert [python, module, program, *arguments[:2]] == ["python", "-m", "legr", "finetune", "--study"]
    assert arguments[2] == "digits8"  # no path of a machine
    arguments[2] = str(study.path)
    before = {path: path.stat().st_mtime_ns for path in (study.path / "finetuned").iterdir()}
    run_command(*arguments)  # there already: nothing is trained
    assert {path: path.stat().st_mtime_ns for path in (study.path / "finetuned").iterdir()} == before


@pytest.mark.slow
def test_a_row_says_its_ranking_even_where_that_is_the_default_one(made_study: Path, tmp_path: Path) -> None:
    study = Study.open(made_study).copy_to(tmp_path / "digits8")
    run_finetune(study, HALF, Tuning(SETTINGS), CPU, silent)  # nothing is learned: the identity; later it may be
    (run,) = study.finetuned
    assert run.ranking == "identity" and "--ranking identity" in run.provenance.command


def test_what_the_original_said_belongs_to_its_images_their_order_and_the_network(study: Study) -> None:
    folders = {
        teacher_cache(study, SETTINGS, CPU),
        teacher_cache(study, replace(SETTINGS, seed=1), CPU),
        teacher_cache(study, replace(SETTINGS, batch=64), CPU),
        *(
            teacher_cache(Study(study.path, replace(study.info, **changes)), SETTINGS, CPU)
            for changes in ({"model": "x"}, {"weights_sha256": "x"}, {"data_fingerprint": "x"}, {"split_seed": 1})
        ),
    }
    assert len(folders) == 7
    assert teacher_cache(study, replace(SETTINGS, epochs=9, lr=0.3), CPU) in folders


def test_whoever_waited_for_the_same_run_takes_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "train", None)
    monkeypatch.setattr(module, "finished_finetune", lambda *args, **kwargs: None)  # asked before the other had ended
    again = run_finetune(study, HALF, Tuning(SETTINGS, ranking="uniform", half=True), CPU, silent)
    assert again.top1 == study.finetuned[0].top1


@pytest.mark.slow
def test_the_whole_network_is_reported_as_it_is_exported(
    made_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Fine-tuned it is not the original any more, and its statistics are chosen like those of any other."""
    monkeypatch.setattr(networks, "with_better_statistics", lambda model, *args, **more: (model, True))
    study, whole = Study.open(made_study).copy_to(tmp_path / "digits8"), Budget(macs=1.0)
    found = run_finetune(study, whole, Tuning(SETTINGS), CPU, silent)
    (point,) = (p for p in study.points if p.finetuned)
    (run,) = study.finetuned
    assert (found.top1_before, found.top1, found.original_trained) == (run.top1_before, run.top1, run.top1)
    assert not any("polish" in message for message in caplog.messages)
    small = run_finetune(study, HALF, Tuning(SETTINGS), CPU, silent)
    assert (small.original_trained, small.supernet) == (run.top1, "")
    polished = run_finetune(study, HALF, Tuning(replace(RECIPES["polish"], batch=100)), CPU, silent)
    assert polished.original_trained is None  # the original was not trained like this
    assert "polish is made for weights that were trained together" in " ".join(caplog.messages)
    scored = evaluate(study, whole, "identity", True, CPU, silent)
    assert scored.finetuned and scored.top1 == found.top1
    assert scored.recalibrated and point.recalibrated


@pytest.mark.slow
def test_a_run_that_ended_early_says_how_long_it_was(
    made_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, train = Study.open(made_study).copy_to(tmp_path / "digits8"), module.train
    monkeypatch.setattr(
        module, "train", lambda *args, **more: train(*args[:4], replace(args[4], epochs=1), *args[5:], **more)
    )
    run_finetune(study, HALF, Tuning(replace(SETTINGS, epochs=3)), CPU, silent)
    (run,), (point,) = study.finetuned, (p for p in study.points if p.finetuned)
    assert point.finetuned is not None
    assert run.epochs == point.finetuned.epochs == 1
    assert run.settings and run.settings.epochs == 3


@pytest.mark.slow
def test_a_job_goes_on_with_the_network_it_was_started_for_or_not_at_all(made_study: Path, tmp_path: Path) -> None:
    study = Study.open(made_study).copy_to(tmp_path / "digits8")
    network = ("--network", keep_id(study.curve().at(HALF)))
    finetune = ("finetune", "--study", study.path, "--macs", 0.5, "--epochs", 1)
    study.save_constraints(Constraints(pins={study.structure.layers[0].name: 5}))
    for command in (finetune, ("export", "--study", study.path, "--macs", 0.5, "--out", tmp_path / "out")):
        job = records.new_job(study, JOB_REQUESTS[str(command[0])].from_arguments(list(map(str, command[3:]))), "cpu")
        said = refused(*command, *network, "--job", job.id)
        assert "has changed since this was started" in said
        ended = records.load(study, job.id)
        assert ended.state == "failed" and ended.error in said
    assert study.finetuned == [] and not (tmp_path / "out").exists()
    called(*finetune)  # anew, it is the network of today
    (run,) = study.finetuned
    assert run.keep_id == keep_id(study.curve().at(HALF)) != network[1]
    request = records.list_jobs(study)[0].request
    assert isinstance(request, FinetuneRequest) and request.network == run.keep_id
