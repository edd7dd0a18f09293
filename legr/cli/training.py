"""The command that trains a network from scratch.

It does not know how training works; heavy modules are imported when it runs.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from legr.cli import terminal
from legr.cli.options import Data, Device, Input, Json, Model, Normalize
from legr.errors import SettingsError
from legr.progress import duration
from legr.training.settings import SCRATCH


def train(
    out: Annotated[Path, typer.Option(help="File for the weights, .safetensors.")],
    model: Model = None,
    data: Data = None,
    normalize: Normalize = None,
    input_shape: Input = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = SCRATCH.epochs,
    lr: Annotated[float, typer.Option(help="Learning rate at the top of the cycle.")] = SCRATCH.lr,
    batch: Annotated[int, typer.Option(help="Images a step.")] = SCRATCH.batch,
    weight_decay: Annotated[float, typer.Option(help="Of weights; norms and offsets do not decay.")] = (
        SCRATCH.weight_decay
    ),
    seed: Annotated[int, typer.Option(help="Of the first weights, and of every epoch's order.")] = SCRATCH.seed,
    split_seed: Annotated[int, typer.Option(help="Decides which training images are held out.")] = 0,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Train a network from scratch; goes on where it stopped. A study is then made with these weights."""
    from legr.commands.train import train_from_scratch
    from legr.training.compute import pick_device
    from legr.training.inputs import image_shape
    from legr.training.models import choose_model

    if model is None or data is None:
        raise SettingsError("train needs --model and --data, such as --model cifar_resnet20 --data cifar10")
    found = train_from_scratch(
        out,
        choose_model(model)[0],
        data,
        normalize,
        replace(SCRATCH, epochs=epochs, lr=lr, batch=batch, weight_decay=weight_decay, seed=seed),
        pick_device(device),
        terminal.Echo(),
        split_seed=split_seed,
        input_shape=image_shape(input_shape) if input_shape else None,
    )
    terminal.result(
        found,
        json,
        f"{out.name}: {100 * found['top1']:.2f} % top-1 on the test images, {100 * found['heldout_top1']:.2f} % on "
        f"held-out ones (epoch {found['best_epoch']} of {epochs}, {duration(found['seconds'])})",
    )
