"""A hash of the files that a data set is made of: the same for every copy, wherever it lies."""

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from legr.errors import DataError
from legr.files import write_json
from legr.paths import cache_folder
from legr.progress import Progress, Report, silent
from legr.schema import MEGABYTE, SchemaError, opened, parse, read_bytes

__all__ = ["fingerprint_files"]

logger = logging.getLogger(__name__)

Index = dict[str, tuple[int, int, str]]
"""File name -> modified (ns), size (bytes), sha256 (hex)."""
_LARGEST_INDEX = 1024 * MEGABYTE  # of a few million files


def fingerprint_files(folder: Path, names: Sequence[str], report: Report = silent) -> str:
    """Return the sha256 (hex) over name, size and content of the files, in order of name.

    A file whose size and time of change are those of last time is not read again.

    Args:
        folder: what the names are relative to; it does not count.
        names: relative paths with forward slashes.

    Raises:
        DataError: a file cannot be read.
    """
    index_path = cache_folder() / "hashes" / f"{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()}.json"
    earlier = _read_index(index_path)
    current: Index = {}
    digest = hashlib.sha256()
    for done, name in enumerate(sorted(names)):
        if done % 256 == 0:
            report(Progress("checking the files", done, len(names)))
        try:
            status = (folder / name).stat()
            stamp = status.st_mtime_ns, status.st_size
            entry = earlier.get(name)
            current[name] = entry if entry and entry[:2] == stamp else (*stamp, _hash_file(folder / name))
        except (OSError, SchemaError) as error:
            raise DataError(f"{folder / name} cannot be read ({error}): check the disk") from error
        digest.update(f"{name}\0{current[name][1]}\0{current[name][2]}\n".encode(errors="surrogateescape"))
    if current != earlier:
        _write_index(index_path, current)
    return digest.hexdigest()


def _hash_file(path: Path) -> str:
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_index(path: Path) -> Index:
    try:
        return parse(read_bytes(path, _LARGEST_INDEX), Index)
    except (OSError, SchemaError):
        return {}


def _write_index(path: Path, index: Index) -> None:
    try:
        write_json(path, index, indent=None)
    except OSError as error:
        logger.warning("file hashes cannot be cached in %s (%s); they are computed again", path, error)
