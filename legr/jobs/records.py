"""Records of jobs, one JSON file each: what was started, how far it is, how it ended.

Pages, other tabs and scripts read the same files. A job whose process is gone is shown as interrupted.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from legr.errors import JobError, SettingsError
from legr.files import read_json, write_json
from legr.requests.types import JOB_REQUESTS, JobRequest
from legr.study.store import Study

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")
RESUMABLE: tuple[State, ...] = ("cancelled", "interrupted", "failed")


@dataclass(frozen=True)
class Job:
    """One piece of background work on a study."""

    id: str
    request: JobRequest  # what it was asked to do
    device: str
    state: State = "queued"
    created: float = 0.0  # seconds since 1970
    finished: float | None = None
    pid: int | None = None
    pid_started: float | None = None  # `process_start`: the system may have given the pid to another process since
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    values: dict[str, Any] = field(default_factory=dict)
    history: tuple[dict[str, Any], ...] = ()  # the values after each step
    error: str = ""
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The command that does the work."""
        return self.request.command

    @property
    def active(self) -> bool:
        """Waiting or running."""
        return self.state in ACTIVE

    @property
    def resumable(self) -> bool:
        """Ended before it was done. The same request goes on where the job stopped."""
        return self.state in RESUMABLE


def new_job(study: Study, request: JobRequest, device: str) -> Job:
    """Write the record of a job that is about to start.

    Raises:
        StudyError: the study is a sample.
    """
    study.require_writable()
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    job = Job(f"{request.command}-{stamp}-{os.urandom(2).hex()}", request, device, created=now)
    save(study, job)
    return job


def save(study: Study, job: Job) -> None:
    """Write a job's record."""
    data = {f.name: getattr(job, f.name) for f in fields(Job)}
    data |= {"kind": job.kind, "request": job.request.to_dict()}
    write_json(_path(study, job.id), data, indent=None)


def update(study: Study, job_id: str, change: Callable[[Job], Job]) -> Job:
    """Read, change and write a record under a lock."""
    with study.lock("jobs"):
        job = change(_parse(_path(study, job_id)))
        save(study, job)
    return job


def load(study: Study, job_id: str) -> Job:
    """Read a job's record as it is now.

    Raises:
        JobError: there is no such job, or its record is damaged.
    """
    if not job_id.replace("-", "").isalnum() or not _path(study, job_id).is_file():
        raise JobError(
            f"{study.path.name} has no job {job_id[:60]!r}; list them with `python -m legr jobs --study {study.path}`"
        )
    return _with_live_state(_parse(_path(study, job_id)))


def list_jobs(study: Study) -> list[Job]:
    """All jobs of a study, newest first; unreadable records are left out."""
    jobs = []
    for path in (study.path / "jobs").glob("*.json"):
        with suppress(JobError):
            jobs.append(_with_live_state(_parse(path)))
    return sorted(jobs, key=lambda job: job.created, reverse=True)


def latest(study: Study, *kinds: str) -> Job | None:
    """The newest job of these kinds."""
    return next((job for job in list_jobs(study) if job.kind in kinds), None)


def update_paths(study: Study, before: Path) -> None:
    """Change the paths in the records of a study that was renamed. None of its jobs may be at work."""

    def moved(path: Path) -> Path:
        return study.path / path.relative_to(before) if path.is_relative_to(before) else path

    for job in list_jobs(study):
        result = {name: str(moved(Path(v))) if isinstance(v, str) else v for name, v in job.result.items()}
        save(study, replace(job, request=job.request.with_paths(moved), result=result))


def log_path(study: Study, job_id: str) -> Path:
    """The file that holds the output of a detached job."""
    return _path(study, job_id).with_suffix(".log")


def process_of(job: Job) -> psutil.Process | None:
    """The live process of a job, or None."""
    if job.pid is None:
        return None
    try:
        process = psutil.Process(job.pid)
        alive = process.status() != psutil.STATUS_ZOMBIE and abs(process_start(process) - (job.pid_started or 0)) < 1.0
    except psutil.Error:
        return None
    return process if alive else None


def process_start(process: psutil.Process) -> float:
    """When a process started, in seconds since the machine did on Linux, elsewhere since 1970.

    On Linux psutil adds the time of boot, which moves whenever the clock is set.
    """
    return float(process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0))


def _path(study: Study, job_id: str) -> Path:
    return study.path / "jobs" / f"{job_id}.json"


def _parse(path: Path) -> Job:
    """Read a record as it was written."""
    try:
        data = read_json(path)
        known = {f.name: data[f.name] for f in fields(Job) if f.name in data}
        return Job(**{**known, "request": _request(data), "history": tuple(known.get("history", ()))})
    except (OSError, ValueError, TypeError, KeyError, SettingsError) as error:
        raise JobError(f"the record of job {path.stem} is damaged ({error}); remove jobs/{path.name}") from error


def _request(data: Mapping[str, Any]) -> JobRequest:
    """What a job was asked to do; version 0.1 stored the arguments of the command."""
    request = JOB_REQUESTS[data["kind"]]
    if "request" in data:
        return request.from_dict(data["request"])
    return request.from_arguments(data["arguments"])


def _with_live_state(job: Job) -> Job:
    """The job with the state that its process shows: a record alone does not tell whether the process is alive."""
    waiting = job.pid is None and time.time() - job.created < _GRACE_S
    if job.active and not waiting and process_of(job) is None:
        return replace(job, state="interrupted", seconds_left=None)
    return job


_GRACE_S = 20.0  # a job that was just started has no process id yet
