"""The commands about jobs, and how a job ends that never begins its work."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from legr.jobs import records, register
from legr.ranking.limits import Budget
from legr.requests.learn import LearnRequest
from legr.requests.measure import CompareRequest
from legr.requests.train import FinetuneRequest
from legr.study.store import Study
from tests.cli.processes import called, refused


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


def test_a_record_of_elsewhere_is_listed_and_not_cancelled(study: Study) -> None:
    (study.path / "jobs").mkdir()
    record = {"id": "learn-1", "kind": "learn", "request": {}, "state": "running", "pid": os.getpid(), "pid_started": 1}
    (study.path / "jobs" / "learn-1.json").write_text(json.dumps(record))
    rows = called("jobs", "--study", study.path, "--json")[0]["jobs"]
    assert [(row["id"], row["state"]) for row in rows] == [("learn-1", "interrupted")]
    assert "learn-1 was not started by this machine" in refused("cancel", "--study", study.path, "learn-1")
    assert "was not started by this machine" in refused("learn", "--study", study.path, "--job", "learn-1")


@pytest.mark.parametrize(
    ("request_", "arguments", "words"),
    [
        (CompareRequest(Budget(macs=0.5), device="toaster"), ("--macs", "0.5", "--device", "toaster"), "toaster"),
        (FinetuneRequest(Budget(macs=0.5), recipe="x"), ("--macs", "0.5", "--recipe", "x"), "recipe"),
        (LearnRequest(budgets=(0.4,)), ("--budgets", "0.4", "--budget", "0.3"), "give one of the two"),
    ],
    ids=["device", "recipe", "budgets"],
)
def test_a_job_that_fails_before_it_begins_says_why(
    study: Study, request_: LearnRequest, arguments: tuple[str, ...], words: str
) -> None:
    job = records.new_job(study, request_, "cpu")
    refused(request_.command, "--study", study.path, "--job", job.id, *arguments)
    ended = records.load(study, job.id)
    assert ended.state == "failed" and words in ended.error


def test_the_failure_of_another_process_is_not_noted(study: Study) -> None:
    job = records.new_job(study, LearnRequest(), "cpu")
    entry = register.read(job.id)
    assert entry is not None
    records.update(study, job.id, lambda now: replace(now, pid=1, pid_started=0.0))
    register.note_failure(job.id, "someone gave --job by hand")
    after = register.read(job.id)
    assert after is not None and after.active
