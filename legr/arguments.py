"""How the options of a command are written down: by a job that starts one, by a record that tells what made it.

It does not know the commands.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def option_of(name: str) -> str:
    """The option of a parameter: --weight-mb of weight_mb."""
    return "--" + name.replace("_", "-")


def arguments_of(options: Mapping[str, Any], flags: Sequence[str] = ()) -> list[str]:
    """Options with their values, those without a value (None) left out, then `flags` as they are."""
    given = [part for name, value in options.items() if value is not None for part in (option_of(name), str(value))]
    return [*given, *flags]
