"""The command line, `python -m legr …`: options in, one call, a result out."""

import sys

import typer

from legr.cli import inspecting, long_work, looking, seeing, shaping, terminal, training

cli = typer.Typer(
    help="Learn a global ranking of a ConvNet's filters once, then prune to any budget.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _command in (
    inspecting.inspect,
    looking.new,
    training.train,
    long_work.learn,
    looking.show,
    shaping.shape,
    looking.evaluate,
    long_work.measure,
    training.finetune,
    long_work.export,
    seeing.compare,
    seeing.look,
    looking.data,
    looking.jobs,
    looking.cancel,
    looking.app,
):
    _extra = {"allow_extra_args": True} if _command is long_work.measure else {}
    cli.command(context_settings=_extra)(_command)


def main() -> None:
    """Entry point of `python -m legr`."""
    sys.exit(terminal.run(lambda: cli(standalone_mode=False, prog_name="python -m legr")))
