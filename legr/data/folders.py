"""Which folder of this machine holds which data set: a registry by fingerprint.

It does not know studies; they store a data set's name and fingerprint, and ask here where its images are.
"""

import json
import logging
from pathlib import Path

from filelock import FileLock

from legr.data.builtin_sets import CIFAR10_FINGERPRINT, DIGITS_FINGERPRINT, cifar10_is_here
from legr.files import replacing
from legr.machine import data_folder

__all__ = ["find_source", "remember_folder"]

logger = logging.getLogger(__name__)

LOCK_TIMEOUT_SECONDS = 10.0


def remember_folder(fingerprint: str, folder: str | Path) -> None:
    """Note that `folder` holds the data set with this fingerprint; a failure to write is only logged."""
    path = _registry_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_TIMEOUT_SECONDS):
            folders = _read_registry(path) | {fingerprint: str(Path(folder).expanduser().resolve())}
            with replacing(path) as temporary:
                temporary.write_text(json.dumps(folders, indent=1), encoding="utf-8")
    except OSError as error:  # a lock that never comes free is one too
        logger.warning("the folder %s cannot be remembered in %s (%s)", folder, path, error)


def find_source(name: str, fingerprint: str) -> str | None:
    """Return what to give `load_dataset` for the data set with this fingerprint, or None.

    Args:
        name: the data set's name, for the log.
        fingerprint: its `Dataset.fingerprint`.

    Returns:
        "digits", or "cifar10" where it is on this machine, or the remembered folder where it still exists.
        What the folder holds now is not checked: compare the fingerprint of what was loaded.
    """
    if fingerprint == DIGITS_FINGERPRINT:
        return "digits"
    if fingerprint == CIFAR10_FINGERPRINT:
        return "cifar10" if cifar10_is_here() else None
    folder = _read_registry(_registry_path()).get(fingerprint)
    if folder is None or not Path(folder).is_dir():
        logger.debug("no folder of this machine is known to hold the images %r", name)
        return None
    return folder


def _registry_path() -> Path:
    return data_folder() / "folders.json"


def _read_registry(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        logger.warning("the registry %s cannot be read (%s) and counts as empty", path, error)
        return {}
    if not isinstance(content, dict):
        logger.warning("the registry %s is no mapping and counts as empty", path)
        return {}
    return {key: value for key, value in content.items() if isinstance(value, str)}
