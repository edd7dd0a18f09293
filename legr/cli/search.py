"""The command learn: search for a ranking. Heavy modules are imported when the command runs."""

import logging
from dataclasses import replace
from typing import Annotated

from legr.cli import sentences, terminal
from legr.cli.jobs import as_job
from legr.cli.open_study import create_study, require_same, require_writable, writable_study
from legr.cli.options import JobId, Json, StudyPath, number, with_options
from legr.errors import ExportError, SettingsError
from legr.progress import Report
from legr.requests.learn import LearnRequest, NewStudyRequest
from legr.requests.measure import MeasureRequest
from legr.requests.ranges import FRACTION
from legr.search.types import LearnResult

logger = logging.getLogger(__name__)


@with_options
def learn(
    study: StudyPath,
    about: NewStudyRequest,
    request: LearnRequest,
    budget: Annotated[float | None, number("Learn for this fraction of MACs alone.", FRACTION, "--budget")] = None,
    json: Json = False,
    job: JobId = None,
) -> None:
    """Learn the ranking; goes on where an earlier call stopped."""
    from legr.commands.learn import run_learn, search_task
    from legr.commands.measure import is_measured
    from legr.commands.measure import measure as run_measure
    from legr.training.device import pick_device

    if budget is not None and request.budgets is not None:
        raise SettingsError("--budget learns for one budget and --budgets for several; give one of the two")
    if budget is not None:
        request = replace(request, budgets=(budget,))
    device = pick_device(request.device)
    if (study / "study.json").exists():
        opened = writable_study(study)
        require_same(opened, about)
    else:
        opened = create_study(study, about)
    frontier = MeasureRequest()

    def finished() -> LearnResult | None:
        task = search_task(opened, request)
        if not task.is_done or (request.measure and not is_measured(opened, frontier, device)):
            return None
        require_writable(opened)  # the journal is opened as if there were something left to do
        return run_learn(opened, task, device, workers=request.workers)

    def work(report: Report) -> LearnResult:
        task = search_task(opened, request)
        result = run_learn(opened, task, device, report, request.workers)
        if request.measure:
            try:
                run_measure(opened, frontier, device, report)
            except ExportError as error:  # what was learned is there; the frontier is worth a slower runtime
                logger.warning("%s, as is done now", error)
                run_measure(opened, replace(frontier, runtime="pytorch"), device, report)
        return result

    result = as_job(opened, request, device, job, finished, work)
    terminal.result(result, json, sentences.learning(result))
