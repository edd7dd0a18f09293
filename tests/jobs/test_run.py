"""Jobs: who may say how one ended, and what happens when signals and crashes come at the wrong moment."""

import json
import os
import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from legr.errors import JobError, SettingsError, StudyError
from legr.jobs import records
from legr.jobs.run import Cancelled, cancel, record_outcome, running, start
from legr.progress import Progress
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.learn import LearnRequest
from legr.study.store import Study


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


def state(study: Study, job_id: str) -> str:
    return records.load(study, job_id).state


def test_a_job_is_seen_from_its_files(study: Study) -> None:
    with running(study, LearnRequest(seed=1), "cpu") as handle:
        handle.report(Progress("candidate", 1, 2, 3.5, {"best_loss": 0.5}))
        seen = records.load(study, handle.job.id)
        assert (seen.state, seen.stage, seen.done, seen.total, seen.seconds_left) == ("running", "candidate", 1, 2, 3.5)
        assert seen.pid == os.getpid()
        assert seen.history == ({"done": 1, "best_loss": 0.5},)
        handle.finish("done", result={"a": 1})
    assert (state(study, handle.job.id), records.load(study, handle.job.id).result) == ("done", {"a": 1})


def test_a_job_that_is_cancelled_before_it_begins_never_runs(study: Study) -> None:
    job = records.new_job(study, LearnRequest(), "cpu")
    assert state(study, job.id) == "queued"
    assert cancel(study, job.id).state == "cancelled"
    with pytest.raises(Cancelled), running(study, LearnRequest(), "cpu", job.id):
        raise AssertionError("it ran")
    assert state(study, job.id) == "cancelled"


def test_a_job_that_is_cancelled_while_it_loads_is_cancelled(study: Study) -> None:
    job = start(study, LearnRequest(candidates=400, images=64))
    assert job.pid is not None
    assert cancel(study, job.id).state == "cancelled"  # long before torch is imported
    again = start(study, LearnRequest(candidates=400, images=64))
    assert cancel(study, again.id).state == "cancelled"


def test_a_cancel_that_comes_too_late_changes_nothing(study: Study) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        running(study, ExportRequest(Budget(macs=0.5), Path("out")), "cpu") as handle,
    ):
        handle.finish("done", result={"zip": "x"})
        raise KeyboardInterrupt
    assert (state(study, handle.job.id), records.load(study, handle.job.id).result) == ("done", {"zip": "x"})
    assert record_outcome(study, handle.job.id, "cancelled").state == "done"


def test_sigterm_ends_a_job_in_good_order(study: Study) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Cancelled), running(study, LearnRequest(), "cpu") as handle:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    assert state(study, handle.job.id) == "cancelled"
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SettingsError("the budget is wrong; choose another"), "the budget is wrong; choose another"),
        (OSError(28, "No space left on device"), "No space left on device; free some space"),
        (ZeroDivisionError("oh"), "unexpected ZeroDivisionError: oh"),
    ],
)
def test_a_job_that_fails_says_why(study: Study, error: Exception, words: str) -> None:
    with pytest.raises(type(error)), running(study, LearnRequest(), "cpu") as handle:
        raise error
    job = records.load(study, handle.job.id)
    assert job.state == "failed"
    assert words in job.error
    assert job.resumable


def test_a_process_that_is_gone_shows_as_interrupted(study: Study) -> None:
    job = records.new_job(study, LearnRequest(), "cpu")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    records.save(study, replace(job, state="running", pid=child, pid_started=time.time()))
    assert state(study, job.id) == "interrupted"
    reused = replace(job, state="running", pid=os.getpid(), pid_started=1.0)  # the pid lives, but it is another process
    records.save(study, reused)
    assert state(study, job.id) == "interrupted"
    assert cancel(study, job.id).state == "cancelled"


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the clock moves nothing")
def test_a_clock_that_is_set_ends_no_job(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(study, LearnRequest(), "cpu") as handle:
        booted = psutil.boot_time()
        monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + 3600)
        assert state(study, handle.job.id) == "running"


def test_of_two_that_start_the_same_one_is_told(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both look before either has written: the record of the first is made slowly."""
    new_job, told = records.new_job, []

    def slowly(*arguments: Any) -> records.Job:
        time.sleep(0.3)
        job = new_job(*arguments)
        records.save(study, replace(job, pid=os.getpid(), pid_started=records.process_start(psutil.Process())))
        return job

    def begin() -> None:
        try:
            start(study, LearnRequest())
        except JobError as error:
            told.append(str(error))

    monkeypatch.setattr(records, "new_job", slowly)
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **more: SimpleNamespace(pid=os.getpid()))
    tabs = [threading.Thread(target=begin) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(told) == 1 and "at work on" in told[0]
    assert len(records.list_jobs(study)) == 1


def test_a_damaged_record_is_one_sentence_and_hides_no_other(study: Study) -> None:
    job = records.new_job(study, LearnRequest(), "cpu")
    for name, content in (("learn-a", "{}"), ("learn-b", "{torn"), ("learn-c", "[]")):
        (study.path / "jobs" / f"{name}.json").write_text(content)
        with pytest.raises(JobError, match="damaged"):
            records.load(study, name)
    assert [found.id for found in records.list_jobs(study)] == [job.id]


def test_only_known_work_on_own_studies_is_started(study: Study) -> None:
    job = records.new_job(study, LearnRequest(), "cpu")
    path = study.path / "jobs" / f"{job.id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "kind": "app"}))
    with pytest.raises(JobError, match="damaged"):
        records.load(study, job.id)
    with pytest.raises(StudyError, match="is a sample"):
        start(study.mark_as_sample(), LearnRequest())
    for name in ("../study", "learn/../../x", ""):
        with pytest.raises(JobError, match="has no job"):
            records.load(study, name)


def test_records_are_plain_json(study: Study) -> None:
    job = records.new_job(study, LearnRequest(seed=1, budgets=(0.3,)), "cpu")
    data = json.loads((study.path / "jobs" / f"{job.id}.json").read_text())
    assert (data["kind"], data["request"]) == ("learn", {"seed": 1, "budgets": [0.3]})
    assert records.load(study, job.id).request == job.request


def test_a_record_of_the_first_version_has_arguments_instead(study: Study) -> None:
    job = records.new_job(study, LearnRequest(), "cpu")
    path = study.path / "jobs" / f"{job.id}.json"
    data = json.loads(path.read_text())
    del data["request"]
    old = ["--budget", "0.3", "--option", "rate=0.5", "--device", "auto", "--measure"]
    path.write_text(json.dumps({**data, "arguments": old}))
    assert records.load(study, job.id).request == LearnRequest(budgets=(0.3,), options={"rate": 0.5}, measure=True)
    path.write_text(json.dumps({**data, "arguments": ["--what"]}))
    with pytest.raises(JobError, match="damaged"):
        records.load(study, job.id)
