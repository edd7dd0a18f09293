"""Run work as a job: in this process with `running`, or in a process of its own with `start`.

A detached job runs the command that a person would type, with the options of its request.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import psutil
from filelock import FileLock, Timeout

from legr.errors import JobError, LegrError
from legr.files import in_words
from legr.jobs import records
from legr.jobs.records import Job
from legr.paths import cache_folder, explorer_folder
from legr.progress import Progress
from legr.requests.types import JobRequest
from legr.study.store import Study

WAITING = "waiting for the device"  # the stage of a job that another one keeps from running
_WRITE_EVERY_S = 0.3
_PATIENCE_S = 10.0  # that a job has to stop after SIGTERM


class Cancelled(KeyboardInterrupt):
    """The job was told to stop; what it has finished is on disk."""


def start(study: Study, request: JobRequest, device: str = "cpu") -> Job:
    """Start the command of a request as a process of its own that outlives this one.

    Raises:
        JobError: a job of this kind is at work on this study already, or the process cannot be started.
        StudyError: the study is a sample.
    """
    study.require_writable()
    kind = request.command
    with study.lock("jobs"):  # two tabs may start the same job at once
        if any(job.kind == kind and job.active for job in records.list_jobs(study)):
            raise JobError(f"{kind} is at work on {study.path.name} already; cancel it or wait until it has ended")
        job = records.new_job(study, request, device)
    command = [*(sys.executable, "-m", "legr", kind), "--study", str(study.path.resolve()), "--job", job.id]
    command += request.arguments()
    try:
        with open(records.log_path(study, job.id), "ab") as log:
            process = subprocess.Popen(
                command, cwd=explorer_folder(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
    except OSError as error:
        problem = f"{kind} cannot be started ({error.strerror}); free some disk space or memory and try again"
        record_outcome(study, job.id, "failed", error=problem)
        raise JobError(problem) from error
    own: dict[str, Any] = {"pid": process.pid, "pid_started": _started(process.pid)}
    return records.update(study, job.id, lambda now: replace(now, **own) if now.pid is None else now)


def resume(study: Study, job: Job) -> Job:
    """Start a job with the same request. Commands go on where they stopped."""
    return start(study, job.request, job.device)


def cancel(study: Study, job_id: str) -> Job:
    """Tell a job to stop. What it has finished stays, and the same command resumes it.

    Raises:
        JobError: there is no such job.
    """
    job = records.load(study, job_id)
    process = records.process_of(job)
    if process is not None and job.active:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE_S
    while job.active and process is not None and time.monotonic() < deadline:
        time.sleep(0.1)
        job, process = records.load(study, job_id), records.process_of(job)
    if process is None and job.state in (*records.ACTIVE, "interrupted"):
        # It had not begun, or was still loading and could not write its record.
        return record_outcome(study, job_id, "cancelled")
    return job


def record_outcome(study: Study, job_id: str, state: records.State, *, error: str = "", result: Any = None) -> Job:
    """Write how a job ended, unless its record says so already."""

    def change(job: Job) -> Job:
        if not job.active:
            return job
        ended: dict[str, Any] = {"finished": time.time(), "seconds_left": None, "error": error, "result": result or {}}
        return replace(job, state=state, **ended)

    return records.update(study, job_id, change)


class Running:
    """A job in its own process: reports what it does to its record on disk."""

    def __init__(self, study: Study, job: Job) -> None:
        self._study = study
        self._written = 0.0
        self.job = job

    def report(self, progress: Progress) -> None:
        """Record one step. The file is written at most a few times a second."""
        same, row = progress.stage == self.job.stage, {"done": progress.done, **progress.values}
        self.job = replace(
            self.job,
            stage=progress.stage,
            done=progress.done,
            total=progress.total,
            seconds_left=progress.seconds_left,
            values=dict(progress.values),
            history=(*(self.job.history if same else ()), *([row] if progress.values else [])),
        )
        if progress.done in (0, progress.total) or time.monotonic() - self._written > _WRITE_EVERY_S:
            self._save()

    def finish(self, state: records.State, *, error: str = "", result: dict[str, Any] | None = None) -> None:
        """Record how it ended. SIGTERM is ignored from now on."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.job.active:
            self._save()
            self.job = record_outcome(self._study, self.job.id, state, error=error, result=result)

    def enter(self, state: records.State, device: str, stage: str = "") -> None:
        """Record that it waits or runs, on which device and in which process.

        Raises:
            Cancelled: it was cancelled before it began.
        """
        own: dict[str, Any] = {"pid": os.getpid(), "pid_started": _started(os.getpid()), "device": device}

        def change(job: Job) -> Job:
            return job if job.state == "cancelled" else replace(job, state=state, stage=stage, error="", **own)

        self.job = records.update(self._study, self.job.id, change)
        if self.job.state == "cancelled":
            raise Cancelled

    def _save(self) -> None:
        records.save(self._study, self.job)
        self._written = time.monotonic()


@contextmanager
def running(study: Study, request: JobRequest, device: str, job_id: str | None = None) -> Iterator[Running]:
    """Run the block as a job: with a record, alone on its device, stopped by SIGTERM.

    Args:
        job_id: the record that `start` made; None makes one.

    Raises:
        Cancelled: it was told to stop.
    """
    job = records.load(study, job_id) if job_id else records.new_job(study, request, device)
    handle = Running(study, job)
    previous = signal.signal(signal.SIGTERM, _stop)
    try:
        with _exclusive_use(device, lambda: handle.enter("queued", device, WAITING)):
            handle.enter("running", device)
            yield handle
            handle.finish("done")
    except KeyboardInterrupt:
        handle.finish("cancelled")
        raise
    except LegrError as error:
        handle.finish("failed", error=str(error))
        raise
    except OSError as error:
        with suppress(OSError):  # a full disk may refuse this record as well
            handle.finish("failed", error=in_words(error))
        raise
    except Exception as error:
        handle.finish("failed", error=f"unexpected {type(error).__name__}: {error}")
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def _exclusive_use(device: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a device. The system frees it when the process ends.

    Args:
        waiting: called once where another job holds it.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"device-{device.replace(':', '-')}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        print(f"waiting for another job on {device} to end", file=sys.stderr, flush=True)
        lock.acquire(poll_interval=0.25)
    try:
        yield
    finally:
        lock.release()


def _stop(signum: int, frame: Any) -> None:
    raise Cancelled


def _started(pid: int) -> float | None:
    try:
        return records.process_start(psutil.Process(pid))
    except psutil.Error:
        return None
