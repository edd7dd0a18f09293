"""Killed, interrupted, queued and detached: nothing is lost, and the end is the same."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import legr
from legr.study.store import Study
from tests.cli.processes import COMMAND, ROOT, called, copy_of, kill_when, learn, wait_for
from tests.cli.stored import stored

pytestmark = pytest.mark.slow


def test_a_killed_search_goes_on_and_ends_alike(study_path: Path, tmp_path: Path, made_study: Path) -> None:
    code, said = kill_when("pass 5 of 12", *learn(study_path, "--candidates", 12))
    assert code == -signal.SIGKILL
    state = called("jobs", "--study", study_path, "--json")[0]["jobs"][0]["state"]
    assert state == "interrupted"
    found, said = called(*learn(study_path, "--candidates", 12))
    assert found["resumed_from"] >= 5
    assert f"going on after candidate {found['resumed_from']}" in said
    whole = copy_of(made_study, tmp_path / "whole" / study_path.name)
    called(*learn(whole, "--candidates", 12))
    a, b = Study.open(study_path).learned, Study.open(whole).learned
    assert a is not None
    assert b is not None
    assert (a.alpha, a.kappa, a.best_losses) == (b.alpha, b.kappa, b.best_losses)
    assert stored(study_path) == stored(whole)


@pytest.mark.thorough
def test_a_killed_fine_tune_goes_on_and_ends_alike(study_path: Path, tmp_path: Path, made_study: Path) -> None:
    arguments = ("--macs", "0.4", "--epochs", "3", "--json")
    code, _ = kill_when("epoch 1 of 3", "finetune", "--study", study_path, *arguments)
    assert code == -signal.SIGKILL
    found, said = called("finetune", "--study", study_path, *arguments)
    assert "going on after epoch" in said
    whole = copy_of(made_study, tmp_path / "whole" / study_path.name)
    expected, _ = called("finetune", "--study", whole, *arguments)
    assert found["top1"] == expected["top1"]
    assert stored(study_path) == stored(whole)
    assert not list((study_path / "checkpoints").iterdir())


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_130_and_shows_as_cancelled(study_path: Path, sig: int) -> None:
    code, said = kill_when("pass 2 of 400", *learn(study_path), sig=sig)
    assert code == 130
    assert said.splitlines()[-1] == "interrupted; repeat the command to go on"
    assert called("jobs", "--study", study_path, "--json")[0]["jobs"][0]["state"] == "cancelled"


def test_jobs_on_one_device_wait_for_each_other(study_path: Path, tmp_path: Path, made_study: Path) -> None:
    other = copy_of(made_study, tmp_path / "other")
    first = subprocess.Popen([*COMMAND, *map(str, learn(study_path))], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    for line in first.stderr:
        if "pass 1 of" in line:
            break
    second = subprocess.Popen(
        [*COMMAND, *map(str, learn(other, "--candidates", 1))],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert second.stderr is not None
    assert "waiting for another job on cpu" in second.stderr.readline()
    assert called("jobs", "--study", other, "--json")[0]["jobs"][0]["state"] == "queued"
    os.kill(first.pid, signal.SIGKILL)  # its lock goes with it
    first.wait()
    assert second.wait(timeout=60) == 0


def test_a_detached_job_is_seen_cancelled_and_resumed(study_path: Path) -> None:
    from legr.jobs import records
    from legr.jobs import run as jobs
    from legr.ranking.limits import Budget
    from legr.requests.learn import LearnRequest
    from legr.requests.train import FinetuneRequest

    study = Study.open(study_path)
    job = jobs.start(study, LearnRequest(method="evolution", budgets=(0.4,), images=64))
    with pytest.raises(legr.JobError, match="at work"):
        jobs.start(study, LearnRequest())
    job = wait_for(study, job.id, lambda j: j.done >= 2)
    assert job.state == "running"
    assert job.total == 400
    assert job.values["best_loss"] <= job.values["identity_loss"]
    stopped, _ = called("cancel", "--study", study_path, job.id, "--json")
    assert stopped["state"] == "cancelled"
    again = jobs.resume(study, records.load(study, job.id))
    running = wait_for(study, again.id, lambda j: j.done >= job.done + 1)
    assert running.done > job.done
    jobs.cancel(study, again.id)
    failing = jobs.start(study, FinetuneRequest(Budget(macs=0.0001)))
    failed = wait_for(study, failing.id, lambda j: not j.active)
    assert failed.state == "failed"
    assert "below the floor" in failed.error
