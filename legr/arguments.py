"""How the options of a command are written down: by a job that starts one, by a record that tells what made it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from legr.errors import SettingsError


def option_of(name: str) -> str:
    """The option of a parameter: --weight-mb of weight_mb."""
    return "--" + name.replace("_", "-")


def arguments_of(options: Mapping[str, Any], flags: Sequence[str] = ()) -> list[str]:
    """Options with their values, those without a value (None) left out, then `flags` as they are."""
    given = [part for name, value in options.items() if value is not None for part in (option_of(name), str(value))]
    return [*given, *flags]


def repeated(option: str, values: Iterable[str]) -> list[str]:
    """An option that is given once for each of its values."""
    return [part for value in values for part in (option, value)]


def numbers_of(given: Sequence[str] | None) -> dict[str, float] | None:
    """Settings by name, of texts such as "mutate=0.2"; None where none is given.

    Raises:
        SettingsError: a text is not of that form.
    """
    found: dict[str, float] = {}
    for text in given or ():
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise SettingsError(f"--option takes a name and a number, such as mutate=0.2, got {text!r}") from None
    return found or None
