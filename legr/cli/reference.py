"""Write the command reference, docs/commands.md, from the commands themselves.

python -m legr.cli.reference
"""

from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from legr.cli import cli

__all__ = ["PAGE", "reference"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
_HEAD = """\
# Commands

<!-- Written by `python -m legr.cli.reference`; change the commands in legr/cli, not this page. -->

`legr` is installed with the package; `python -m legr` is the same. The explorer starts these commands in the
background, and scripts and remote machines use them directly. [How the commands fit together](tasks.md) has examples.

Every command but `app` takes `--json` and then prints one JSON object on stdout. Progress goes to stderr. Exit codes:
0 done; 2 a mistake, told in one sentence; 130 interrupted, and the same command goes on from there.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(reference(), encoding="utf-8")


def reference() -> str:
    """The page as Markdown: a table of all commands, then one section each."""
    group = typer.main.get_command(cli)
    assert isinstance(group, TyperGroup)
    commands = {name: command for name, command in group.commands.items() if isinstance(command, TyperCommand)}
    table = [f"| [`{name}`](#{name}) | {_one_line(command.help)} |" for name, command in commands.items()]
    sections = [line for name, command in commands.items() for line in _section(name, command)]
    return "\n".join([_HEAD, "| command | what it does |", "|---|---|", *table, *sections, ""])


def _section(name: str, command: TyperCommand) -> Iterator[str]:
    context = typer.Context(command, info_name=f"legr {name}")
    yield from ("", f"## {name}", "", _one_line(command.help), "")
    yield from ("```", *command.get_usage(context).removeprefix("Usage: ").splitlines(), "```", "")
    yield from ("| option | meaning |", "|---|---|")
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is None:  # hidden: the explorer's own
            continue
        option, meaning = (_one_line(text).replace("|", "\\|") for text in record)
        kind = "argument " if isinstance(parameter, TyperArgument) else ""
        yield f"| {kind}`{option}` | {meaning.replace('<', '&lt;') or '–'} |"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    main()
