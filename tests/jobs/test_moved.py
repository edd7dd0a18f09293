"""Studies that are renamed, replaced or deleted while a job works on them, and disks that fill up meanwhile."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from legr.errors import JobError, StudyError
from legr.held import HeldFolder, shown
from legr.jobs import kept_space, records, register
from legr.jobs.kept_space import keep_space, write_last
from legr.jobs.run import record_outcome, running, start
from legr.progress import Progress
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.learn import LearnRequest
from legr.requests.measure import MeasureRequest
from legr.requests.train import FinetuneRequest
from legr.study.store import Study


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


def test_a_job_follows_its_study(study: Study, tmp_path: Path) -> None:
    path, away = study.path, tmp_path / "away"
    with running(study, MeasureRequest(), "cpu") as handle:
        weights, lock = study.finetuned_weights("a"), study.lock("points")
        path.rename(away)
        handle.report(Progress("point", 1, 2))
        study.save_points([])
        weights.parent.mkdir()
        weights.write_bytes(b"late")  # the place was asked for before
        with lock:
            assert study.path == away
        handle.report(Progress("point", 2, 2))
        away.rename(tmp_path / "again")
        handle.finish("done", result={"a": 1})
    found = Study.open(tmp_path / "again")
    assert study.path == found.path and not path.exists() and not away.exists()
    job = records.load(found, handle.job.id)
    assert (job.state, job.done, job.result, job.known) == ("done", 2, {"a": 1}, True)
    assert (found.path / "finetuned" / "a.safetensors").read_bytes() == b"late"


@pytest.mark.parametrize("how", [shutil.rmtree, lambda path: (path / "study.json").unlink()], ids=["all", "its heart"])
@pytest.mark.parametrize("then", ["report", "write", "fail", "end"])
def test_a_job_ends_with_its_study_and_writes_nothing(study: Study, how: Callable[[Path], Any], then: str) -> None:
    path = study.path
    with pytest.raises(StudyError, match="was deleted or moved away, so nothing more is written"):  # noqa: SIM117
        with running(study, MeasureRequest(), "cpu") as handle:
            how(path)
            if then == "report":
                handle.report(Progress("point", 1, 2))
            elif then == "write":
                study.save_points([])
                handle.report(Progress("point", 1, 2))
            elif then == "fail":
                raise FileNotFoundError(2, "No such file or directory", "points.json")
    entry = register.read(handle.job.id)
    assert entry is not None and entry.state == "failed" and "was deleted or moved away" in entry.error
    if how is shutil.rmtree:
        assert not path.exists()
    else:
        assert not {"study.json", "points.json"} & {file.name for file in path.iterdir()}


def test_a_study_that_takes_the_place_gets_nothing(study: Study, tmp_path: Path) -> None:
    path, other = study.path, study.copy_to(tmp_path / "other")
    before = sorted(file.name for file in other.path.rglob("*"))
    with running(study, MeasureRequest(), "cpu") as handle:
        path.rename(tmp_path / "aside")
        other.path.rename(path)
        study.save_points([])
        handle.report(Progress("point", 1, 2))
    assert sorted(file.name for file in path.rglob("*")) == before
    assert records.load(Study.open(tmp_path / "aside"), handle.job.id).state == "done"


def test_an_export_into_the_study_goes_with_it(study: Study, tmp_path: Path) -> None:
    path = study.path
    with study.held():
        out = study.followed(path / "exports" / "macs-50")
        path.rename(tmp_path / "away")
        out.mkdir(parents=True)
        (out / "file").touch()
        assert shown(str(out)) == str(tmp_path / "away" / "exports" / "macs-50")
        assert study.followed(tmp_path / "elsewhere") == tmp_path / "elsewhere"
    assert (tmp_path / "away" / "exports" / "macs-50" / "file").is_file() and not path.exists()


def test_a_process_finds_a_study_that_was_renamed_before_it_began(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first thing that the process of the job does is to open the study; it is renamed just before."""
    spawn, path = subprocess.Popen, study.path
    processes: list[subprocess.Popen[bytes]] = []

    def renamed(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        path.rename(tmp_path / "away")
        script = (
            "import sys; from legr.study.store import Study; s = Study.open(sys.argv[1]); s.save_points([]); "
            "print(s.path, s.followed(__import__('pathlib').Path(sys.argv[2])))"
        )
        out = command[command.index("--out") + 1]
        processes.append(spawn([sys.executable, "-c", script, command[command.index("--study") + 1], out], **options))
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", renamed)
    job = start(study, ExportRequest(Budget(macs=0.5), path / "exports" / "macs-50"))
    assert processes[0].wait(60) == 0
    away = Study.open(tmp_path / "away")
    assert records.load(away, job.id).known
    said = records.log_path(away, job.id).read_text()
    assert said.startswith(f"{away.path} /proc/self/fd/") or said.startswith(f"{away.path} {away.path}")
    assert json.loads((away.path / "points.json").read_text())["points"] == []
    assert not path.exists()


def test_a_held_folder_tells_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    held = HeldFolder(tmp_path / "a")
    assert held.path == tmp_path / "a"
    (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "a").mkdir()
    assert held.path == tmp_path / "b"
    (held.base / "file").touch()
    shutil.rmtree(tmp_path / "b")
    assert held.path == tmp_path / "b"  # as it was called last
    with pytest.raises(FileNotFoundError):
        (held.base / "file").touch()
    held.close()
    assert list((tmp_path / "a").iterdir()) == []
    with pytest.raises(FileNotFoundError):
        HeldFolder(tmp_path / "nothing")


def full(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


def test_the_end_of_a_job_is_written_on_a_full_disk(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="No space left"), running(study, LearnRequest(), "cpu") as handle:
        handle.report(Progress("pass", 3, 9, values={"best_loss": 0.5}))
        for module in (records, register, kept_space):
            monkeypatch.setattr(module, "write_bytes", full)
        handle.report(Progress("pass", 9, 9))  # a report that cannot be written ends no job
        full()
    job = records.load(study, handle.job.id)
    assert job.state == "failed" and "No space left on device; free some space" in job.error
    written = json.loads((study.path / "jobs" / f"{job.id}.json").read_text())
    assert (written["state"], written["done"]) == ("failed", 9)
    assert not [file.name for file in (study.path / "jobs").iterdir() if file.name.endswith(".kept")]


def test_a_result_is_kept_on_a_full_disk_and_a_long_history_is_not(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(study, LearnRequest(), "cpu") as handle:
        handle.job = replace(handle.job, history=tuple({"loss": n / 3} for n in range(20_000)))
        for module in (records, register, kept_space):
            monkeypatch.setattr(module, "write_bytes", full)
        handle.finish("done", result={"a": 1})
    job = records.load(study, handle.job.id)
    assert (job.state, job.result, job.history) == ("done", {"a": 1}, ())


def test_the_register_knows_the_end_where_the_study_cannot_be_written(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ZeroDivisionError), running(study, LearnRequest(), "cpu"):
        monkeypatch.setattr(records, "write_last", full)
        raise ZeroDivisionError("oh")
    (job,) = records.list_jobs(study)
    assert (job.state, job.error) == ("failed", "unexpected ZeroDivisionError: oh")


def test_space_that_no_record_tells_of_is_given_back_in_an_hour(study: Study, own_folders: Path) -> None:
    folders = study.path / "jobs", own_folders / "data" / "jobs"
    for folder in folders:
        for name in ("killed", "young", "working"):
            keep_space(folder / f"{name}.json", 9)
        for name in ("killed", "working"):
            os.utime(folder / f".{name}.json.kept", (1e9, 1e9))
    with register.at_work("working"):
        records.new_job(study, LearnRequest(), "cpu")
    for folder in folders:
        found = {file.name for file in folder.iterdir() if not file.name.startswith(".learn")}
        assert {".young.json.kept", ".working.json.kept"} <= found and ".killed.json.kept" not in found


def test_space_of_killed_jobs_is_given_back(study: Study) -> None:
    killed = records.new_job(study, LearnRequest(), "cpu")
    records.save(study, replace(killed, state="running", pid=2**22 + 1, pid_started=1.0))
    kept = study.path / "jobs" / f".{killed.id}.json.kept"
    assert kept.stat().st_size > 10_000
    with running(study, LearnRequest(), "cpu") as handle:
        assert not kept.exists()
    assert sorted(file.name for file in (study.path / "jobs").iterdir()) == sorted(
        [f"{killed.id}.json", f"{handle.job.id}.json"]
    )


def test_space_that_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("before")
    keep_space(path, 100)
    write_last(path, b"after")
    assert path.read_text() == "after" and [file.name for file in tmp_path.iterdir()] == ["a.json"]
    write_last(path, b"again")  # nothing is kept any more
    assert path.read_text() == "again"
    keep_space(path, 3)
    write_last(path, b"more than that")
    assert path.read_text() == "more than that" and [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_a_job_cannot_start_where_there_is_no_space(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "write_bytes", full)
    with pytest.raises(JobError, match=r"measure cannot be started \(No space left on device; free some space"):
        start(study, MeasureRequest())


def test_a_second_end_changes_nothing(study: Study) -> None:
    job = records.new_job(study, FinetuneRequest(Budget(macs=0.5)), "cpu")
    assert record_outcome(study, job.id, "failed", error="x" * 10_000).error.startswith("xxx")
    assert record_outcome(study, job.id, "done").state == "failed"
    assert len(records.load(study, job.id).error) <= 2000


def test_a_job_runs_once(study: Study) -> None:
    job = records.new_job(study, LearnRequest(), "cpu")
    lock = register.at_work(job.id)
    with lock:
        assert register.is_at_work(job.id)
    assert not register.is_at_work(job.id)
