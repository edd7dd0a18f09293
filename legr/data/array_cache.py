"""Decoded images cached as .npy files, built once under a lock and read back without unpickling anything.

The caller brings the function that builds them. Shapes: N images, C channels, H, W pixels.
"""

import logging
import shutil
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from legr.data.encoded import ImageShape
from legr.errors import DataError
from legr.files import creating_folder
from legr.outside import require_plain_file
from legr.progress import Progress, Report, silent

__all__ = ["ImageArrays", "cached_arrays", "check_memory", "read_arrays", "shape_name", "write_arrays"]

logger = logging.getLogger(__name__)

LOCK_POLL_SECONDS = 1.0
NOT_CACHED = "decoded images cannot be cached in %s (%s); they stay in memory"


class ImageArrays(NamedTuple):
    """Training and test images, uint8[N, C, H, W], with their labels, int64[N]."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]


def check_memory(name: str, n_images: int, shape: ImageShape) -> None:
    """Refuse images that would not fit: decoded they may take half of the free memory.

    Raises:
        DataError: they would take more.
    """
    needed, free = n_images * prod(shape), psutil.virtual_memory().available
    if needed > free / 2:
        raise DataError(
            f"{name} would take {needed / 2**30:.1f} GiB of memory ({n_images:,} images of {shape[1]} x {shape[2]}), "
            f"over half of the {free / 2**30:.1f} GiB that are free: choose smaller or fewer images"
        )


def shape_name(shape: ImageShape) -> str:
    """Name a shape in a cache's folder: colour squares by their side, others in full."""
    channels, height, width = shape
    return str(height) if channels == 3 and height == width else "x".join(map(str, shape))


def cached_arrays(folder: Path, build: Callable[[], ImageArrays], report: Report = silent) -> ImageArrays:
    """Return the arrays in `folder`, after building and writing them where they are not there yet.

    Several processes may ask at once: one builds, the others wait. Where the folder cannot be written the
    arrays are built all the same and kept in memory, with a warning in the log.
    """
    arrays = read_arrays(folder)
    if arrays is not None:
        return arrays
    lock = _locked(folder, report)
    if lock is None:
        return build()
    try:
        arrays = read_arrays(folder)  # another process may have built them meanwhile
        return arrays if arrays is not None else _build_and_write(folder, build)
    finally:
        lock.release()


def read_arrays(folder: Path) -> ImageArrays | None:
    """Return the arrays in `folder`, mapped read-only, or None where they are missing or damaged."""
    if not folder.is_dir():
        return None
    try:
        paths = [folder / f"{field}.npy" for field in ImageArrays._fields]
        for path in paths:
            require_plain_file(path)
        arrays = ImageArrays(*(np.load(path, mmap_mode="r", allow_pickle=False) for path in paths))
    except Exception as error:  # numpy reads the header as Python, which fails in many ways
        logger.warning("the decoded images in %s are damaged (%s); they are built again", folder, error)
        return None
    for images, labels in (arrays[:2], arrays[2:]):
        types = images.dtype == np.uint8 and labels.dtype == np.int64
        if not types or images.ndim != 4 or labels.shape != images.shape[:1]:
            logger.warning(
                "the decoded images in %s have wrong types or shapes; they are built again",
                folder,
            )
            return None
    return arrays


def write_arrays(folder: Path, arrays: ImageArrays) -> None:
    """Write the arrays to `folder`, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    with creating_folder(folder) as unfinished:
        for field, array in arrays._asdict().items():
            np.save(unfinished / f"{field}.npy", array, allow_pickle=False)
        shutil.rmtree(folder, ignore_errors=True)


def _build_and_write(folder: Path, build: Callable[[], ImageArrays]) -> ImageArrays:
    arrays = build()
    try:
        write_arrays(folder, arrays)
    except OSError as error:
        logger.warning(NOT_CACHED, folder, error)
    return arrays


def _locked(folder: Path, report: Report) -> FileLock | None:
    """Return the lock beside `folder`, acquired, or None (and a warning) where no file can be written."""
    lock = FileLock(folder.with_name(folder.name + ".lock"))
    while True:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=LOCK_POLL_SECONDS)
            return lock
        except Timeout:
            pass
        except OSError as error:
            logger.warning(NOT_CACHED, folder, error)
            return None
        report(Progress("waiting for another process to decode the images", 0, 1))  # may raise, to stop the wait
