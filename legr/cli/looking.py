"""Commands that answer at once, or nearly: new, show, evaluate, data, jobs, cancel, app.

They do not know how anything is done. Heavy modules are imported by the command that needs them, so that
`show` and `jobs` do not wait for torch.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from legr.cli import terminal
from legr.cli.opening import create_pruned, create_study
from legr.cli.options import Classes, Data, Device, Input, Json, Model, Normalize, StudyPath, Weights, takes_budget
from legr.errors import SettingsError, StudyError
from legr.ranking.limits import Budget
from legr.study.places import studies_folder
from legr.study.store import Study


def new(
    study: StudyPath,
    model: Model = None,
    weights: Weights = None,
    data: Data = None,
    normalize: Normalize = None,
    input_shape: Input = None,
    classes: Classes = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Begin with an exported network: its recipe.json, folder or zip.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a study; the identity ranking makes it usable at once."""
    from legr.commands.create import facts
    from legr.commands.network import original

    if recipe is None:
        made = create_study(study, model, weights, data, normalize, input_shape, classes)
    elif model or weights or classes:
        raise SettingsError("a recipe names its model, weights and classes; give --recipe, or --model and --weights")
    else:
        made = create_pruned(study, recipe, data, normalize, input_shape)
    found = facts(made, original(made))
    terminal.result(
        found,
        json,
        f"{made.info.name}: {found['units']} removable units in {found['layers']} layers, "
        f"{found['macs'] / 1e6:.1f} M MACs, floor {100 * found['floor']:.1f} %; "
        f"zeroed = removed to {found['self_check']:.0e}",
    )


@takes_budget
def show(study: StudyPath, budget: Budget | None, json: Json = False) -> None:
    """Cost and filter counts of the network at a budget; by default the largest there is."""
    from legr.commands.show import show as run_show

    found = run_show(Study.open(study), budget or Budget(macs=1.0))
    rows = [f"{layer['kept']:6d} of {layer['total']:<6d} {layer['name']}" for layer in found["layers"]]
    head = (
        f"{found['ranking']} ranking, {100 * found['macs_fraction']:.2f} % of the MACs "
        f"({found['macs'] / 1e6:.2f} M), {found['params'] / 1e6:.3f} M parameters"
    )
    if found["dense_activation"]:
        head += f", {found['activation'] / 1e6:.3f} MB of activations"
    terminal.result(found, json, "\n".join([head, *rows]))


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
    from legr.training.compute import pick_device

    found = run_evaluate(
        Study.open(study), budget or Budget(macs=1.0), ranking, finetuned, pick_device(device), terminal.Echo()
    )
    notes = [name for name in ("recalibrated", "finetuned") if found[name]]
    terminal.result(
        found,
        json,
        f"{100 * found['top1']:.2f} % top-1 on {found['images']} test images"
        f"{' (' + ', '.join(notes) + ')' if notes else ''}, loss {found['loss']:.4f}",
    )


def data(
    study: StudyPath,
    folder: Annotated[Path | None, typer.Option(help="Folder that holds the study's images.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Download CIFAR-10.")] = False,
    json: Json = False,
) -> None:
    """Tell this machine where a study's images are."""
    from legr.commands.data import locate

    terminal.result(locate(Study.open(study), folder, download, terminal.Echo()), json, "the images are found")


def jobs(
    study: Annotated[Path | None, typer.Option("--study", help="One study; by default all.")] = None,
    studies: Annotated[Path | None, typer.Option(help="Folder of studies.")] = None,
    json: Json = False,
) -> None:
    """List background jobs, newest first."""
    from legr.jobs.records import list_jobs
    from legr.study.places import list_studies

    opened = [Study.open(study)] if study else _readable(list_studies(studies_folder(studies)))
    rows = [
        {"study": s.path.name, "id": j.id, "kind": j.kind, "state": j.state, "stage": j.stage, "done": j.done,
         "total": j.total, "seconds_left": j.seconds_left, "error": j.error, "result": j.result}
        for s in opened
        for j in list_jobs(s)
    ]  # fmt: skip
    lines = [f"{r['state']:<12} {r['study']:<24} {r['id']}  {r['stage']} {r['done']} of {r['total']}" for r in rows]
    terminal.result({"jobs": rows}, json, "\n".join(lines) or "no jobs")


def cancel(
    study: StudyPath, job: Annotated[str, typer.Argument(help="Id, as `jobs` lists it.")], json: Json = False
) -> None:
    """Stop a job; what it has finished stays."""
    from legr.jobs.run import cancel as run_cancel

    stopped = run_cancel(Study.open(study), job)
    terminal.result({"id": stopped.id, "state": stopped.state}, json, f"{stopped.id} is {stopped.state}")


def app(
    port: Annotated[int, typer.Option(help="Port to try first.")] = 8501,
    studies: Annotated[Path | None, typer.Option(help="Folder of studies.")] = None,
) -> None:
    """Start the explorer in the browser, on localhost."""
    from legr.cli.serve import serve

    serve(port, studies)


def _readable(paths: list[Path]) -> list[Study]:
    """Open what can be opened; one damaged study does not hide the others."""
    found = []
    for path in paths:
        try:
            found.append(Study.open(path))
        except StudyError as error:
            terminal.say(str(error))
    return found
