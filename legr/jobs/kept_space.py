"""Space on the disk that is kept for a file's last version, so that it can be written on a full disk as well."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from legr.files import write_bytes

__all__ = ["give_up_space", "keep_space", "kept_long_since", "write_last"]

_LONG_S = 3600.0


def keep_space(path: Path, size: int) -> None:
    """Fill a file beside `path`, which `write_last` overwrites; raises OSError."""
    write_bytes(_kept(path), os.urandom(size))  # not zeros, which some file systems store as nothing


def write_last(path: Path, content: bytes) -> None:
    """Replace a file, in the space that was kept for it where there is some; raises OSError.

    The kept file is overwritten in place and takes the name of the other, which needs no space.
    """
    kept = _kept(path)
    try:
        with open(os.open(kept, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)), "wb") as file:
            if os.fstat(file.fileno()).st_size < len(content):
                raise OSError("more than was kept")
            file.write(content)
            file.flush()
            file.truncate()
            os.fsync(file.fileno())
        os.replace(kept, path)
    except OSError:  # nothing was kept, or too little, or the file system never overwrites in place
        give_up_space(path)
        write_bytes(path, content)


def give_up_space(path: Path) -> None:
    """Remove what was kept for a file, if anything was."""
    with suppress(OSError):
        _kept(path).unlink()


def kept_long_since(folder: Path) -> Iterator[Path]:
    """The files in a folder for which space has been kept for an hour or more; they need not be there."""
    for kept in folder.glob(".*.kept"):
        with suppress(OSError):  # it is in use no more
            if time.time() - kept.lstat().st_mtime > _LONG_S:
                yield kept.with_name(kept.name[1:].removesuffix(".kept"))


def _kept(path: Path) -> Path:
    return path.with_name(f".{path.name}.kept")
