"""Which folder of this machine holds which data set: a registry by fingerprint.

A study stores the name and the fingerprint of its data set; this file says where its images are on this machine.
"""

import logging
from pathlib import Path

from legr.data.cifar import CIFARS, Cifar, cifar_is_here
from legr.data.digits import DIGITS_FINGERPRINT
from legr.registry import read_registry, remember

__all__ = ["downloadable", "find_source", "remember_folder"]

logger = logging.getLogger(__name__)

_REGISTRY = "folders"


def remember_folder(fingerprint: str, folder: str | Path) -> None:
    """Note that `folder` holds the data set with this fingerprint; a failure to write is only logged."""
    remember(_REGISTRY, fingerprint, str(Path(folder).expanduser().resolve()))


def downloadable(name: str, fingerprint: str) -> Cifar | None:
    """Return the data set that a download would bring, where it is the one with this fingerprint."""
    cifar = CIFARS.get(name)
    return cifar if cifar is not None and cifar.fingerprint == fingerprint else None


def find_source(name: str, fingerprint: str) -> str | None:
    """Return what to give `load_dataset` for the data set with this fingerprint, or None.

    Args:
        name: the data set's name, for the log.
        fingerprint: its `Dataset.fingerprint`.

    Returns:
        "digits", or a CIFAR's name where it is on this machine, or the remembered folder where it still exists.
        What the folder holds now is not checked: compare the fingerprint of what was loaded.
    """
    if fingerprint == DIGITS_FINGERPRINT:
        return "digits"
    cifar = next((cifar for cifar in CIFARS.values() if cifar.fingerprint == fingerprint), None)
    if cifar is not None and cifar_is_here(cifar):
        return cifar.name
    folder = read_registry(_REGISTRY).get(fingerprint)
    if folder is None or not Path(folder).is_dir():
        logger.debug("no folder of this machine is known to hold the images %r", name)
        return None
    return folder
