"""Models of the user's own: `package.module:factory`, imported only after this machine's user has named it.

A study or a recipe from elsewhere must never make this program import code.
"""

import re
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from torch import nn

from legr.errors import SettingsError
from legr.models.spec import ModelSpec
from legr.registry import read_registry, remember

__all__ = ["adopt", "call_factory", "is_factory", "known_spec"]

_REGISTRY = "models"
_PATTERN = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_INPUT, _CLASSES = (3, 224, 224), 1000  # where neither the user nor the factory says otherwise


def is_factory(name: str) -> bool:
    """Whether the name of a model is that of a factory."""
    return ":" in name


def adopt(name: str, folder: Path) -> ModelSpec:
    """Import a factory that this machine's user has named, and remember that they did, and where.

    Call this for what a person has typed or written into this machine's configuration file, and for nothing else.

    Args:
        name: "package.module:factory".
        folder: what the package is imported from, before the rest of Python's path.

    Raises:
        SettingsError: it cannot be imported, or there is nothing to call.
    """
    spec = _spec(name, folder)
    remember(_REGISTRY, name, str(folder))
    return spec


def known_spec(name: str) -> ModelSpec:
    """Return the model of a factory that this machine's user has named before.

    Raises:
        SettingsError: they have not, or it cannot be imported any more.
    """
    folder = read_registry(_REGISTRY).get(_checked(name))
    if folder is None:
        raise SettingsError(
            f"{name!r} is code that was never named on this machine, so it is not run; if you trust it, name it once "
            f"in the folder that holds it: python -m legr inspect --model {name}"
        )
    return _spec(name, Path(folder))


def call_factory(factory: Callable[..., Any], num_classes: int, name: str = "the factory") -> nn.Module:
    """Call a factory, with `num_classes` where it takes that, and return its model.

    Raises:
        SettingsError: it fails, or returns something else than a module.
    """
    arguments = {"num_classes": num_classes} if "num_classes" in _parameters(factory) else {}
    try:
        model = factory(**arguments)
    except Exception as error:
        raise SettingsError(f"{name} fails ({type(error).__name__}: {error}); call it by itself to see why") from error
    if not isinstance(model, nn.Module):
        raise SettingsError(f"{name} must return a torch.nn.Module, got a {type(model).__name__}; return the model")
    return model


def _spec(name: str, folder: Path) -> ModelSpec:
    factory = _import(name, folder)
    parameter = _parameters(factory).get("num_classes")
    classes = parameter.default if parameter and isinstance(parameter.default, int) else _CLASSES
    return ModelSpec(name, partial(call_factory, factory, name=name), _INPUT, False, classes)


def _import(name: str, folder: Path) -> Callable[..., Any]:
    module_name, _, path = _checked(name).partition(":")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))  # it stays there: a factory may import more when it is called
    try:
        value: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise SettingsError(f"{module_name} cannot be imported ({error}); install what it needs") from error
        raise SettingsError(
            f"there is no module {error.name} in {folder} or where Python looks; go to the folder that holds it"
        ) from error
    except (Exception, SystemExit) as error:
        raise SettingsError(
            f"{module_name} cannot be imported ({type(error).__name__}: {error}); correct it"
        ) from error
    for attribute in path.split("."):
        if not hasattr(value, attribute):
            raise SettingsError(f"{module_name} has no {path}; name a function or class in it that returns a model")
        value = getattr(value, attribute)
    if isinstance(value, nn.Module) or not callable(value):
        raise SettingsError(f"{name} is a {type(value).__name__}; name a function or class that returns a model")
    factory: Callable[..., Any] = value
    return factory


def _checked(name: str) -> str:
    if not _PATTERN.fullmatch(name):
        raise SettingsError(f"a model of your own is named package.module:factory, got {name!r}")
    return name


def _parameters(factory: Callable[..., Any]) -> dict[str, Parameter]:
    try:
        return dict(signature(factory).parameters)
    except (TypeError, ValueError):  # written in C, without a signature
        return {}
