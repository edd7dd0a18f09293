"""Commands that train: from scratch, and a pruned network back to accuracy.

They do not know how training works; heavy modules are imported by the command that needs them.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from legr.arguments import arguments_of, repeated
from legr.cli import terminal
from legr.cli.jobs import as_job
from legr.cli.open_study import writable_study
from legr.cli.options import (
    Data,
    Device,
    Input,
    JobId,
    Json,
    Model,
    NetworkId,
    Normalize,
    Ranking,
    StudyPath,
    required,
    takes_budget,
)
from legr.errors import SettingsError
from legr.progress import Report, duration
from legr.ranking.limits import Budget
from legr.training.settings import NUMBERS, RECIPES, SCRATCH, changed, further_of, recipe_of

TrainingOption = Annotated[
    list[str] | None, typer.Option(help=f"NAME=NUMBER: another setting, of {', '.join(NUMBERS)}; may be repeated.")
]
Half = Annotated[
    bool, typer.Option("--half", help="Round the weights to float16 before test images judge them: half the file.")
]


def train(
    out: Annotated[Path, typer.Option(help="File for the weights, .safetensors.")],
    model: Model = None,
    data: Data = None,
    normalize: Normalize = None,
    input_shape: Input = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = SCRATCH.epochs,
    seed: Annotated[int, typer.Option(help="Of the first weights, and of every epoch's order.")] = SCRATCH.seed,
    option: TrainingOption = None,
    split_seed: Annotated[int, typer.Option(help="Decides which training images are held out.")] = 0,
    weights: Annotated[
        Path | None, typer.Option(help="Weights to begin with, for another cycle; random ones by default.")
    ] = None,
    half: Half = False,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Train a network from scratch, or on; goes on where it stopped. A study is then made with these weights."""
    from legr.commands.train import train_weights
    from legr.models.input_shape import image_shape
    from legr.models.zoo import choose_model
    from legr.training.device import pick_device

    if model is None or data is None:
        raise SettingsError("train needs --model and --data, such as --model cifar_resnet20 --data cifar10")
    found = train_weights(
        out,
        choose_model(model)[0],
        data,
        normalize,
        changed(SCRATCH, {**further_of(option), "epochs": epochs, "seed": seed}),
        pick_device(device),
        terminal.Echo(),
        split_seed=split_seed,
        input_shape=image_shape(input_shape) if input_shape else None,
        first=weights,
        half=half,
    )
    terminal.result(
        found,
        json,
        f"{out.name}: {100 * found['top1']:.2f} % top-1 on the test images, {100 * found['heldout_top1']:.2f} % on "
        f"held-out ones (epoch {found['best_epoch']} of {epochs}, {duration(found['seconds'])})",
    )


@takes_budget
def finetune(
    study: StudyPath,
    budget: Budget | None,
    recipe: Annotated[str, typer.Option(help=f"How to train: {', '.join(RECIPES)}.")] = "short",
    epochs: Annotated[int | None, typer.Option(help="Passes over the images; by default the recipe's.")] = None,
    distill: Annotated[
        bool | None, typer.Option("--distill/--no-distill", help="Learn from the original as well; as the recipe says.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of every epoch's order; 0 by default.")] = None,
    option: TrainingOption = None,
    ranking: Ranking = None,
    half: Half = False,
    device: Device = "auto",
    json: Json = False,
    job: JobId = None,
    network: NetworkId = None,
) -> None:
    """Train the network at a budget back to accuracy; goes on where it stopped."""
    from legr.commands.finetune import finished_finetune, run_finetune
    from legr.commands.network import network_id, require_network
    from legr.training.device import pick_device

    asked, place, opened = required(budget, "finetune"), pick_device(device), writable_study(study)
    ranking = ranking or opened.default_ranking  # the job goes on with it, whatever is learned meanwhile
    settings = recipe_of(recipe, {**further_of(option), "epochs": epochs, "distill": distill, "seed": seed})
    flags = [] if distill is None else ["--distill" if distill else "--no-distill"]
    flags += repeated("--option", option or ()) + (["--half"] if half else [])
    network = network if job or network else network_id(opened, asked, ranking)
    options = {"recipe": recipe, "epochs": epochs, "seed": seed, "ranking": ranking, "device": device}
    arguments = arguments_of({**dict(asked.limits()), **options, "network": network}, flags)

    def known() -> dict[str, Any] | None:
        require_network(opened, asked, ranking, network)
        return finished_finetune(opened, asked, settings, ranking, half=half)

    def work(report: Report) -> dict[str, Any]:
        require_network(opened, asked, ranking, network)
        return run_finetune(opened, asked, settings, place, report, ranking=ranking, half=half)

    found = as_job(opened, "finetune", arguments, str(place), job, known, work)
    terminal.result(
        found,
        json,
        f"{100 * found['top1_before']:.2f} % -> {100 * found['top1']:.2f} % top-1 "
        f"after {found['epochs']} epochs ({duration(found['seconds'])})",
    )
