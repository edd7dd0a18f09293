"""Files that are never seen half-written: written beside their place, then moved into it."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["in_words", "read_json", "replacing", "temporary_beside", "write_json"]


def temporary_beside(path: Path) -> Path:
    """Return a name beside `path` (same file system, so a rename is atomic) that nobody else uses."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write; on success it becomes `path`, on an error it is deleted.

    A crash, a `kill -9` or a full disk leaves the old file as it was.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())  # else a power cut may leave the new name on an empty file
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, data: Any, *, indent: int | None = 1) -> None:
    """Write JSON atomically; the same data gives the same bytes."""
    text = json.dumps(data, indent=indent, allow_nan=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON; raises OSError or ValueError."""
    return json.loads(path.read_text(encoding="utf-8"))


def in_words(error: OSError) -> str:
    """One sentence about a file that cannot be read or written, and what to do."""
    place = f": {Path(str(error.filename)).name}" if error.filename else ""
    return f"{error.strerror or error}{place}; free some space or check permissions, and try again"
