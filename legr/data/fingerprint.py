"""A hash of the files that a data set is made of: the same for every copy, wherever it lies."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from legr.errors import DataError
from legr.files import write_json
from legr.paths import cache_folder
from legr.progress import Progress, Report, silent

__all__ = ["fingerprint_files"]

logger = logging.getLogger(__name__)

Index = dict[str, list[int | str]]
"""File name -> [modified (ns), size (bytes), sha256 (hex)]."""


def fingerprint_files(folder: Path, names: Sequence[str], report: Report = silent) -> str:
    """Return the sha256 (hex) over name, size and content of the files, in order of name.

    A file whose size and time of change are those of last time is not read again.

    Args:
        folder: what the names are relative to; it does not count.
        names: relative paths with forward slashes.

    Raises:
        DataError: a file cannot be read.
    """
    index_path = cache_folder() / "hashes" / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()}.json"
    earlier = _read_index(index_path)
    current: Index = {}
    digest = hashlib.sha256()
    for done, name in enumerate(sorted(names)):
        if done % 256 == 0:
            report(Progress("checking the files", done, len(names)))
        try:
            status = (folder / name).stat()
            stamp: list[int | str] = [status.st_mtime_ns, status.st_size]
            entry = earlier.get(name, [])
            current[name] = entry if entry[:2] == stamp else [*stamp, _hash_file(folder / name)]
        except OSError as error:
            raise DataError(f"{folder / name} cannot be read ({error}): check the disk") from error
        digest.update(f"{name}\0{current[name][1]}\0{current[name][2]}\n".encode())
    if current != earlier:
        _write_index(index_path, current)
    return digest.hexdigest()


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_index(path: Path) -> Index:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    well_formed = isinstance(index, dict) and all(
        isinstance(entry, list) and [type(part) for part in entry] == [int, int, str] for entry in index.values()
    )
    return index if well_formed else {}


def _write_index(path: Path, index: Index) -> None:
    try:
        write_json(path, index, indent=None)
    except OSError as error:
        logger.warning("file hashes cannot be cached in %s (%s); they are computed again", path, error)
