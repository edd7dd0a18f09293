"""Make a study of an exported network, to prune it further: a pruned network is a model like any other.

The export recipe names the model; the study remembers what was cut from it.
"""

from pathlib import Path

from legr.commands.create import ImageSource, NetworkSource, create
from legr.data.encoded import ImageShape
from legr.deploy.bundle import Recipe, read_recipe
from legr.deploy.unpack import unpacked
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
    multiple: int | None = 1,
) -> Study:
    """Make a study in `path` that begins with an exported network.

    Args:
        bundle: a `recipe.json` with its weights beside it, their folder, or the zip of both.
        normalize: as for `create`, but None is what the recipe says.
        input_shape: as for `create`, but None is what the recipe says.
        multiple: as for `create`.

    Raises:
        LegrError: see `create`; the bundle is damaged or newer, or names code that was never named on this machine.
    """
    with unpacked(bundle) as file:
        recipe = read_recipe(file)
        classes = None if recipe.classes is None else list(recipe.classes)
        source = NetworkSource(recipe.model, recipe.weights, cuts=recipe.plan, outputs=classes)
        images = ImageSource(
            data,
            normalize or recipe.normalization,
            input_shape=input_shape or _input_shape(recipe),
            classes=classes,
        )
        return create(path, source, images, report, multiple=multiple)


def _input_shape(recipe: Recipe) -> ImageShape | None:
    return image_shape("x".join(map(str, recipe.input_shape))) if recipe.input_shape is not None else None
