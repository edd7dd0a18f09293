"""Commands about background jobs: jobs, cancel; and how a command becomes a job."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from legr.cli import sentences, terminal
from legr.cli.open_study import require_writable
from legr.cli.options import Json, StudyPath, with_options
from legr.commands.job_results import CancelledJob, JobRow, JobRows
from legr.errors import LegrError, StudyError
from legr.progress import Progress, Report
from legr.record import Record
from legr.requests.job import JobRequest
from legr.requests.ranges import require_unicode
from legr.study.catalog import studies_folder
from legr.study.store import Study

Result = TypeVar("Result", bound=Record)


def as_job(
    study: Study,
    request: JobRequest,
    device: object,
    job: str | None,
    finished: Callable[[], Result | None],
    work: Callable[[Report], Result],
) -> Result:
    """Run work registered as a job, so that pages and `jobs` see it, wherever it was started.

    Args:
        job: the record that a detached job was started with.
        device: where the work runs; two jobs on one device run one after the other.
        finished: the result where nothing is left to do, else None; it does not wait for the device, and what
            it raises is a user's mistake that leaves no failed job behind.

    Raises:
        StudyError: something is left to do, and the study cannot be written.
    """
    from legr.jobs.run import record_outcome, running

    require_unicode("the folder of the study", str(study.path.resolve()))
    try:
        result = finished()
    except LegrError as error:
        if job:
            record_outcome(study, job, "failed", error=str(error))
        raise
    if result is not None:
        if job:
            record_outcome(study, job, "done", result=result.to_dict())
        return result
    require_writable(study)
    echo = terminal.Echo()
    with running(study, request, str(device), job) as handle:

        def report(progress: Progress) -> None:
            handle.report(progress)
            echo(progress)

        result = work(report)
        handle.finish("done", result=result.to_dict())
    return result


@with_options
def jobs(
    study: Annotated[Path | None, typer.Option("--study", help="One study; by default all.")] = None,
    studies: Annotated[Path | None, typer.Option(help="Folder of studies.")] = None,
    json: Json = False,
) -> None:
    """List background jobs, newest first."""
    from legr.jobs.records import list_jobs
    from legr.study.catalog import list_studies

    opened = [Study.open(study)] if study else _readable(list_studies(studies_folder(studies)))
    rows = tuple(
        JobRow(s.path.name, j.id, j.kind, j.state, j.stage, j.done, j.total, j.seconds_left, j.error, j.result)
        for s in opened
        for j in list_jobs(s)
    )
    result = JobRows(rows)
    terminal.result(result, json, sentences.job_rows(result))


@with_options
def cancel(
    study: StudyPath, job: Annotated[str, typer.Argument(help="Id, as `jobs` lists it.")], json: Json = False
) -> None:
    """Stop a job; what it has finished stays."""
    from legr.jobs.run import cancel as run_cancel

    stopped = run_cancel(Study.open(study), job)
    result = CancelledJob(stopped.id, stopped.state)
    terminal.result(result, json, sentences.cancelled_job(result))


def _readable(paths: list[Path]) -> list[Study]:
    """Open what can be opened; one damaged study does not hide the others."""
    found = []
    for path in paths:
        try:
            found.append(Study.open(path))
        except StudyError as error:
            terminal.say(str(error))
    return found
