"""The command that looks at a model alone: inspect."""

from pathlib import Path
from typing import Annotated

import typer

from legr.cli import sentences, terminal
from legr.cli.options import Json, number, with_options
from legr.requests.ranges import CLASSES


@with_options
def inspect(
    model: Annotated[str, typer.Option(help="Name of the model, timm:NAME, or package.module:factory.")],
    inputs: Annotated[
        str | None, typer.Option("--input", help="Shape of its input, such as 1x3x224x224; several by commas.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="File of its weights; random ones without.")] = None,
    classes: Annotated[int | None, number("Outputs; by default what the model has.", CLASSES, "--classes")] = None,
    json: Json = False,
) -> None:
    """What of a model can be pruned, what that saves at most, and why the rest cannot."""
    from legr.commands.inspect import inspect as run_inspect
    from legr.models.input_shape import input_shapes
    from legr.models.zoo import choose_model

    shapes = input_shapes(inputs) if inputs else None
    spec, own_weights = choose_model(model)
    result = run_inspect(spec, num_classes=classes, shapes=shapes, weights=weights or own_weights)
    terminal.result(result, json, sentences.inspection(result))
