"""The command line, `legr …` or `python -m legr …`: options in, one call, a result out."""

import sys
from typing import Annotated

import typer

from legr import __version__
from legr.cli import (
    export,
    inspect_model,
    jobs,
    predict,
    profile,
    report,
    score,
    search,
    serve,
    studies,
    terminal,
    training,
)

cli = typer.Typer(
    help="Learn a global ranking of a ConvNet's filters once, then prune to any budget.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _command in (
    inspect_model.inspect,
    studies.new,
    training.train,
    search.learn,
    studies.show,
    studies.shape,
    score.evaluate,
    score.measure,
    profile.profile,
    training.finetune,
    training.supernet,
    export.export,
    predict.compare,
    predict.classes,
    predict.look,
    report.report,
    report.points,
    studies.data,
    jobs.jobs,
    jobs.cancel,
    serve.app,
):
    _extra = {"allow_extra_args": True} if _command is score.measure else {}
    cli.command(context_settings=_extra)(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"legr {__version__}")
        raise typer.Exit


@cli.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


def main() -> None:
    """Entry point of `legr` and of `python -m legr`."""
    sys.exit(terminal.run(lambda: cli(standalone_mode=False)))
