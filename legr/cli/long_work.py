"""Commands that take minutes or hours: learn, measure, export. Each is a job while it runs.

They do not know how anything is done. Heavy modules are imported by the command that needs them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from legr.arguments import arguments_of, numbers_of, repeated
from legr.cli import terminal
from legr.cli.opening import create_study, require_same, writable_study
from legr.cli.options import (
    Classes,
    Data,
    Device,
    Input,
    JobId,
    Json,
    Model,
    NetworkId,
    Normalize,
    StudyPath,
    Weights,
    required,
    takes_budget,
)
from legr.errors import LegrError, SettingsError
from legr.progress import Progress, Report, duration, silent
from legr.ranking.limits import Budget
from legr.study.store import Study


def learn(
    study: StudyPath,
    model: Model = None,
    weights: Weights = None,
    data: Data = None,
    normalize: Normalize = None,
    input_shape: Input = None,
    classes: Classes = None,
    method: Annotated[str | None, typer.Option(help="gradient, evolution, cma-es or tpe.")] = None,
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
    from legr.training.compute import pick_device

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
    from legr.training.compute import pick_device

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


@takes_budget
def export(
    study: StudyPath,
    budget: Budget | None,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    json: Json = False,
    job: JobId = None,
    network: NetworkId = None,
) -> None:
    """Write the network at a budget as ONNX and safetensors, checked, in one zip."""
    from legr.commands.export import export as run_export
    from legr.commands.network import network_id, require_network

    asked, opened, folder = required(budget, "export"), Study.open(study), out.resolve()

    def known() -> dict[str, Any] | None:
        opened.curve().step(asked)  # a budget below the floor is said at once
        require_network(opened, asked, None, network)
        return work(terminal.Echo()) if opened.info.sample else None  # a sample keeps no record of jobs

    def work(report: Report) -> dict[str, Any]:
        require_network(opened, asked, None, network)
        return run_export(opened, asked, folder, report)

    network = network if job or network else network_id(opened, asked)
    arguments = arguments_of({**dict(asked.limits()), "out": str(folder), "network": network})
    found = as_job(opened, "export", arguments, "cpu", job, known, work)
    terminal.result(
        found,
        json,
        f"{found['zip']}: same answer on {100 * found['top1_agreement']:.2f} % of {found['images']} inputs, "
        f"largest difference {found['max_abs_diff']:.1e}",
    )


def as_job(
    study: Study,
    kind: str,
    arguments: list[str],
    device: str,
    job: str | None,
    known: Callable[[], dict[str, Any] | None],
    work: Callable[[Report], dict[str, Any]],
) -> dict[str, Any]:
    """Run work registered as a job, so that pages and `jobs` see it, wherever it was started.

    Args:
        job: the record that a detached job was started with.
        known: the result where nothing is left to do, else None; it does not wait for the device, and what
            it raises is a user's mistake that leaves no failed job behind.
    """
    from legr.jobs.run import running, settle

    try:
        found = known()
    except LegrError as error:
        if job:
            settle(study, job, "failed", error=str(error))
        raise
    if found is not None:
        if job:
            settle(study, job, "done", result=found)
        return found
    echo = terminal.Echo()
    with running(study, kind, arguments, device, job) as handle:

        def report(progress: Progress) -> None:
            handle.report(progress)
            echo(progress)

        found = work(report)
        handle.finish("done", result=found)
    return found


def learned_budgets(budget: float | None, budgets: str | None) -> tuple[float, ...] | None:
    """Budgets to learn at: one, several, or () for the whole slider; None where nothing is said."""
    if budget is not None and budgets is not None:
        raise SettingsError("--budget learns for one budget and --budgets for several; give one of the two")
    if budget is not None:
        return (budget,)
    if budgets is None or budgets == "all":
        return None if budgets is None else ()
    return tuple(fractions_of([budgets]) or ())


def fractions_of(budgets: list[str]) -> list[float] | None:
    if not budgets:
        return None
    try:
        return [float(part) for text in budgets for part in text.replace(",", " ").split()]
    except ValueError:
        raise SettingsError(
            f"--budgets takes fractions separated by commas, such as 0.3,0.5, got {' '.join(budgets)!r}"
        ) from None
