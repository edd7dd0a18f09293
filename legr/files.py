"""The one way a file or a folder is written: made beside its place, flushed, then moved into it.

A crash, a `kill -9` or a full disk leaves what was there before. Libraries hand over bytes and never write by
themselves, so a disk that is full is always an `OSError`. What a killed process has left unfinished is removed
the next time that something is written in the same folder.
"""

import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows: unfinished files of killed processes stay there
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "creating_folder",
    "in_words",
    "read_json",
    "temporary_beside",
    "temporary_folder",
    "write_bytes",
    "write_json",
    "write_safetensors",
    "write_text",
]

_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{32}\.tmp")
_SETTLED_S = 1.0  # a younger temporary file may not be locked yet
_LENGTH_BYTES = 8  # of the header, at the start of a safetensors file


def write_bytes(path: Path, *parts: bytes | memoryview) -> None:
    """Write parts one after the other into a file; its folder is made where it is missing.

    Raises:
        OSError: the folder cannot be made or written, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path.parent)
    temporary = temporary_beside(path)
    try:
        with open(temporary, "xb") as file:
            _lock(file.fileno())
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the new name on an empty file
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text in UTF-8; raises OSError."""
    write_bytes(path, text.encode())


def write_json(path: Path, data: Any, *, indent: int | None = 1) -> None:
    """Write JSON; the same data gives the same bytes. Raises OSError."""
    write_text(path, json.dumps(data, indent=indent, allow_nan=False) + "\n")


def write_safetensors(path: Path, content: bytes) -> None:
    """Write a safetensors file; the same tensors and metadata give the same bytes.

    Args:
        content: what `safetensors.torch.save` or `safetensors.numpy.save` returns. Those put the metadata in random
            order; here the header is sorted. The tensors follow it, so their offsets stay right.

    Raises:
        OSError: the file cannot be written.
    """
    start = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    header = json.dumps(json.loads(content[_LENGTH_BYTES:start]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % _LENGTH_BYTES)  # tensors begin at a multiple of 8
    write_bytes(path, len(header).to_bytes(_LENGTH_BYTES, "little"), header, memoryview(content)[start:])


@contextmanager
def creating_folder(path: Path) -> Iterator[Path]:
    """Yield a folder to fill; on success it becomes `path`, on an error it is deleted.

    Raises:
        OSError: it cannot be made, or `path` is there by then and is not an empty folder.
    """
    with temporary_folder(path) as folder:
        yield folder
        for file in folder.rglob("*"):
            if file.is_file():
                _flush(file)
        folder.rename(path)


@contextmanager
def temporary_folder(beside: Path) -> Iterator[Path]:
    """Yield an empty folder on the file system of `beside`, which is deleted afterwards; raises OSError."""
    beside.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(beside.parent)
    folder = temporary_beside(beside)
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY) if fcntl else None
    try:
        if descriptor is not None:
            _lock(descriptor)
        yield folder
    finally:
        if descriptor is not None:
            os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def temporary_beside(path: Path) -> Path:
    """Return a name beside `path` (same file system, so a rename is atomic) that nobody else uses."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def read_json(path: Path) -> Any:
    """Read JSON; raises OSError or ValueError."""
    return json.loads(path.read_text(encoding="utf-8"))


def in_words(error: OSError) -> str:
    """One sentence about a file that cannot be read or written, and what to do."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):  # of a whole folder
        _, target, why = error.args[0][0]
        return f"{why}: {Path(target).name}; free some space or check permissions, and try again"
    name = _TEMPORARY.sub(r"\1", Path(str(error.filename)).name) if error.filename else ""
    place = f": {name}" if name else ""
    return f"{error.strerror or error}{place}; free some space or check permissions, and try again"


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary files and folders of processes that were killed: nobody holds their lock."""
    if fcntl is None:
        return
    for entry in folder.iterdir():
        if _TEMPORARY.fullmatch(entry.name):
            with suppress(OSError):  # another process is removing it
                _remove_if_abandoned(entry)


def _remove_if_abandoned(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a named pipe does not block it
    try:
        if time.time() - os.fstat(descriptor).st_mtime < _SETTLED_S:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError, an OSError, while it is written
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Hold a file until it is closed; the system lets go of it when the process ends, however it ends."""
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks has no abandoned files removed either
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def _flush(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
