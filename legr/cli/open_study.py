"""Open, make or refuse the study that a command names.

It does not know what the command does with it.
"""

import os
from pathlib import Path

from legr.cli import terminal
from legr.data.class_names import listed_names
from legr.errors import SettingsError, StudyError
from legr.study.catalog import studies_folder, writable
from legr.study.store import Study


def create_study(
    study: Path,
    model: str | None,
    weights: str | None,
    data: str | None,
    normalize: str | None,
    shape: str | None,
    classes: list[str] | None,
) -> Study:
    from legr.commands.create import create
    from legr.models.input_shape import image_shape
    from legr.models.zoo import choose_model

    spec, own_weights = choose_model(model) if model else (None, None)
    weights = weights or (str(own_weights) if own_weights else None)
    missing = [name for name, value in (("--model", model), ("--weights", weights), ("--data", data)) if value is None]
    if missing:
        raise SettingsError(
            f"there is no study at {study}; to make one, give {', '.join(missing)} (weights may be none)"
        )
    assert spec and weights and data
    file = None if weights == "none" else Path(weights)
    return create(
        study,
        spec,
        file,
        data,
        normalize,
        terminal.Echo(),
        input_shape=image_shape(shape) if shape else None,
        classes=classes,
    )


def create_pruned(study: Path, recipe: Path, data: str | None, normalize: str | None, shape: str | None) -> Study:
    """Make a study of an exported network."""
    from legr.commands.from_recipe import create_from_recipe
    from legr.models.input_shape import image_shape

    if data is None:
        raise SettingsError("give --data as well: the images that the pruned network is for")
    return create_from_recipe(
        study, recipe, data, normalize, terminal.Echo(), input_shape=image_shape(shape) if shape else None
    )


def require_same(
    study: Study,
    model: str | None,
    weights: str | None,
    data: str | None,
    normalize: str | None,
    shape: str | None,
    classes: list[str] | None,
) -> None:
    """Refuse what differs from the study; what is the same may be given again."""
    info = study.info
    if model is not None and model != info.model:
        from legr.models.zoo import choose_model

        if choose_model(model)[0].name != info.model:
            raise SettingsError(f"this study was made with --model {info.model}, got {model}; learn in a new study")
    if shape is not None:
        from legr.models.input_shape import image_shape

        if image_shape(shape) != info.input_shape:
            own = "x".join(map(str, (1, *info.input_shape)))
            raise SettingsError(f"this study was made with --input {own}, got {shape}; learn in a new study")
    if normalize is not None and normalize != info.normalization["kind"]:
        raise SettingsError(
            f"this study was made with --normalize {info.normalization['kind']}, got {normalize}; learn in a new study"
        )
    if classes is not None and set(listed_names(classes, info.all_classes or info.classes)) != set(info.classes):
        raise SettingsError(f"this study is about the classes {', '.join(info.classes)}; make a new study for others")
    if weights is not None:
        _require_same_weights(study, weights)
    if data is not None and data != info.data_name:
        from legr.data.folders import remember_folder
        from legr.data.load import load_dataset

        if load_dataset(data, info.input_shape, split_seed=info.split_seed).fingerprint != info.data_fingerprint:
            raise SettingsError(f"this study was made with other --data ({info.data_name}); learn in a new study")
        remember_folder(info.data_fingerprint, data)


def _require_same_weights(study: Study, weights: str) -> None:
    from legr.commands.network import given_weights

    info = study.info
    given = None if weights == "none" else given_weights(study, Path(weights))
    if (given is None and info.weights_origin != "none") or (given is not None and given != info.weights_sha256):
        raise SettingsError("this study was made with other --weights; learn in a new study")


def writable_study(path: Path) -> Study:
    opened = Study.open(path)
    study = writable(opened, studies_folder())
    if study is not opened:
        terminal.say(f"{opened.path.name} is a sample; working on the copy in {study.path}")
    if not os.access(study.path, os.W_OK):
        raise StudyError(f"{study.path.name} cannot be written; change its permissions or copy it")
    return study
