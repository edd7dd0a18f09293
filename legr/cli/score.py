"""Commands that score networks on test images: evaluate, measure."""

from typing import Annotated, Any, Literal

import typer

from legr.arguments import arguments_of
from legr.cli import sentences, terminal
from legr.cli.jobs import as_job
from legr.cli.open_study import writable_study
from legr.cli.options import (
    Device,
    JobId,
    Json,
    StudyPath,
    takes_budget,
)
from legr.errors import SettingsError
from legr.progress import Report, silent
from legr.ranking.limits import Budget
from legr.study.store import Study


@takes_budget
def evaluate(
    study: StudyPath,
    budget: Budget | None,
    ranking: Annotated[Literal["learned", "identity", "uniform"] | None, typer.Option()] = None,
    finetuned: Annotated[bool, typer.Option("--finetuned/--no-finetuned", help="Use fine-tuned weights.")] = True,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Top-1 of the network at a budget, on the test images."""
    from legr.commands.evaluate import evaluate as run_evaluate
    from legr.training.device import pick_device

    result = run_evaluate(
        Study.open(study), budget or Budget(macs=1.0), ranking, finetuned, pick_device(device), terminal.Echo()
    )
    terminal.result(result, json, sentences.evaluation(result))


def measure(
    context: typer.Context,
    study: StudyPath,
    budgets: Annotated[list[str] | None, typer.Option(help="Fractions of MACs, separated by commas.")] = None,
    batch: Annotated[int, typer.Option(help="Batch of the latency measurement.")] = 1,
    threads: Annotated[int | None, typer.Option(help="Processor threads; by default all cores.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure anew what other programs hindered.")] = False,
    device: Device = "auto",
    json: Json = False,
    job: JobId = None,
) -> None:
    """Accuracy and latency of every ranking along the slider; goes on where it stopped."""
    from legr.commands.measure import is_measured
    from legr.commands.measure import measure as run_measure
    from legr.training.device import pick_device

    place, opened = pick_device(device), writable_study(study)
    budgets = [*(budgets or []), *context.args]  # `--budgets 0.3 0.5` is as good as `--budgets 0.3,0.5`
    fractions = fractions_of(budgets)
    arguments = arguments_of(
        {"budgets": ",".join(budgets) or None, "batch": batch, "threads": threads, "device": device},
        ["--again"] if again else [],
    )

    def work(report: Report) -> dict[str, Any]:
        return run_measure(opened, fractions, batch, threads, place, report, again=again)

    def known() -> dict[str, Any] | None:
        return work(silent) if is_measured(opened, fractions, batch, threads, place, again=again) else None

    found = as_job(opened, "measure", arguments, str(place), job, known, work)
    busy = "; other programs were at work meanwhile, so latencies are too long: `measure --again` when it is quiet"
    hint = busy if found["hindered"] else ""
    terminal.result(found, json, f"{found['measured']} points measured, {found['skipped']} were there already{hint}")


def fractions_of(budgets: list[str]) -> list[float] | None:
    if not budgets:
        return None
    try:
        return [float(part) for text in budgets for part in text.replace(",", " ").split()]
    except ValueError:
        raise SettingsError(
            f"--budgets takes fractions separated by commas, such as 0.3,0.5, got {' '.join(budgets)!r}"
        ) from None
