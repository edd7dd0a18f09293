"""Where this machine keeps data and caches, and how a file is replaced whole or not at all.

It does not know what the files hold.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

__all__ = ["cache_folder", "data_folder", "replacing", "temporary_beside"]


def data_folder() -> Path:
    """Return the folder of what must last: `LEGR_DATA`, or the platform's user data folder."""
    chosen = os.environ.get("LEGR_DATA")
    return Path(chosen) if chosen else user_data_path("legr", appauthor=False)


def cache_folder() -> Path:
    """Return the folder of what can be built again: `LEGR_CACHE`, or the platform's user cache folder."""
    chosen = os.environ.get("LEGR_CACHE")
    return Path(chosen) if chosen else user_cache_path("legr", appauthor=False)


def temporary_beside(path: Path) -> Path:
    """Return a name beside `path` (same file system, so a rename is atomic) that nobody else uses."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write; on success it becomes `path`, on an error it is deleted.

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
