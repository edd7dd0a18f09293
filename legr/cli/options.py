"""Options that several commands share.

They do not know the commands.
"""

from pathlib import Path
from typing import Annotated

import typer

StudyPath = Annotated[Path, typer.Option("--study", help="Folder of the study.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
JobId = Annotated[str | None, typer.Option("--job", hidden=True)]
Macs = Annotated[float, typer.Option(help="Budget: fraction of the original's MACs, in (0, 1].")]
Model = Annotated[str | None, typer.Option(help="Name of the model, such as cifar_resnet56.")]
Weights = Annotated[str | None, typer.Option(help="File of the original's weights, or none.")]
Data = Annotated[str | None, typer.Option(help="digits, cifar10, or a folder of images.")]
Normalize = Annotated[str | None, typer.Option(help="imagenet or dataset; by default what scores better.")]
