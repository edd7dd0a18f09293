"""Commands about one study: new, show, shape, data. Heavy modules are imported when a command needs them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from legr.arguments import shortened, whole_number_of
from legr.cli import sentences, terminal
from legr.cli.open_study import create_pruned, create_study, require_writable, writable_study
from legr.cli.options import Json, StudyPath, with_options
from legr.errors import SettingsError
from legr.ranking.constraints import UNCONSTRAINED, Constraints
from legr.ranking.limits import Budget
from legr.requests.learn import NewStudyRequest
from legr.requests.ranges import require_unicode
from legr.requests.shape import ShapeRequest
from legr.study.store import Study


@with_options
def new(
    study: StudyPath,
    about: NewStudyRequest,
    recipe: Annotated[
        Path | None, typer.Option(help="Begin with an exported network: its recipe.json, folder or zip.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a study; the identity ranking makes it usable at once."""
    from legr.commands.create import facts
    from legr.commands.original import original

    new_study = create_study(study, about) if recipe is None else create_pruned(study, recipe, about)
    result = facts(new_study, original(new_study))
    terminal.result(result, json, sentences.new_study(result))


@with_options
def show(study: StudyPath, budget: Budget | None, json: Json = False) -> None:
    """Cost and filter counts of the network at a budget; by default the largest there is."""
    from legr.commands.show import show as run_show
    from legr.study.left_out import left_out_line

    opened = Study.open(study)
    result = run_show(opened, budget or Budget(macs=1.0))
    damaged = left_out_line(opened)
    if damaged:
        terminal.say(damaged)
    terminal.result(result, json, sentences.network(result))


@with_options
def data(
    study: StudyPath,
    folder: Annotated[Path | None, typer.Option(help="Folder that holds the study's images.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Download CIFAR-10.")] = False,
    json: Json = False,
) -> None:
    """Tell this machine where a study's images are."""
    from legr.commands.data import locate

    if folder is not None:
        require_unicode("folder", str(folder.resolve()))
    result = locate(Study.open(study), folder, download, terminal.Echo())
    terminal.result(result, json, sentences.located_images(result))


@with_options
def shape(
    study: StudyPath,
    request: ShapeRequest,
    exclude: Annotated[list[str] | None, typer.Option(help="Layer that stays whole; may be repeated.")] = None,
    pin: Annotated[list[str] | None, typer.Option(help="LAYER=12: exactly 12 channels, at every budget.")] = None,
    floor: Annotated[list[str] | None, typer.Option(help="LAYER=4: at least 4 channels.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Ask for nothing again.")] = False,
    device_profile: Annotated[
        str | None, typer.Option(help="Tell what is reached on the device of this profile.")
    ] = None,
    json: Json = False,
) -> None:
    """Set the shape of the result, in place of the one before; without options only show it."""
    from legr.commands.constraints import set_constraints, show_constraints

    asked = request != ShapeRequest() or any((exclude, pin, floor))
    if clear and asked:
        raise SettingsError("--clear asks for nothing at all; give it alone, or leave it out")
    wanted = UNCONSTRAINED
    if asked:
        wanted = Constraints(
            1 if request.multiple is None else request.multiple,
            _counts("--floor", floor),
            tuple(name for text in exclude or () for name in text.split(",")),
            _counts("--pin", pin),
            blocks=bool(request.blocks),
            kept_blocks=request.keep_blocks or (),
            removed_blocks=request.remove_blocks or (),
        )
    if asked or clear:
        opened = writable_study(study)
        require_writable(opened)
        result = set_constraints(opened, wanted, device_profile or "")
    else:
        result = show_constraints(Study.open(study), device_profile or "")
    terminal.result(result, json, sentences.reach(result))


def _counts(option: str, given: Sequence[str] | None) -> dict[str, int]:
    """Counts by layer, of texts such as "layer1.0.conv1=12"."""
    counts: dict[str, int] = {}
    for part in (part for text in given or () for part in text.split(",")):
        layer, _, count = part.rpartition("=")
        channels = whole_number_of(count)
        if not layer or channels is None:
            raise SettingsError(f"{option} takes a layer and a number, such as conv1=12, got {shortened(part)}")
        if counts.setdefault(layer, channels) != channels:
            raise SettingsError(f"{option} names {layer} twice, with {counts[layer]} and {count}; give one")
    return counts
