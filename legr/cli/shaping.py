"""The command `shape`: multiples, excluded layers, pins and floors of a study.

It does not know what they do to a ranking.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from legr.cli import terminal
from legr.cli.opening import writable_study
from legr.cli.options import Json, StudyPath
from legr.errors import SettingsError
from legr.ranking.limits import WORDS
from legr.ranking.shape import PLAIN, Shape
from legr.study.store import Study


def shape(
    study: StudyPath,
    multiple: Annotated[int | None, typer.Option(help="Round channels to multiples of 1, 4, 8, 16 or 32.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Layer that stays whole; may be repeated.")] = None,
    pin: Annotated[list[str] | None, typer.Option(help="LAYER=12: exactly 12 channels, at every budget.")] = None,
    floor: Annotated[list[str] | None, typer.Option(help="LAYER=4: at least 4 channels.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Ask for nothing again.")] = False,
    json: Json = False,
) -> None:
    """Set the shape of the result, in place of the one before; without options only show it."""
    from legr.commands.shape import set_shape, show_shape

    asked = multiple is not None or any((exclude, pin, floor))
    if clear and asked:
        raise SettingsError("--clear asks for nothing at all; give it alone, or leave it out")
    wanted = PLAIN
    if asked:
        excluded = tuple(name for text in exclude or () for name in text.split(","))
        wanted = Shape(1 if multiple is None else multiple, _counts("--floor", floor), excluded, _counts("--pin", pin))
    found = set_shape(writable_study(study), wanted) if asked or clear else show_shape(Study.open(study))
    terminal.result(found, json, f"{found['words'] or 'no shape is asked for'}\n{_reach(found)}")


def _counts(option: str, given: Sequence[str] | None) -> dict[str, int]:
    """Counts by layer, of texts such as "layer1.0.conv1=12"."""
    counts: dict[str, int] = {}
    for part in (part for text in given or () for part in text.split(",")):
        layer, _, count = part.rpartition("=")
        if not (layer and count.isdecimal()):
            raise SettingsError(f"{option} takes a layer and a number, such as conv1=12, got {part!r}")
        if counts.setdefault(layer, int(count)) != int(count):
            raise SettingsError(f"{option} names {layer} twice, with {counts[layer]} and {count}; give one")
    return counts


def _reach(found: Mapping[str, Any]) -> str:
    floors = ", ".join(f"{100 * floor:.2f} % of the {WORDS[name]}" for name, floor in found["floors"].items())
    return f"within reach on the {found['ranking']} ranking, in {found['steps']} steps: {floors}"
