"""What a study from elsewhere says about jobs: shown, never believed; and jobs that several machines share."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from legr import processes
from legr.errors import JobError, StudyError
from legr.jobs import records, register
from legr.jobs.run import cancel, resume, running
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.learn import LearnRequest
from legr.requests.measure import MeasureRequest
from legr.study.store import Study

ID = "learn-20261129-000000-aaaa"


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def brought(study: Study, job_id: str = ID, **facts: Any) -> str:
    """A record that came with the study."""
    folder = study.path / "jobs"
    folder.mkdir(exist_ok=True)
    first = {"id": job_id, "kind": "learn", "request": {}, "device": "cpu", "state": "running", "created": 1.0}
    (folder / f"{job_id}.json").write_text(json.dumps(first | facts))
    return job_id


def of_process(pid: int) -> dict[str, Any]:
    return {"pid": pid, "pid_started": processes.start_of(pid)}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are started, which this process stands for."""
    commands: list[list[str]] = []

    class Process:
        pid = os.getpid()

        def __init__(self, command: list[str], **_: Any) -> None:
            commands.append(command)

    monkeypatch.setattr(subprocess, "Popen", Process)
    return commands


def test_cancel_ends_no_process_that_only_a_study_names(study: Study, stranger: "subprocess.Popen[bytes]") -> None:
    job_id = brought(study, **of_process(stranger.pid))
    assert records.load(study, job_id).state == "interrupted"
    with pytest.raises(JobError, match="was not started by this machine"):
        cancel(study, job_id)
    assert stranger.poll() is None


@pytest.mark.parametrize("changed", ["study", "request", "kind"])
def test_a_record_with_the_id_of_a_job_of_this_machine_is_not_that_job(
    study: Study, tmp_path: Path, stranger: "subprocess.Popen[bytes]", changed: str
) -> None:
    job = records.new_job(study, LearnRequest(seed=1), "cpu")
    records.save(study, replace(job, state="running", **of_process(stranger.pid)))
    assert records.load(study, job.id).known
    if changed == "study":  # the study was sent away, and comes back as another one
        study = study.copy_to(tmp_path / "back")
        brought(study, job.id, request={"seed": 1})
    else:
        brought(study, job.id, **({"kind": "measure"} if changed == "kind" else {"request": {"seed": 2}}))
    assert not records.load(study, job.id).known
    with pytest.raises(JobError, match="was not started by this machine"):
        cancel(study, job.id)
    assert stranger.poll() is None


def test_a_study_that_takes_the_place_of_another_has_none_of_its_jobs(study: Study, tmp_path: Path) -> None:
    job = records.new_job(study, LearnRequest(), "cpu")
    other = study.copy_to(tmp_path / "other")
    study.path.rename(tmp_path / "aside")
    other.path.rename(study.path)
    brought(study, job.id)
    assert not records.load(study, job.id).known
    assert records.load(Study.open(tmp_path / "aside"), job.id).known  # renamed, it is the same study


def test_what_came_with_a_study_is_started_anew_without_folders_and_devices(
    study: Study, tmp_path: Path, started: list[list[str]]
) -> None:
    out = tmp_path / "elsewhere"
    request = {"budget": {"macs": 0.5}, "out": str(out)}
    job_id = brought(study, "export-1", kind="export", state="failed", request=request, device="../../x")
    again = resume(study, records.load(study, job_id))
    assert again.known and again.device == "cpu"
    assert again.request == ExportRequest(Budget(macs=0.5), study.path / "exports" / "macs-50")
    assert str(out) not in started[0]

    old = ["--model", "this:x", "--weights", "w.pt", "--candidates", "3", "--workers", "60", "--device", "cuda:7"]
    job_id = brought(study, "learn-1", state="cancelled", request=None, arguments=old)
    again = resume(study, records.load(study, job_id))
    assert again.request == LearnRequest(candidates=3)
    assert started[1][-2:] == ["--candidates", "3"]

    threads = brought(study, "measure-1", kind="measure", state="failed", request={"threads": 8, "batch": 4})
    assert resume(study, records.load(study, threads)).request == MeasureRequest(batch=4)


def test_an_own_job_is_resumed_as_it_was_asked_for(study: Study, tmp_path: Path, started: list[list[str]]) -> None:
    request = ExportRequest(Budget(macs=0.5), tmp_path / "elsewhere")
    job = records.new_job(study, request, "cpu")
    records.end(study, job, "cancelled")
    assert resume(study, records.load(study, job.id)).request == request
    assert str(tmp_path / "elsewhere") in started[0]


def test_names_of_export_folders() -> None:
    names = {
        Budget(macs=0.5): "macs-50",
        Budget(macs=0.125, weight_mb=0.3): "macs-12.5-weight-mb-0.3",
        Budget(mmacs=20): "mmacs-20",
    }
    for budget, name in names.items():
        assert ExportRequest(budget, Path()).folder_name == name
    assert ExportRequest(Budget(macs=0.5), Path(), ranking="uniform").folder_name == "macs-50-uniform"


@pytest.mark.parametrize(
    "facts",
    [
        {"pid": -1}, {"pid": "7"}, {"pid": True}, {"pid": 2**40}, {"pid": 1, "pid_started": "x"}, {"created": "x"},
        {"created": -5}, {"created": 1e300}, {"stage": "\ud800"}, {"stage": 5}, {"id": "learn-b"}, {"done": 10**30},
        {"state": "paused"}, {"history": [3]}, {"history": [{"a": "x"}]}, {"values": []}, {"result": [1]},
        {"request": []}, {"request": None}, {"request": {"seed": "x"}}, {"arguments": 4, "request": None},
        {"seconds_left": -1}, {"number": 10**12}, {"kind": ["learn"]}, {"kind": "new"},
    ],
    ids=str,
)  # fmt: skip
def test_a_record_of_wrong_types_is_left_out(study: Study, facts: dict[str, Any]) -> None:
    brought(study, **facts)
    assert records.list_jobs(study) == []
    with pytest.raises(JobError, match="is damaged"):
        records.load(study, ID)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"id": NaN}', '{"done": ' + "1" * 5000 + "}", "", "\0"])
def test_a_record_that_is_no_json_is_left_out(study: Study, content: str) -> None:
    (study.path / "jobs").mkdir()
    (study.path / "jobs" / f"{ID}.json").write_text(content)
    assert records.list_jobs(study) == []


def test_what_is_at_work_comes_first_whatever_clocks_say(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10 * 86400)
    ahead = records.new_job(study, LearnRequest(), "cpu")
    monkeypatch.setattr(time, "time", lambda: now)  # the clock was set right
    assert records.load(study, ahead.id).state == "interrupted"  # not still about to begin
    with running(study, LearnRequest(), "cpu") as handle:
        assert records.latest(study, "learn") == records.load(study, handle.job.id)
        assert records.list_jobs(study)[0].active
    latest = records.latest(study, "learn")
    assert latest is not None and (latest.id, latest.state) == (handle.job.id, "done")


def test_a_job_of_an_earlier_version_is_shown_and_left_alone(study: Study) -> None:
    job_id = brought(study, **of_process(os.getpid()))  # Python of this user, as an update leaves it
    job = records.load(study, job_id)
    assert job.active and not job.known
    with pytest.raises(JobError, match="cancel it where it was started"):
        cancel(study, job_id)


@pytest.mark.parametrize("holder", [False, True])
def test_on_machines_that_share_the_register_only_the_own_processes_count(
    study: Study, monkeypatch: pytest.MonkeyPatch, holder: bool
) -> None:
    """The same process id is another process elsewhere; a lock tells whether the job is at work there."""
    with monkeypatch.context() as there:
        there.setattr(processes, "place", lambda: "other-machine 1")
        job = records.new_job(study, LearnRequest(), "cpu")
        records.save(study, replace(job, state="running", **of_process(os.getpid())))
    assert records.load(study, job.id).state == "interrupted"
    if holder:
        script = (
            "import sys, time; from legr.jobs import register; lock = register.at_work(sys.argv[1]); lock.acquire(); "
            "print(flush=True); time.sleep(60)"
        )
        other = subprocess.Popen([sys.executable, "-c", script, job.id], stdout=subprocess.PIPE)
        assert other.stdout is not None
        other.stdout.readline()
        assert records.load(study, job.id).state == "running"
        with pytest.raises(JobError, match="is at work on other-machine; cancel it there"):
            cancel(study, job.id)
        other.kill()
        other.wait()
    assert cancel(study, job.id).state == "cancelled"


def test_the_register_forgets_the_oldest(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "_MOST_ENTRIES", 4)
    jobs = []
    for seed in range(7):
        job = records.new_job(study, LearnRequest(seed=seed), "cpu")
        jobs.append(records.end(study, job, "done").id)
    known = [job.id for job in records.list_jobs(study) if job.known]
    assert 2 <= len(known) <= 4 and known == jobs[: -len(known) - 1 : -1]


LINKED = ["jobs", "finetuned", "exports", "searches", "statistics", "compared", "checkpoints"]


@pytest.mark.parametrize("name", LINKED)
def test_no_link_of_a_study_is_followed_out_of_it(study: Study, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.json").write_text("{}")
    (study.path / name).symlink_to(outside)
    with pytest.raises(StudyError, match=f"{name}/a.json leads out of the study"):
        study.within(name, "a.json")
    assert study.files(name, "*.json") == []
    with pytest.raises(StudyError, match="leads out of the study"):
        study.followed(study.path / name / "macs-50")
    if name == "jobs":
        assert records.list_jobs(study) == []
        with pytest.raises(StudyError, match="leads out of the study"):
            records.new_job(study, LearnRequest(), "cpu")
    assert [path.name for path in outside.iterdir()] == ["a.json"]


def test_places_in_a_study_have_plain_names(study: Study) -> None:
    for parts in (("..", "x"), ("finetuned", "../../x.safetensors"), ("a/b",), ("",), ("finetuned", "..")):
        with pytest.raises(StudyError, match="leads out of the study"):
            study.within(*parts)
    inner = study.path / "finetuned"
    inner.mkdir()
    (study.path / "exports").symlink_to(inner)  # a link that stays within the study is one's own business
    assert study.within("exports", "x.json") == study.path / "exports" / "x.json"


def test_a_copy_of_a_study_holds_nothing_of_elsewhere(study: Study, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (study.path / "note.txt").symlink_to(secret)
    (study.path / "exports").symlink_to(tmp_path)
    os.mkfifo(study.path / "pipe")
    (study.path / "nothing").symlink_to(tmp_path / "nothing")
    copy = study.copy_to(tmp_path / "copy")
    names = {path.name for path in copy.path.iterdir()}
    assert "structure.json" in names and not names & {"note.txt", "exports", "pipe", "nothing"}


def test_locks_follow_no_links(study: Study, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    (study.path / ".jobs.lock").symlink_to(outside)
    with pytest.raises(StudyError, match="leads out of the study"):
        study.lock("jobs")
    assert outside.read_text() == "precious"


def test_processes_are_known_by_id_and_start() -> None:
    here = psutil.Process()
    assert processes.process(os.getpid(), processes.process_start(here)) == here
    assert processes.process(os.getpid(), 1.0) is None
    assert processes.process(2**22 + 1, 1.0) is None
    assert processes.process(2**70, 1.0) is None
    assert processes.place() == processes.place() != ""
