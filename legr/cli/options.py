"""Options that several commands share.

They do not know the commands.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from legr.arguments import option_of
from legr.errors import SettingsError
from legr.ranking.limits import Budget

StudyPath = Annotated[Path, typer.Option("--study", help="Folder of the study.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
JobId = Annotated[str | None, typer.Option("--job", hidden=True)]
NetworkId = Annotated[str | None, typer.Option("--network", hidden=True)]  # `keep_id` of what was asked for
Model = Annotated[str | None, typer.Option(help="Name, such as cifar_resnet56, or package.module:factory.")]
Input = Annotated[str | None, typer.Option("--input", help="Shape of the images, such as 1x3x224x224.")]
Weights = Annotated[str | None, typer.Option(help="File of the original's weights, or none.")]
Data = Annotated[str | None, typer.Option(help="digits, cifar10, cifar100, or a folder of images.")]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        help="Some of the classes, such as cat,dog: the network then answers for these alone. May be repeated."
    ),
]
Ranking = Annotated[
    Literal["learned", "identity", "uniform"] | None, typer.Option(help="Whose order; the learned one where it is.")
]
Normalize = Annotated[str | None, typer.Option(help="imagenet or dataset; by default what scores better.")]

_LIMITS = {
    "macs": "Budget: at most this fraction of the original's MACs, in (0, 1].",
    "params": "Budget: fraction of its parameters.",
    "activation": "Budget: fraction of its activation memory.",
    "mmacs": "Budget: million MACs.",
    "weight_mb": "Budget: megabytes of float32 weights.",
    "activation_mb": "Budget: megabytes of activations at the fullest moment.",
}


def takes_budget(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a budget in place of its parameter `budget`, which is None without any."""
    own = [p for p in inspect.signature(command).parameters.values() if p.name != "budget"]
    limits = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[float | None, typer.Option(help=words)],
        )
        for name, words in _LIMITS.items()
    ]

    @wraps(command)
    def with_options(**given: Any) -> None:
        asked = {name: given.pop(name) for name in _LIMITS}
        any_given = any(limit is not None for limit in asked.values())
        command(**given, budget=Budget(**asked) if any_given else None)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own[:1], *limits, *own[1:])]
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options


def required(budget: Budget | None, command: str) -> Budget:
    """The budget of a command that makes no sense without.

    Raises:
        SettingsError: none was given.
    """
    if budget is None:
        names = ", ".join(option_of(name) for name in _LIMITS)
        raise SettingsError(f"{command} needs a budget: give one or more of {names}, such as --macs 0.5")
    return budget
