"""Open, make or refuse the study that a command names.

It does not know what the command does with it.
"""

import os
from pathlib import Path

from legr.cli import terminal
from legr.data.class_names import listed_names
from legr.errors import SettingsError, StudyError
from legr.requests.learn import NewStudyRequest
from legr.requests.ranges import require_unicode
from legr.study.catalog import studies_folder, writable
from legr.study.store import Study


def create_study(path: Path, about: NewStudyRequest) -> Study:
    """Make the study that a command names and that is not there.

    Raises:
        SettingsError: something is not given without which there is no study.
    """
    from legr.commands.create import ImageSource, NetworkSource, create
    from legr.models.input_shape import image_shape
    from legr.models.zoo import choose_model

    require_unicode("the folder of the study", str(path.absolute()))
    spec, own_weights = choose_model(about.model) if about.model else (None, None)
    weights = about.weights or (str(own_weights) if own_weights else None)
    given = {"--model": about.model, "--weights": weights, "--data": about.data}
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise SettingsError(
            f"there is no study at {path}; to make one, give {', '.join(missing)} (weights may be none)"
        )
    assert spec and weights and about.data
    if about.outputs and weights == "none":
        raise SettingsError("--outputs names the outputs of a weights file; give --weights, or leave it out")
    source = NetworkSource(spec, None if weights == "none" else Path(weights), outputs=about.outputs)
    shape = image_shape(about.input) if about.input else None
    images = ImageSource(about.data, about.normalize, input_shape=shape, classes=about.classes)
    return create(path, source, images, terminal.Echo(), multiple=about.multiple)


def create_pruned(path: Path, recipe: Path, about: NewStudyRequest) -> Study:
    """Make a study of an exported network.

    Raises:
        SettingsError: the images are not named, or something is that the export names.
    """
    from legr.commands.from_recipe import create_from_recipe
    from legr.models.input_shape import image_shape

    require_unicode("the folder of the study", str(path.absolute()))
    if about.model or about.weights or about.classes or about.outputs:
        raise SettingsError(
            "a recipe names its model, weights, classes and outputs; give --recipe, or --model and --weights"
        )
    if not about.data:
        raise SettingsError("give --data as well: the images that the pruned network is for")
    shape = image_shape(about.input) if about.input else None
    return create_from_recipe(
        path, recipe, about.data, about.normalize, terminal.Echo(), input_shape=shape, multiple=about.multiple
    )


def require_same(study: Study, about: NewStudyRequest) -> None:
    """Refuse what differs from the study; what is the same may be given again.

    Raises:
        SettingsError: the study was made with something else.
    """
    info = study.info
    if about.model is not None and about.model != info.model:
        from legr.models.zoo import choose_model

        if choose_model(about.model)[0].name != info.model:
            raise SettingsError(
                f"this study was made with --model {info.model}, got {about.model}; learn in a new study"
            )
    if about.input is not None:
        from legr.models.input_shape import image_shape

        if image_shape(about.input) != info.input_shape:
            own = "x".join(map(str, (1, *info.input_shape)))
            raise SettingsError(f"this study was made with --input {own}, got {about.input}; learn in a new study")
    kind = info.normalization.kind
    if about.normalize is not None and about.normalize != kind:
        raise SettingsError(f"this study was made with --normalize {kind}, got {about.normalize}; learn in a new study")
    if about.classes is not None and set(listed_names(about.classes, info.all_classes or info.classes)) != set(
        info.classes
    ):
        raise SettingsError(f"this study is about the classes {', '.join(info.classes)}; make a new study for others")
    if about.outputs is not None and about.weights is None:
        raise SettingsError("--outputs names the outputs of --weights; give both, or neither")
    multiple = study.constraints.multiple
    if about.multiple not in (None, multiple):
        raise SettingsError(
            f"this study rounds to multiples of {multiple}, got {about.multiple}; change it with `shape`"
        )
    if about.weights is not None:
        _require_same_weights(study, about.weights, about.outputs)
    if about.data is not None and about.data != info.data_name:
        _require_same_images(study, about.data)


def _require_same_images(study: Study, data: str) -> None:
    from legr.data.folders import remember_folder
    from legr.data.load import load_dataset

    info = study.info
    if load_dataset(data, info.input_shape, split_seed=info.split_seed).fingerprint != info.data_fingerprint:
        raise SettingsError(f"this study was made with other --data ({info.data_name}); learn in a new study")
    remember_folder(info.data_fingerprint, data)


def _require_same_weights(study: Study, weights: str, outputs: tuple[str, ...] | None) -> None:
    from legr.commands.original import sha256_of_weights

    info = study.info
    given = None if weights == "none" else sha256_of_weights(study, Path(weights), outputs)
    if (given is None and info.weights_origin != "none") or (given is not None and given != info.weights_sha256):
        raise SettingsError("this study was made with other --weights; learn in a new study")


def writable_study(path: Path) -> Study:
    """The study that a command names, or the copy of a sample."""
    opened = Study.open(path)
    study = writable(opened, studies_folder())
    if study is not opened:
        terminal.say(f"{opened.path.name} is a sample; working on the copy in {study.path}")
    return study


def is_writable(study: Study) -> bool:
    """Whether the folder of a study may be written by whoever runs this."""
    return os.access(study.folder, os.W_OK)


def require_writable(study: Study) -> None:
    """Refuse to begin where the result could not be stored.

    Raises:
        StudyError: the folder cannot be written.
    """
    if not is_writable(study):
        raise StudyError(f"{study.path.name} cannot be written; change its permissions or copy it")
