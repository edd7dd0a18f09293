"""Make a study of an exported network, to prune it further: a pruned network is a model like any other.

The export recipe names the model; the study remembers what was cut from it.
"""

from pathlib import Path

from legr.commands.create import ImageSource, NetworkSource, create
from legr.data.encoded import ImageShape
from legr.data.normalization import Normalization
from legr.deploy.bundle import Recipe, read_recipe
from legr.deploy.unpack import unpacked
from legr.errors import ExportError
from legr.models.input_shape import image_shape
from legr.progress import Report
from legr.study.store import Study


def create_from_recipe(
    path: Path,
    bundle: Path,
    data: str,
    normalize: str | None,
    report: Report,
    *,
    input_shape: ImageShape | None = None,
) -> Study:
    """Make a study in `path` that begins with an exported network.

    Args:
        bundle: a `recipe.json` with its weights beside it, their folder, or the zip of both.
        normalize: as for `create`, but None is what the recipe says.
        input_shape: as for `create`, but None is what the recipe says.

    Raises:
        LegrError: see `create`; the bundle is damaged or newer, or names code that was never named on this machine.
    """
    with unpacked(bundle) as file:
        recipe = read_recipe(file)
        classes = _classes(recipe)
        source = NetworkSource(recipe.model, recipe.weights, cuts=recipe.plan, outputs=classes)
        images = ImageSource(
            data,
            normalize or _normalization(recipe),
            input_shape=input_shape or _input_shape(recipe),
            classes=classes,
        )
        return create(path, source, images, report)


def _normalization(recipe: Recipe) -> Normalization | None:
    """How the network's inputs are normalized; None where the recipe does not say."""
    stored = recipe.facts.get("normalization")
    if stored is None:
        return None
    try:
        mean, std = (tuple(float(value) for value in stored[key]) for key in ("mean", "std"))
        return Normalization(stored["kind"], mean, std)
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"the recipe's normalization cannot be used ({error}); export the network again") from error


def _classes(recipe: Recipe) -> list[str] | None:
    """Names of the classes that the network predicts, in its order; None where the recipe does not say."""
    stored = recipe.facts.get("classes")
    if stored is None:
        return None
    if not isinstance(stored, list) or not len(set(map(str, stored))) == len(stored) == recipe.num_classes:
        raise ExportError(
            f"the recipe names {len(stored) if isinstance(stored, list) else 'no list of'} classes for "
            f"{recipe.num_classes} outputs, and each must have one of its own; export the network again"
        )
    return [str(name) for name in stored]


def _input_shape(recipe: Recipe) -> ImageShape | None:
    stored = recipe.facts.get("input_shape")
    return image_shape("x".join(map(str, stored))) if isinstance(stored, list) else None
