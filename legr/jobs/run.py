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

from filelock import FileLock, Timeout

from legr.errors import JobError, LegrError, StudyError
from legr.files import in_words
from legr.held import shown
from legr.jobs import records, register
from legr.jobs.records import Job
from legr.paths import cache_folder, explorer_folder
from legr.processes import start_of
from legr.progress import Progress
from legr.requests.job import JobRequest
from legr.study.store import Study

WAITING = "waiting for the device"  # the stage of a job that another one keeps from running
_WRITE_EVERY_S = 0.3
_PATIENCE_S = 10.0  # that a job has to stop after SIGTERM


class Cancelled(KeyboardInterrupt):
    """The job was told to stop; what it has finished is on disk."""


def start(study: Study, request: JobRequest, device: str = "cpu") -> Job:
    """Start the command of a request as a process of its own that outlives this one.

    The process is handed the open folder of the study, so it finds it also where it is renamed meanwhile.

    Raises:
        JobError: a job of this kind is at work on this study already, or the process cannot be started.
        StudyError: the study is a sample, or gone.
    """
    study.require_writable()
    kind, study = request.command, Study(study.path, study.info)  # held by this thread alone
    with study.held():
        try:
            with study.lock("jobs"):  # two tabs may start the same job at once
                if any(job.kind == kind and job.active for job in records.list_jobs(study)):
                    raise JobError(
                        f"{kind} is at work on {study.path.name} already; cancel it or wait until it has ended"
                    )
                job = records.new_job(study, request, device)
        except OSError as error:
            raise JobError(f"{kind} cannot be started ({in_words(error)})") from error
        try:
            process = _spawn(study, job)
        except OSError as error:
            problem = f"{kind} cannot be started ({error.strerror}); free some disk space or memory and try again"
            record_outcome(study, job.id, "failed", error=problem)
            raise JobError(problem) from error
        own: dict[str, Any] = {"pid": process.pid, "pid_started": start_of(process.pid)}
        return records.update(study, job.id, lambda now: replace(now, **own) if now.pid is None else now)


def _spawn(study: Study, job: Job) -> "subprocess.Popen[bytes]":
    """The process of a job; raises OSError."""
    handed_on = study.descriptor
    folder = study.path.resolve() if handed_on is None else study.folder
    command = [*(sys.executable, "-m", "legr", job.kind), "--study", str(folder), "--job", job.id]
    request = job.request.with_paths(study.followed)
    with open(records.log_path(study, job.id), "xb") as log:
        return subprocess.Popen(
            [*command, *request.arguments()],
            cwd=explorer_folder(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=() if handed_on is None else (handed_on,),
        )


def resume(study: Study, job: Job) -> Job:
    """Start a job with the same request. Commands go on where they stopped.

    A job that this machine did not start is started anew, without what belonged to the other machine: its devices,
    its processors, and folders outside of the study.
    """
    known = records.load(study, job.id).known
    request = job.request if known else job.request.elsewhere(study.path.resolve() / "exports")
    return start(study, request, job.device if known else "cpu")


def cancel(study: Study, job_id: str) -> Job:
    """Tell a job to stop. What it has finished stays, and the same command resumes it.

    Raises:
        JobError: there is no such job, or this machine did not start it, or it is at work on another machine.
    """
    job = records.load(study, job_id)
    records.require_in_reach(study, job)
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
    """Note how a job of this machine ended, unless that is noted already."""
    return records.end(study, records.load(study, job_id), state, error=error, result=result)


class Running:
    """A job in its own process: reports what it does to its record on disk."""

    def __init__(self, study: Study, job: Job) -> None:
        self._study = study
        self._written = 0.0
        self.job = job

    def report(self, progress: Progress) -> None:
        """Record one step. The file is written at most a few times a second.

        Raises:
            StudyError: the study was deleted.
        """
        self._study.require_there()
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
        """Record how it ended. SIGTERM is ignored from now on.

        Raises:
            StudyError: the study was deleted, with what the job has done.
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not self.job.active:
            return
        if state == "done":
            self._study.require_there()
        self.job = records.end(self._study, self.job, state, error=error, result=result)

    def enter(self, state: records.State, device: str, stage: str = "") -> None:
        """Record that it waits or runs, on which device and in which process.

        Raises:
            Cancelled: it was cancelled before it began.
        """
        own: dict[str, Any] = {"pid": os.getpid(), "pid_started": start_of(os.getpid()), "device": device}

        def change(job: Job) -> Job:
            return job if job.state == "cancelled" else replace(job, state=state, stage=stage, error="", **own)

        self.job = records.update(self._study, self.job.id, change)
        if self.job.state == "cancelled":
            raise Cancelled

    def _save(self) -> None:
        with suppress(OSError):  # a full disk: what the job itself writes says so
            records.write_copy(self._study, self.job)
        self._written = time.monotonic()


@contextmanager
def running(study: Study, request: JobRequest, device: str, job_id: str | None = None) -> Iterator[Running]:
    """Run the block as a job: with a record, alone on its device, stopped by SIGTERM, on the study wherever it goes.

    Args:
        job_id: the record that `start` made; None makes one.

    Raises:
        Cancelled: it was told to stop.
        StudyError: the study was deleted meanwhile.
    """
    with study.held():
        job = records.load(study, job_id) if job_id else records.new_job(study, request, device)
        handle = Running(study, job)
        previous = signal.signal(signal.SIGTERM, _stop)
        try:
            with _alone(job.id), _exclusive_use(device, lambda: handle.enter("queued", device, WAITING)):
                handle.enter("running", device)
                yield handle
                handle.finish("done")
        except KeyboardInterrupt:
            handle.finish("cancelled")
            raise
        except Exception as error:
            cause = _cause(study, error)
            with suppress(OSError):  # not even the space that was kept can be written
                handle.finish("failed", error=_in_words(cause))
            if cause is error:
                raise
            raise cause from error
        finally:
            signal.signal(signal.SIGTERM, previous)


@contextmanager
def _alone(job_id: str) -> Iterator[None]:
    """Hold the lock that shows a job to be at work."""
    lock = register.at_work(job_id)
    try:
        lock.acquire(timeout=_PATIENCE_S)  # whoever looks whether it is at work holds it for a moment
    except Timeout:
        raise JobError(f"{job_id} is at work already; wait until it has ended") from None
    try:
        yield
    finally:
        lock.release()


def _cause(study: Study, error: Exception) -> Exception:
    """Why a job failed: whatever fails after its study was deleted, fails for that."""
    try:
        study.require_there()
    except StudyError as gone:
        return gone
    if isinstance(error, LegrError):
        error.args = tuple(shown(part) if isinstance(part, str) else part for part in error.args)
    return error


def _in_words(error: Exception) -> str:
    if isinstance(error, LegrError):
        return str(error)
    return in_words(error) if isinstance(error, OSError) else f"unexpected {type(error).__name__}: {error}"


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
