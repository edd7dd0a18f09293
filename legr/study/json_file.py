"""Read one JSON file of a study; whatever is wrong with it becomes one sentence. Imported without torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from legr.errors import LegrError, StudyError
from legr.files import read_json

FORMAT = 1
_REMEDY = "restore the file or remove it and run the step again"
T = TypeVar("T")


def read_record(path: Path, build: Callable[[dict[str, Any]], T], remedy: str = _REMEDY) -> T:
    """Read a file of a study and build a record from its data.

    Args:
        remedy: what to do where it is damaged.

    Raises:
        StudyError: it is missing, damaged, or written by a newer version.
    """
    try:
        data = read_json(path)
        if data.get("format", FORMAT) <= FORMAT:
            return build(data)
    except FileNotFoundError as error:
        raise StudyError(
            f"{path.name} is missing from the study {path.parent.name}; restore it or make the study again"
        ) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, LegrError) as error:
        raise StudyError(f"{path.parent.name}/{path.name} cannot be read ({error}); {remedy}") from error
    raise StudyError(
        f"{path.parent.name}/{path.name} was written by a newer version (format {data['format']}, "
        f"this one reads {FORMAT}); update the program"
    )
