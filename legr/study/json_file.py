"""Read one JSON file of a study; whatever is wrong with it becomes one sentence. Imported without torch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field

from legr.errors import LegrError, StudyError
from legr.held import shown
from legr.record import Record
from legr.schema import MEGABYTE, SchemaError, parse, parse_items, read_bytes

FORMAT = 1
LARGEST = 16 * MEGABYTE
REMEDY = "restore the file or remove it and run the step again"
T = TypeVar("T")


class DamagedFileError(StudyError):
    """A file of a study cannot be read; a newer version's is none of these."""


@dataclass(frozen=True)
class _Head(Record):
    """What every version of a file has."""

    format: Annotated[int, Field(ge=0)] = FORMAT


def read_record(path: Path, schema: type[T], *, largest: int = LARGEST, remedy: str = REMEDY) -> T:
    """Read a file of a study.

    Args:
        schema: of its data; a `Record` or a mapping.
        largest: bytes that it may have.
        remedy: what to do where it is damaged.

    Raises:
        StudyError: it is missing, damaged, or written by a newer version.
    """
    return _read(path, lambda content: parse(content, schema), largest, remedy)


def read_items(path: Path, schema: type[T], field: str) -> tuple[T, list[str]]:
    """Read a file whose list `field` may hold damaged items: they are left out, with a sentence for each.

    Raises:
        StudyError: as `read_record`.
    """
    found, damaged = _read(path, lambda content: parse_items(content, schema, field), LARGEST, REMEDY)
    return found, [f"{_name(path)}: {sentence}" for sentence in damaged]


def damaged_file(path: Path, why: object, remedy: str) -> DamagedFileError:
    """The error of a file that cannot be read."""
    return DamagedFileError(f"{_name(path)} cannot be read ({why}); {remedy}")


@contextmanager
def file_errors(path: Path, remedy: str) -> Iterator[None]:
    """Whatever is wrong with a file that is read here becomes one sentence that names it.

    Raises:
        StudyError: something is.
    """
    try:
        yield
    except StudyError:
        raise
    except FileNotFoundError as error:
        path = Path(shown(str(path)))
        raise StudyError(
            f"{path.name} is missing from the study {path.parent.name}; restore it or make the study again"
        ) from error
    except (OSError, SchemaError, LegrError) as error:
        raise damaged_file(path, (error.strerror or error) if isinstance(error, OSError) else error, remedy) from error


def _read(path: Path, read: Callable[[bytes], T], largest: int, remedy: str) -> T:
    with file_errors(path, remedy):
        content = read_bytes(path, largest)
        written = parse(content, _Head).format
        if written > FORMAT:
            raise StudyError(
                f"{_name(path)} was written by a newer version (format {written}, this one reads {FORMAT}); "
                "update the program"
            )
        return read(content)


def _name(path: Path) -> str:
    path = Path(shown(str(path)))
    return f"{path.parent.name}/{path.name}"
