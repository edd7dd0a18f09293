"""What this machine's user has told the program before, such as folders of images: texts by key, in the data folder."""

import logging
from pathlib import Path
from typing import Any

from filelock import FileLock

from legr.files import write_json
from legr.paths import data_folder
from legr.schema import MEGABYTE, SchemaError, parse, read_bytes

__all__ = ["read_registry", "remember"]

logger = logging.getLogger(__name__)

LOCK_TIMEOUT_SECONDS = 10.0
LARGEST = 16 * MEGABYTE


def remember(registry: str, key: str, value: str) -> None:
    """Note `value` under `key`; a failure to write is only logged.

    Args:
        registry: name of the file, without ending.
    """
    path = _path(registry)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_TIMEOUT_SECONDS):
            entries = read_registry(registry) | {key: value}
            write_json(path, entries)
    except OSError as error:  # a lock that never comes free is one too
        logger.warning("%s cannot be remembered in %s (%s)", value, path, error)


def read_registry(registry: str) -> dict[str, str]:
    """Return everything that was noted; a registry that is missing or damaged counts as empty."""
    path = _path(registry)
    try:
        content = parse(read_bytes(path, LARGEST), dict[str, Any])
    except FileNotFoundError:
        return {}
    except (OSError, SchemaError) as error:
        logger.warning("the registry %s cannot be read (%s) and counts as empty", path, error)
        return {}
    return {key: value for key, value in content.items() if isinstance(value, str)}


def _path(registry: str) -> Path:
    return data_folder() / f"{registry}.json"
