"""The two data sets that go by name: scikit-learn's digits, and CIFAR-10 by way of torchvision.

It does not know folders of the user's own, nor how the training images are split.
"""

import logging
import tempfile
import urllib.request
from functools import partial
from http.client import HTTPException
from pathlib import Path

import numpy as np

from legr.data.array_cache import ImageArrays, cached_arrays, read_arrays, shape_name, write_arrays
from legr.data.decode import resize_arrays
from legr.data.encoded import ImageShape, Progress
from legr.data.shuffle import permutation
from legr.errors import DataError
from legr.machine import cache_folder, data_folder

__all__ = [
    "CIFAR10_FINGERPRINT",
    "DIGITS_FINGERPRINT",
    "cifar10_arrays",
    "cifar10_is_here",
    "digits_arrays",
    "download_cifar10",
]

logger = logging.getLogger(__name__)

# Constants are enough: scikit-learn ships the digits, and torchvision checks CIFAR-10's md5.
DIGITS_FINGERPRINT = "digits-1"
CIFAR10_FINGERPRINT = "cifar10-1"
ARCHIVE, UNPACKED = "cifar-10-python.tar.gz", "cifar-10-batches-py"  # torchvision's names
DIGITS_TEST_FRACTION = 0.2
DIGITS_TEST_SEED = 0  # fixed, so that no choice of held-out images lets a test image into training
DOWNLOAD_TIMEOUT_SECONDS = 30
DOWNLOAD_CHUNK_BYTES = 2**20


def digits_arrays(shape: ImageShape) -> ImageArrays:
    """Return scikit-learn's 1,797 handwritten digits, 1,438 for training, resized from 8 x 8 grey pixels."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    digits = load_digits()
    grey = np.round(digits.images * (255 / 16)).astype(np.uint8)  # (N, 8, 8), stored as 0..16
    images = resize_arrays(np.repeat(grey[:, None], 3, axis=1), shape)
    labels = digits.target.astype(np.int64)
    shuffled = permutation(len(labels), DIGITS_TEST_SEED)
    n_test = round(DIGITS_TEST_FRACTION * len(labels))
    test, train = shuffled[:n_test], shuffled[n_test:]
    return ImageArrays(images[train], labels[train], images[test], labels[test])


def cifar10_arrays(shape: ImageShape, progress: Progress | None = None) -> ImageArrays:
    """Return CIFAR-10 from this machine's data folder, resized from 32 x 32 pixels.

    torchvision's own files are read (after its md5 checks) the first time only; then .npy files are.

    Raises:
        DataError: it is not on this machine, or damaged.
    """
    folder = data_folder() / "cifar10"
    arrays = read_arrays(folder / "arrays")
    if arrays is None:
        if not cifar10_is_here():
            raise DataError(
                "CIFAR-10 is not on this machine: python -m legr new … --data cifar10 downloads it (170 MB), "
                "or name a folder that holds it"
            )
        arrays = cached_arrays(folder / "arrays", partial(_read_torchvision, folder), progress)
    if arrays.train_images.shape[1:] == shape:
        return arrays
    small = arrays
    return cached_arrays(
        cache_folder() / "images" / f"{CIFAR10_FINGERPRINT}-{shape_name(shape)}",
        lambda: _resized(small, shape),
        progress,
    )


def cifar10_is_here() -> bool:
    """Return whether CIFAR-10 lies in this machine's data folder, converted or as torchvision keeps it."""
    folder = data_folder() / "cifar10"
    return any((folder / name).exists() for name in ("arrays", UNPACKED, ARCHIVE))


def download_cifar10(progress: Progress | None = None) -> None:
    """Download CIFAR-10 (170 MB) into this machine's data folder, unless it is there.

    Args:
        progress: called with ("downloading CIFAR-10", bytes done, bytes in all).

    Raises:
        DataError: the download failed or was damaged, or the data folder cannot be written.
    """
    from torchvision.datasets import CIFAR10  # type: ignore[import-untyped]
    from torchvision.datasets.utils import check_integrity  # type: ignore[import-untyped]

    folder = data_folder() / "cifar10"
    if read_arrays(folder / "arrays") is not None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
            archive = Path(temporary) / ARCHIVE
            _fetch(CIFAR10.url, archive, progress)
            if not check_integrity(archive, CIFAR10.tgz_md5):
                raise DataError(f"{CIFAR10.url} came damaged (its md5 differs): download it again")
            write_arrays(folder / "arrays", _read_torchvision(Path(temporary)))
    except (OSError, HTTPException) as error:
        raise DataError(
            f"CIFAR-10 could not be downloaded from {CIFAR10.url} to {folder} ({error}): check the "
            "connection and the disk, or name a folder that holds it"
        ) from error
    logger.info("CIFAR-10 is in %s", folder)


def _fetch(url: str, path: Path, progress: Progress | None) -> None:
    with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_SECONDS) as response, path.open("wb") as file:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(DOWNLOAD_CHUNK_BYTES):
            file.write(chunk)
            if progress is not None:
                progress("downloading CIFAR-10", file.tell(), total)


def _read_torchvision(folder: Path) -> ImageArrays:
    """Return the images of torchvision's archive or unpacked files; both are pickles, so md5 goes first."""
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity, extract_archive

    archive = folder / ARCHIVE
    if not (folder / UNPACKED).is_dir() and check_integrity(archive, CIFAR10.tgz_md5):
        extract_archive(archive, folder)
    try:
        parts = [CIFAR10(folder, train=train, download=False) for train in (True, False)]
    except RuntimeError as error:  # what torchvision raises when a file is missing or its md5 differs
        raise DataError(
            f"the CIFAR-10 files in {folder} are incomplete or damaged: delete them and download again"
        ) from error
    images = [np.ascontiguousarray(part.data.transpose(0, 3, 1, 2)) for part in parts]  # from (N, H, W, 3)
    labels = [np.asarray(part.targets, dtype=np.int64) for part in parts]
    return ImageArrays(images[0], labels[0], images[1], labels[1])


def _resized(arrays: ImageArrays, shape: ImageShape) -> ImageArrays:
    return ImageArrays(
        resize_arrays(arrays.train_images, shape),
        arrays.train_labels,
        resize_arrays(arrays.test_images, shape),
        arrays.test_labels,
    )
