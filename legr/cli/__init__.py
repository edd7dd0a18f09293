"""The command line, `python -m legr …`: options in, one call, a result out."""

import sys

import typer

from legr.cli import export, inspect_model, jobs, predict, score, search, serve, studies, terminal, training

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
    training.finetune,
    export.export,
    predict.compare,
    predict.look,
    studies.data,
    jobs.jobs,
    jobs.cancel,
    serve.app,
):
    _extra = {"allow_extra_args": True} if _command is score.measure else {}
    cli.command(context_settings=_extra)(_command)


def main() -> None:
    """Entry point of `python -m legr`."""
    sys.exit(terminal.run(lambda: cli(standalone_mode=False, prog_name="python -m legr")))
