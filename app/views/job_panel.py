"""A background job on a page: its progress, how it ended, and buttons to cancel or resume it.

All of it is read from the job's files, so a reload, a second tab and a restarted app show the same.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from app import state
from app.curves import Stamp, learned_stamp
from app.widgets.page import guarded, show_error
from app.widgets.status import status_bar
from app.words import plain
from legr.errors import JobError, StudyError
from legr.escape import in_terminal
from legr.jobs import records
from legr.jobs.records import Job
from legr.jobs.run import WAITING, cancel, resume, start
from legr.progress import duration
from legr.record import Record
from legr.requests.job import JobRequest
from legr.schema import SchemaError
from legr.study.store import Study

WATCH_EVERY_S = 1.0
NOUNS = {
    "learn": "The search",
    "finetune": "The fine-tuning",
    "supernet": "The training of every budget",
    "measure": "The measurement",
    "export": "The export",
    "compare": "The comparison",
    "classes": "Classifying along the slider",
    "profile": "The profile",
}
COUNTED_STAGES = {
    "pass": "Pass",
    "epoch": "Epoch",
    "point": "Measured network",
    "network": "Measured network",
    "test image": "Test image",
    "timing layers and networks": "Timing",
}

_LOG_BYTES = 64 * 1024  # at the end of a log, that are looked at

Draw = Callable[[Job], None]
Result = TypeVar("Result", bound=Record)


def launch(study: Study, request: JobRequest) -> None:
    """Start a job and draw the page with it; a sample is copied first. An error is shown instead."""
    with guarded():
        start(state.own_copy(study), request)
        state.rerun()


def job_panel(study: Study, kind: str, draw: Draw | None = None, *, stays: bool = True) -> Job | None:
    """Show the newest job of a kind, refreshed every second while it is active.

    Args:
        draw: draws what only this kind of job has, below the progress.
        stays: whether the page shows the job in the same place also after it was cancelled, interrupted or has failed.

    Returns:
        The job as it was when the page ran, or None where there is none.
    """
    job = records.latest(study, kind)
    if job is None:
        return None
    panel = st.fragment(_show, run_every=WATCH_EVERY_S if job.active else None)
    panel(study, job.id, _PageRun(job.active, learned_stamp(study), stays), draw)
    return job


def result_of(job: Job, kind: type[Result]) -> Result:
    """What the command of a finished job returned.

    Raises:
        JobError: the record of the job is damaged.
    """
    try:
        return kind.from_dict(job.result)
    except SchemaError as error:
        raise JobError(f"the record of job {job.id} is damaged ({error}); run it again") from error


def show_other_jobs(study: Study, *kinds: str) -> None:
    """One line for each active job of these kinds; the page runs again when one ends or has learned a ranking."""
    active = [job.id for job in records.list_jobs(study) if job.active and job.kind in kinds]
    if active:
        with status_bar():
            st.fragment(_lines, run_every=2 * WATCH_EVERY_S)(study, active, learned_stamp(study))


def active_job_lines(study: Study) -> list[str]:
    """One line for each active job of a study."""
    return [_active_line(job) for job in records.list_jobs(study) if job.active]


def _active_line(job: Job) -> str:
    return f"{NOUNS.get(job.kind, job.kind)} runs in the background. {progress_text(job)}"


def announce(job: Job) -> None:
    """Show for a few seconds that a job has ended, when the page is next drawn."""
    noun = NOUNS.get(job.kind, job.kind)
    state.announce(f"{noun} has finished." if job.state == "done" else ending_text(job))


def progress_text(job: Job) -> str:
    """The progress of a job in one line."""
    if job.state == "queued" and job.stage == WAITING:
        return "Waiting for another job on this device to end"
    if not job.total:
        return "Starting: loading the network and the images"
    if job.stage not in COUNTED_STAGES:
        return f"{job.stage[:1].upper()}{job.stage[1:]} …"
    text = f"{COUNTED_STAGES[job.stage]} {job.done} of {job.total}"
    if job.seconds_left is not None:
        text += f" · about {duration(job.seconds_left)} left"
    return text


def ending_text(job: Job) -> str:
    """How a job ended before it was done, and that it can be resumed."""
    noun = NOUNS.get(job.kind, job.kind)
    reached = f" after {job.stage} {job.done} of {job.total}" if job.stage in COUNTED_STAGES and job.total else ""
    rest = "What is finished is kept; Resume goes on from there."
    if not job.known:
        return (
            f"{noun} was not finished{reached}, on another machine or with an earlier version. Start anew does the "
            "same work here and goes on from what is finished, without that machine's devices and folders."
        )
    if job.state == "cancelled":
        return f"{noun} was cancelled{reached}. {rest}"
    if job.state == "interrupted":
        return f"{noun} was interrupted{reached}: its process has ended, perhaps as the machine restarted. {rest}"
    return job.error or f"{noun} failed without a message; see the log below."


@dataclass(frozen=True, slots=True)
class _PageRun:
    """What held when the whole page last ran."""

    active: bool  # the job was active
    learned: Stamp  # of the learned ranking
    stays: bool  # see `job_panel`


def _show(study: Study, job_id: str, page: _PageRun, draw: Draw | None) -> None:
    """Draw a job, or run the whole page again where its other parts have to change too."""
    with guarded():
        job = records.load(study, job_id)
        if page.active and not job.active:
            if not (page.stays and job.resumable):  # otherwise the panel says how it ended
                announce(job)
            state.rerun()
        if job.active and learned_stamp(study) != page.learned:
            state.rerun()
        if job.active:
            _show_active(study, job, page.stays)
        elif job.resumable:
            _show_ended(study, job)
        if draw:
            draw(job)


def _show_active(study: Study, job: Job, stays: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.progress(min(1.0, job.done / job.total) if job.total else 0.0, text=plain(progress_text(job)))
        is_cancelled = job.known and st.button("Cancel", key=f"cancel-{job.id}")
    if not job.known:
        st.caption("An earlier version of the program started this; cancel it where it was started.")
    if is_cancelled:
        with st.spinner("Stopping …"):
            ended = cancel(study, job.id)
        if not stays:
            announce(ended)
        state.rerun()


def _show_ended(study: Study, job: Job) -> None:
    log = "" if job.state == "cancelled" else _last_lines(study, job)
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        if job.state == "failed" and job.known:
            show_error(ending_text(job))
        else:
            st.warning(plain(ending_text(job)))
        is_resumed = st.button("Resume" if job.known else "Start anew", key=f"resume-{job.id}")
        if log:
            with st.popover("End of its log"):
                st.code(log, language=None)
    if is_resumed:
        resume(study, job)
        state.rerun()


def _last_lines(study: Study, job: Job, n_lines: int = 15) -> str:
    try:
        with open(records.log_path(study, job.id), "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_BYTES))
            text = log.read(_LOG_BYTES).decode("utf-8", errors="replace")
    except (OSError, StudyError):
        return ""
    return in_terminal("\n".join(text.splitlines()[-n_lines:]))


def _lines(study: Study, job_ids: list[str], learned: Stamp) -> None:
    with guarded():
        for job_id in job_ids:
            job = records.load(study, job_id)
            if not job.active:
                announce(job)
                state.rerun()
            st.caption(plain(_active_line(job)))
        if learned_stamp(study) != learned:
            state.announce("The ranking is learned and in use.")
            state.rerun()
