"""Records of jobs: what was started, how far it is, how it ended.

Each study keeps a JSON file for every job that worked on it, which pages, other tabs and scripts read. What is said
about processes is in this machine's own register, and only that is acted upon. A job whose process is gone is shown as
interrupted; one that this machine did not start is history.
"""

import os
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from legr import processes
from legr.errors import JobError, SettingsError
from legr.files import write_bytes
from legr.jobs import register
from legr.jobs.job import ID, MOST_JOBS, Job, content_of, read
from legr.jobs.kept_space import give_up_space, keep_space, write_last
from legr.jobs.register import ACTIVE, Entry, State
from legr.requests.job import JobRequest
from legr.requests.jobs import JOB_REQUESTS
from legr.study.store import Study

__all__ = ["ACTIVE", "Job", "State", "end", "latest", "list_jobs", "load", "log_path", "new_job", "process_of"]
process_start = processes.process_start

_GRACE_S = 20.0  # a job that was just started has no process id yet
_KEPT_BYTES = 64 * 1024  # for the end of a record; a longer one goes without its history


def new_job(study: Study, request: JobRequest, device: str) -> Job:
    """Write the record of a job that is about to start, and keep space for its end.

    Raises:
        StudyError: the study is a sample, or gone.
        OSError: the record cannot be written.
    """
    study.require_writable()
    earlier = list_jobs(study)
    for job in earlier:
        if not job.active:
            give_up_space(_path(study, job.id))  # its process was killed
    register.give_up_abandoned(study.within("jobs"))  # and that of some before it had a record
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    number = min(1 + max((job.number for job in earlier), default=0), MOST_JOBS)
    job_id = f"{request.command}-{stamp}-{os.urandom(4).hex()}"
    job = Job(job_id, request, device, created=now, number=number, known=True)
    try:
        keep_space(_path(study, job.id), _KEPT_BYTES)
        save(study, job)
    except OSError:  # a full disk: a job that cannot be noted whole has never been
        give_up_space(_path(study, job.id))
        with suppress(OSError):
            _path(study, job.id).unlink()
        register.forget(job.id)
        raise
    return job


def save(study: Study, job: Job) -> None:
    """Note a job of this machine: in its register, and in the study. Raises OSError."""
    entry = register.find(study, job.id) or register.enter(study, job.id, job.kind, job.request.to_dict(), job.created)
    facts: dict[str, Any] = {name: getattr(job, name) for name in ("state", "pid", "pid_started", "finished", "error")}
    path = str(study.path.resolve())
    register.write(replace(entry, request=job.request.to_dict(), study=path, place=processes.place(), **facts))
    write_copy(study, job)


def write_copy(study: Study, job: Job) -> None:
    """Write the record that the study keeps, and nothing into the register. Raises OSError."""
    write_bytes(_path(study, job.id), content_of(job))


def update(study: Study, job_id: str, change: Callable[[Job], Job]) -> Job:
    """Read, change and write a job of this machine, under a lock."""
    with register.lock():
        job = change(_noted(study, read(_path(study, job_id))))
        save(study, job)
    return job


def end(study: Study, job: Job, state: State, *, error: str = "", result: Any = None) -> Job:
    """Note how a job ended, unless it has ended already: in the register first, then in the study if that is there.

    Args:
        job: as far as it is known to have come.

    Raises:
        OSError: not even the space that was kept for it can be written.
    """
    ended = replace(
        job, state=state, finished=time.time(), seconds_left=None, error=error, result=result or {}, known=True
    )
    with register.lock():
        entry = register.read(job.id)
        if entry is not None and not entry.active:
            return _noted(study, job)
        if entry is not None:
            path = str(study.path.resolve())
            register.write(replace(entry, study=path, state=state, finished=ended.finished, error=error))
        if not study.is_there:
            return ended
        content = content_of(ended)
        if len(content) > _KEPT_BYTES:
            content = content_of(replace(ended, history=()))
        with suppress(OSError) if entry is not None else nullcontext():
            write_last(_path(study, job.id), content)
    return ended


def load(study: Study, job_id: str) -> Job:
    """Read a job as it is now.

    Raises:
        JobError: there is no such job, or its record is damaged.
    """
    if not ID.fullmatch(job_id) or not _path(study, job_id).is_file():
        raise JobError(
            f"{study.path.name} has no job {job_id[:60]!r}; list them with `python -m legr jobs --study {study.path}`"
        )
    return _as_it_is_now(study, read(_path(study, job_id)))


def list_jobs(study: Study) -> list[Job]:
    """All jobs of a study: those at work first, then the newest first; unreadable records are left out."""
    jobs = []
    for path in study.files("jobs", "*.json"):
        with suppress(JobError):
            jobs.append(_as_it_is_now(study, read(path)))
    return sorted(jobs, key=lambda job: (job.active, job.active and job.known, job.number, job.created), reverse=True)


def latest(study: Study, *kinds: str) -> Job | None:
    """The job of these kinds that is at work, else the newest."""
    return next((job for job in list_jobs(study) if job.kind in kinds), None)


def update_paths(study: Study, before: Path) -> None:
    """Change the paths in the records of a study that was renamed. None of its jobs may be at work."""

    def moved(path: Path) -> Path:
        return study.path / path.relative_to(before) if path.is_relative_to(before) else path

    for job in list_jobs(study):
        if not job.known:
            continue
        result = {name: str(moved(Path(v))) if isinstance(v, str) else v for name, v in job.result.items()}
        save(study, replace(job, request=job.request.with_paths(moved), result=result))


def log_path(study: Study, job_id: str) -> Path:
    """The file that holds the output of a detached job."""
    return study.within("jobs", f"{job_id}.log")


def process_of(job: Job) -> psutil.Process | None:
    """The live process of a job that this machine started, or None."""
    return processes.process(job.pid, job.pid_started) if job.known and job.pid is not None else None


def require_in_reach(study: Study, job: Job) -> None:
    """Refuse to act upon a job whose process this machine does not know.

    Raises:
        JobError: this machine did not start it, or it is at work on another one.
    """
    entry = _entry_of(study, job)
    if entry is None:
        raise JobError(
            f"{job.id} was not started by this machine, or by an earlier version of the program, so nothing here can "
            "act upon it; cancel it where it was started, or start the same work anew"
        )
    if job.active and not entry.is_here:
        raise JobError(f"{job.id} is at work on {entry.host}; cancel it there")


def _path(study: Study, job_id: str) -> Path:
    return study.within("jobs", f"{job_id}.json")


def _noted(study: Study, job: Job) -> Job:
    """A job with what this machine's register says of it.

    Raises:
        JobError: this machine did not start it.
    """
    entry = _entry_of(study, job)
    if entry is None:
        raise JobError(f"{job.id} was not started by this machine; start the same work anew")
    return _with_entry(job, entry)


def _entry_of(study: Study, job: Job) -> Entry | None:
    """The entry of the register about a job, where the study's record asks for the same as was started."""
    entry = register.find(study, job.id)
    if entry is None or entry.kind != job.kind:
        return None
    if entry.request == job.request.to_dict():
        return entry
    try:  # JSON has a list for a tuple
        return entry if JOB_REQUESTS[entry.kind].from_dict(entry.request) == job.request else None
    except SettingsError:
        return None


def _with_entry(job: Job, entry: Entry) -> Job:
    process = (entry.pid, entry.pid_started) if entry.is_here else (None, None)  # elsewhere an id means another one
    facts: dict[str, Any] = {name: getattr(entry, name) for name in ("state", "finished", "error")}
    return replace(job, known=True, pid=process[0], pid_started=process[1], **facts)


def _as_it_is_now(study: Study, job: Job) -> Job:
    """The job with the state that its process shows: a record alone does not tell whether the process is alive."""
    entry = _entry_of(study, job)
    if entry is None:
        alive = job.active and _is_of_an_earlier_version(job)
        job = replace(job, pid=None, pid_started=None)
    else:
        job = _with_entry(job, entry)
        alive = job.active and _is_alive(job, entry)
    return replace(job, state="interrupted", seconds_left=None) if job.active and not alive else job


def _is_alive(job: Job, entry: Entry) -> bool:
    if not entry.is_here:
        return register.is_at_work(job.id)
    waiting = job.pid is None and abs(time.time() - job.created) < _GRACE_S
    return waiting or process_of(job) is not None


def _is_of_an_earlier_version(job: Job) -> bool:
    """Whether the process that a study names is one of this program, as it may be after an update. It is only shown."""
    found = processes.process(job.pid, job.pid_started) if job.pid is not None else None
    return found is not None and processes.runs_this_python(found)
