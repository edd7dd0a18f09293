"""The command line, `python -m legr …`: options in, one call, a result out.

It does not know how anything is done. Heavy modules are imported by the command that needs them, so that
`show` and `jobs` answer at once.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from legr import terminal
from legr.errors import SettingsError, StudyError
from legr.progress import Progress, Report
from legr.study.places import studies_folder, writable
from legr.study.store import Study

cli = typer.Typer(
    help="Learn a global ranking of a ConvNet's filters once, then prune to any budget.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

StudyPath = Annotated[Path, typer.Option("--study", help="Folder of the study.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
JobId = Annotated[str | None, typer.Option("--job", hidden=True)]
Macs = Annotated[float, typer.Option(help="Budget: fraction of the original's MACs, in (0, 1].")]
Model = Annotated[str | None, typer.Option(help="Name of the model, such as cifar_resnet56.")]
Weights = Annotated[str | None, typer.Option(help="File of the original's weights, or none.")]
Data = Annotated[str | None, typer.Option(help="digits, cifar10, or a folder of images.")]
Normalize = Annotated[str | None, typer.Option(help="imagenet or dataset; by default what scores better.")]


@cli.command()
def new(
    study: StudyPath,
    model: Model = None,
    weights: Weights = None,
    data: Data = None,
    normalize: Normalize = None,
    json: Json = False,
) -> None:
    """Make a study; the identity ranking makes it usable at once."""
    from legr.commands.create import facts
    from legr.commands.network import original

    made = _create(study, model, weights, data, normalize)
    found = facts(made, original(made))
    terminal.result(
        found,
        json,
        f"{made.info.name}: {found['units']} removable units in {found['layers']} layers, "
        f"{found['macs'] / 1e6:.1f} M MACs, floor {100 * found['floor']:.1f} %; "
        f"zeroed = removed to {found['self_check']:.0e}",
    )


@cli.command()
def learn(
    study: StudyPath,
    model: Model = None,
    weights: Weights = None,
    data: Data = None,
    normalize: Normalize = None,
    budget: Annotated[float | None, typer.Option(help="Fraction of MACs to score at; 0.47 by default.")] = None,
    candidates: Annotated[int | None, typer.Option(help="Candidates to evaluate; 400 by default.")] = None,
    images: Annotated[int | None, typer.Option(help="Held-out images to score on; 2000 by default.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search; 0 by default.")] = None,
    device: Device = "auto",
    measure: Annotated[bool, typer.Option("--measure/--no-measure", help="Measure the frontier afterwards.")] = False,
    json: Json = False,
    job: JobId = None,
) -> None:
    """Learn the ranking; goes on where an earlier call stopped."""
    from legr.commands.learn import run_learn
    from legr.commands.measure import measure as run_measure
    from legr.training.compute import pick_device

    asked = {"budget": budget, "images": images, "seed": seed}
    place = pick_device(device)
    if (study / "study.json").exists():
        opened = _writable(study)
        _same(opened, model, weights, data, normalize)
    else:
        opened = _create(study, model, weights, data, normalize)
    arguments = _arguments({**asked, "candidates": candidates, "device": device}, ["--measure"] if measure else [])

    def work(report: Report) -> dict[str, Any]:
        found = run_learn(opened, asked, candidates, place, report)
        if measure:
            run_measure(opened, None, 1, None, place, report)
        return found

    found = _as_job(opened, "learn", arguments, str(place), job, work)
    terminal.result(
        found,
        json,
        f"{found['candidates']} candidates in {terminal.duration(found['seconds'])}: "
        f"loss {found['best_loss']:.4f}, identity {found['identity_loss']:.4f}",
    )


@cli.command()
def show(study: StudyPath, macs: Macs = 1.0, json: Json = False) -> None:
    """Cost and filter counts of the network at a budget."""
    from legr.commands.show import show as run_show

    found = run_show(Study.open(study), macs)
    rows = [f"{layer['kept']:6d} of {layer['total']:<6d} {layer['name']}" for layer in found["layers"]]
    head = (
        f"{found['ranking']} ranking, {100 * found['macs_fraction']:.2f} % of the MACs "
        f"({found['macs'] / 1e6:.2f} M), {found['params'] / 1e6:.3f} M parameters"
    )
    terminal.result(found, json, "\n".join([head, *rows]))


@cli.command()
def evaluate(
    study: StudyPath,
    macs: Macs = 1.0,
    ranking: Annotated[Literal["learned", "identity", "uniform"] | None, typer.Option()] = None,
    finetuned: Annotated[bool, typer.Option("--finetuned/--no-finetuned", help="Use fine-tuned weights.")] = True,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Top-1 of the network at a budget, on the test images."""
    from legr.commands.evaluate import evaluate as run_evaluate
    from legr.training.compute import pick_device

    found = run_evaluate(Study.open(study), macs, ranking, finetuned, pick_device(device), terminal.Echo())
    notes = [name for name in ("recalibrated", "finetuned") if found[name]]
    terminal.result(
        found,
        json,
        f"{100 * found['top1']:.2f} % top-1 on {found['images']} test images"
        f"{' (' + ', '.join(notes) + ')' if notes else ''}, loss {found['loss']:.4f}",
    )


@cli.command()
def measure(
    study: StudyPath,
    budgets: Annotated[list[str] | None, typer.Option(help="Fractions of MACs, separated by commas.")] = None,
    batch: Annotated[int, typer.Option(help="Batch of the latency measurement.")] = 1,
    threads: Annotated[int | None, typer.Option(help="Processor threads; by default all cores.")] = None,
    device: Device = "auto",
    json: Json = False,
    job: JobId = None,
) -> None:
    """Accuracy and latency of every ranking along the slider; goes on where it stopped."""
    from legr.commands.measure import measure as run_measure
    from legr.training.compute import pick_device

    place, opened = pick_device(device), _writable(study)
    fractions = _fractions(budgets)
    arguments = _arguments({"budgets": ",".join(budgets) if budgets else None, "batch": batch, "threads": threads})
    found = _as_job(
        opened,
        "measure",
        arguments,
        str(place),
        job,
        lambda r: run_measure(opened, fractions, batch, threads, place, r),
    )
    terminal.result(found, json, f"{found['measured']} points measured, {found['skipped']} were there already")


@cli.command()
def finetune(
    study: StudyPath,
    macs: Macs,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 10,
    distill: Annotated[bool, typer.Option("--distill/--no-distill", help="Learn from the original as well.")] = True,
    device: Device = "auto",
    json: Json = False,
    job: JobId = None,
) -> None:
    """Train the network at a budget back to accuracy; goes on where it stopped."""
    from legr.commands.finetune import run_finetune
    from legr.training.compute import pick_device
    from legr.training.finetune import FineTuneSettings

    place, opened = pick_device(device), _writable(study)
    settings = FineTuneSettings(epochs=epochs, distill=distill)
    arguments = _arguments(
        {"macs": macs, "epochs": epochs, "device": device}, ["--distill" if distill else "--no-distill"]
    )
    found = _as_job(
        opened,
        "finetune",
        arguments,
        str(place),
        job,
        lambda r: run_finetune(opened, macs, settings, place, r),
    )
    terminal.result(
        found,
        json,
        f"{100 * found['top1_before']:.2f} % -> {100 * found['top1']:.2f} % top-1 "
        f"after {found['epochs']} epochs ({terminal.duration(found['seconds'])})",
    )


@cli.command()
def export(
    study: StudyPath,
    macs: Macs,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    json: Json = False,
    job: JobId = None,
) -> None:
    """Write the network at a budget as ONNX and safetensors, checked, in one zip."""
    from legr.commands.export import export as run_export

    opened = Study.open(study)

    def work(report: Report) -> dict[str, Any]:
        return run_export(opened, macs, out, report)

    arguments = _arguments({"macs": macs, "out": str(out)})
    found = work(terminal.Echo()) if opened.info.sample else _as_job(opened, "export", arguments, "cpu", job, work)
    terminal.result(
        found,
        json,
        f"{found['zip']}: same answer on {100 * found['top1_agreement']:.2f} % of {found['images']} inputs, "
        f"largest difference {found['max_abs_diff']:.1e}",
    )


@cli.command()
def data(
    study: StudyPath,
    folder: Annotated[Path | None, typer.Option(help="Folder that holds the study's images.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Download CIFAR-10.")] = False,
    json: Json = False,
) -> None:
    """Tell this machine where a study's images are."""
    from legr.commands.data import locate

    terminal.result(locate(Study.open(study), folder, download, terminal.Echo()), json, "the images are found")


@cli.command()
def jobs(
    study: Annotated[Path | None, typer.Option("--study", help="One study; by default all.")] = None,
    studies: Annotated[Path | None, typer.Option(help="Folder of studies.")] = None,
    json: Json = False,
) -> None:
    """List background jobs, newest first."""
    from legr.jobs.records import list_jobs
    from legr.study.places import list_studies

    opened = [Study.open(path) for path in ([study] if study else list_studies(studies_folder(studies)))]
    rows = [
        {"study": s.path.name, "id": j.id, "kind": j.kind, "state": j.state, "stage": j.stage, "done": j.done,
         "total": j.total, "seconds_left": j.seconds_left, "error": j.error, "result": j.result}
        for s in opened
        for j in list_jobs(s)
    ]  # fmt: skip
    lines = [f"{r['state']:<12} {r['study']:<24} {r['id']}  {r['stage']} {r['done']} of {r['total']}" for r in rows]
    terminal.result({"jobs": rows}, json, "\n".join(lines) or "no jobs")


@cli.command()
def cancel(
    study: StudyPath, job: Annotated[str, typer.Argument(help="Id, as `jobs` lists it.")], json: Json = False
) -> None:
    """Stop a job; what it has finished stays."""
    from legr.jobs.run import cancel as run_cancel

    stopped = run_cancel(Study.open(study), job)
    terminal.result({"id": stopped.id, "state": stopped.state}, json, f"{stopped.id} is {stopped.state}")


@cli.command()
def app(
    port: Annotated[int, typer.Option(help="Port to try first.")] = 8501,
    studies: Annotated[Path | None, typer.Option(help="Folder of studies.")] = None,
) -> None:
    """Start the explorer in the browser, on localhost."""
    from legr.serve import serve

    serve(port, studies)


# -- shared by the commands ----------------------------------------------------------------------------------------


def _create(study: Path, model: str | None, weights: str | None, data: str | None, normalize: str | None) -> Study:
    from legr.commands.create import create

    missing = [name for name, value in (("--model", model), ("--weights", weights), ("--data", data)) if value is None]
    if missing:
        raise SettingsError(
            f"there is no study at {study}; to make one, give {', '.join(missing)} (weights may be none)"
        )
    assert model and weights and data
    return create(study, model, None if weights == "none" else Path(weights), data, normalize, terminal.Echo())


def _same(study: Study, model: str | None, weights: str | None, data: str | None, normalize: str | None) -> None:
    """Refuse what differs from the study; what is the same may be given again."""
    info = study.info
    if model is not None and model != info.model:
        raise SettingsError(f"this study was made with --model {info.model}, got {model}; learn in a new study")
    if normalize is not None and normalize != info.normalization["kind"]:
        raise SettingsError(
            f"this study was made with --normalize {info.normalization['kind']}, got {normalize}; learn in a new study"
        )
    if weights is not None:
        from legr.training.models import build_model
        from legr.training.weights import load_weights

        given = (
            load_weights(build_model(info.model, info.num_classes), Path(weights)).sha256 if weights != "none" else None
        )
        if (given is None and info.weights_origin != "none") or (given is not None and given != info.weights_sha256):
            raise SettingsError("this study was made with other --weights; learn in a new study")
    if data is not None and data != info.data_name:
        from legr.training.data import load_dataset
        from legr.training.folders import remember_folder

        if load_dataset(data, info.input_shape[1], split_seed=info.split_seed).fingerprint != info.data_fingerprint:
            raise SettingsError(f"this study was made with other --data ({info.data_name}); learn in a new study")
        remember_folder(info.data_fingerprint, data)


def _writable(path: Path) -> Study:
    opened = Study.open(path)
    study = writable(opened, studies_folder())
    if study is not opened:
        terminal.say(f"{opened.path.name} is a sample; working on the copy in {study.path}")
    if not os.access(study.path, os.W_OK):
        raise StudyError(f"{study.path.name} cannot be written; change its permissions or copy it")
    return study


def _as_job(
    study: Study,
    kind: str,
    arguments: list[str],
    device: str,
    job: str | None,
    work: Callable[[Report], dict[str, Any]],
) -> dict[str, Any]:
    """Run work registered as a job, so that pages and `jobs` see it, wherever it was started."""
    from legr.jobs.run import running

    echo = terminal.Echo()
    with running(study, kind, arguments, device, job) as handle:

        def report(progress: Progress) -> None:
            handle.report(progress)
            echo(progress)

        found = work(report)
        handle.finish("done", result=found)
    return found


def _arguments(options: dict[str, Any], flags: list[str] | None = None) -> list[str]:
    given = [part for name, value in options.items() if value is not None for part in (f"--{name}", str(value))]
    return given + (flags or [])


def _fractions(budgets: list[str] | None) -> list[float] | None:
    if not budgets:
        return None
    try:
        return [float(part) for text in budgets for part in text.replace(",", " ").split()]
    except ValueError:
        raise SettingsError(
            f"--budgets takes fractions separated by commas, such as 0.3,0.5, got {' '.join(budgets)!r}"
        ) from None


def main() -> None:
    """Entry point of `python -m legr`."""
    sys.exit(terminal.run(lambda: cli(standalone_mode=False, prog_name="python -m legr")))
