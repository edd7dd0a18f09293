"""Commands that take minutes or hours: learn, measure, export. Each is a job while it runs.

They do not know how anything is done. Heavy modules are imported by the command that needs them.
"""

from typing import Annotated, Any

import typer

from legr.arguments import arguments_of, numbers_of, repeated
from legr.cli import terminal
from legr.cli.jobs import as_job
from legr.cli.open_study import create_study, require_same, writable_study
from legr.cli.options import (
    Classes,
    Data,
    Device,
    Input,
    JobId,
    Json,
    Model,
    Normalize,
    StudyPath,
    Weights,
)
from legr.cli.score import fractions_of
from legr.errors import SettingsError
from legr.progress import Report, duration


def learn(
    study: StudyPath,
    model: Model = None,
    weights: Weights = None,
    data: Data = None,
    normalize: Normalize = None,
    input_shape: Input = None,
    classes: Classes = None,
    method: Annotated[str | None, typer.Option(help="gradient or evolution.")] = None,
    budget: Annotated[float | None, typer.Option(help="Learn for this fraction of MACs alone.")] = None,
    budgets: Annotated[
        str | None, typer.Option(help="Learn for several, such as 0.2,0.35,0.5; all, the default, is the whole slider.")
    ] = None,
    candidates: Annotated[
        int | None, typer.Option(help="Effort: passes over the held-out images; training images count as well.")
    ] = None,
    images: Annotated[int | None, typer.Option(help="Held-out images to score on; 2000 by default.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search; 0 by default.")] = None,
    steps: Annotated[int | None, typer.Option(help="SGD steps before a network is scored; 0 by default.")] = None,
    statistics: Annotated[
        str | None, typer.Option(help="Of the batch norms while scoring: batch, recalibrated or stale.")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help="NAME=NUMBER: a setting of the method.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Networks scored side by side; one a core by default, up to four.")
    ] = None,
    device: Device = "auto",
    measure: Annotated[bool, typer.Option("--measure/--no-measure", help="Measure the frontier afterwards.")] = False,
    json: Json = False,
    job: JobId = None,
) -> None:
    """Learn the ranking; goes on where an earlier call stopped."""
    from legr.commands.learn import plan_learn, run_learn
    from legr.commands.measure import is_measured
    from legr.commands.measure import measure as run_measure
    from legr.training.device import pick_device

    asked = {
        "method": method,
        "budgets": learned_budgets(budget, budgets),
        "images": images,
        "seed": seed,
        "steps": steps,
        "statistics": statistics,
        "options": numbers_of(option),
    }
    place = pick_device(device)
    if (study / "study.json").exists():
        opened = writable_study(study)
        require_same(opened, model, weights, data, normalize, input_shape, classes)
    else:
        opened = create_study(study, model, weights, data, normalize, input_shape, classes)
    arguments = arguments_of(
        {
            **{name: value for name, value in asked.items() if name not in ("budgets", "options")},
            "budget": budget,
            "budgets": budgets,
            "candidates": candidates,
            "workers": workers,
            "device": device,
        },
        repeated("--option", option or ()) + (["--measure"] if measure else []),
    )

    def known() -> dict[str, Any] | None:
        plan = plan_learn(opened, asked, candidates)
        if not plan.is_done or (measure and not is_measured(opened, None, 1, None, place)):
            return None
        return run_learn(opened, plan, place, workers=workers)

    def work(report: Report) -> dict[str, Any]:
        found = run_learn(opened, plan_learn(opened, asked, candidates), place, report, workers)
        if measure:
            run_measure(opened, None, 1, None, place, report)
        return found

    found = as_job(opened, "learn", arguments, str(place), job, known, work)
    terminal.result(
        found,
        json,
        f"{found['candidates']} candidates, {found['passes']:g} passes, {duration(found['seconds'])}: "
        f"loss {found['best_loss']:.4f}, identity {found['identity_loss']:.4f}",
    )


def learned_budgets(budget: float | None, budgets: str | None) -> tuple[float, ...] | None:
    """Budgets to learn at: one, several, or () for the whole slider; None where nothing is said."""
    if budget is not None and budgets is not None:
        raise SettingsError("--budget learns for one budget and --budgets for several; give one of the two")
    if budget is not None:
        return (budget,)
    if budgets is None or budgets == "all":
        return None if budgets is None else ()
    return tuple(fractions_of([budgets]) or ())
