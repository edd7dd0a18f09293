"""Commands that score networks on test images: evaluate, measure."""

from dataclasses import replace
from typing import Annotated

import typer

from legr.cli import sentences, terminal
from legr.cli.jobs import as_job
from legr.cli.open_study import writable_study
from legr.cli.options import Device, FineTuned, JobId, Json, Ranking, StudyPath, number, with_options
from legr.commands.results import Measurement
from legr.data.sizes import HEIGHTS
from legr.progress import Report, silent
from legr.ranking.limits import Budget
from legr.requests.forms import Fractions
from legr.requests.measure import MeasureRequest
from legr.study.store import Study


@with_options
def evaluate(
    study: StudyPath,
    budget: Budget | None,
    ranking: Ranking = None,
    finetuned: FineTuned = True,
    size: Annotated[
        int | None, number("Height that the images are scaled to; by default their own.", HEIGHTS, "--size")
    ] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Top-1 of the network at a budget, on the test images."""
    from legr.commands.evaluate import evaluate as run_evaluate
    from legr.training.device import pick_device

    result = run_evaluate(
        Study.open(study),
        budget or Budget(macs=1.0),
        ranking,
        finetuned,
        pick_device(device),
        terminal.Echo(),
        height=size,
    )
    terminal.result(result, json, sentences.evaluation(result))


@with_options
def measure(
    context: typer.Context, study: StudyPath, request: MeasureRequest, json: Json = False, job: JobId = None
) -> None:
    """Accuracy and latency of every ranking along the slider; goes on where it stopped."""
    from legr.commands.measure import is_measured
    from legr.commands.measure import measure as run_measure
    from legr.training.device import pick_device

    if context.args:  # `--budgets 0.3 0.5` is as good as `--budgets 0.3,0.5`
        budgets = [*map(str, request.budgets or ()), *context.args]
        request = replace(request, budgets=Fractions().read([("--budgets", text) for text in budgets]))
    device, opened = pick_device(request.device), writable_study(study)

    def work(report: Report) -> Measurement:
        return run_measure(opened, request, device, report)

    def finished() -> Measurement | None:
        return work(silent) if is_measured(opened, request, device) else None

    result = as_job(opened, request, device, job, finished, work)
    terminal.result(result, json, sentences.measurement(result))
