"""The configuration file of this machine, `legr.toml`: models of the user's own, by a short name.

    [models.my_net]
    factory = "robot.nets:build"        # imported from the folder of this file
    input = "1x1x96x160"                # optional
    weights = "my_net.safetensors"      # optional, beside this file

Factories are not imported here, and this file loads without torch.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legr.data.encoded import ImageShape
from legr.errors import SettingsError
from legr.models.input_shape import image_shape
from legr.schema import MEGABYTE, read_bytes

__all__ = ["NamedModel", "named_models", "settings_path", "with_settings"]

NAME = "legr.toml"
LARGEST = MEGABYTE
_KEYS = ("factory", "input", "weights")


@dataclass(frozen=True, slots=True)
class NamedModel:
    """One model that the file names."""

    factory: str
    folder: Path  # what the factory is imported from
    input_shape: ImageShape | None
    weights: Path | None


def settings_path() -> Path | None:
    """Where the file is: `LEGR_CONFIG`, or `legr.toml` in the current folder; None where there is none."""
    chosen = os.environ.get("LEGR_CONFIG")
    path = Path(os.path.realpath(chosen or NAME))  # which takes a circle of links
    return path if chosen or path.is_file() else None


def with_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that runs elsewhere and must find the same file."""
    path = settings_path()
    return {**environment, **({"LEGR_CONFIG": str(path)} if path else {})}


def named_models() -> Mapping[str, NamedModel]:
    """Every model that the file names, by name.

    Raises:
        SettingsError: the file is missing where `LEGR_CONFIG` says it is, or holds something else.
    """
    path = settings_path()
    if path is None:
        return {}
    try:
        content = tomllib.loads(read_bytes(path, LARGEST).decode())
    except RecursionError:
        raise SettingsError(f"{path.name} is no TOML file (it is nested too deeply); correct it") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); correct LEGR_CONFIG or unset it") from error
    except ValueError as error:
        raise SettingsError(f"{path.name} is no TOML file ({error}); correct it") from error
    models = content.get("models", {})
    if content.keys() - {"models"} or not isinstance(models, dict):
        raise SettingsError(f"{path.name} may hold tables [models.NAME] only, got {', '.join(content)}; correct it")
    return {name: _model(path, name, entry) for name, entry in models.items()}


def _model(path: Path, name: str, entry: Any) -> NamedModel:
    place = f"[models.{name}] of {path.name}"
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise SettingsError(f"{place} must be a table of texts ({', '.join(_KEYS)}); correct it")
    unknown = sorted(entry.keys() - set(_KEYS))
    if unknown or "factory" not in entry:
        problem = f"has the unknown key {unknown[0]}" if unknown else "lacks its factory"
        raise SettingsError(f"{place} {problem}; it takes factory, and if need be input and weights")
    try:
        shape = image_shape(entry["input"]) if "input" in entry else None
    except SettingsError as error:
        raise SettingsError(f"{place}: {error}") from error
    weights = path.parent / entry["weights"] if "weights" in entry else None
    return NamedModel(entry["factory"], path.parent, shape, weights)
