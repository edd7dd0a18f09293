"""CIFAR-10 and CIFAR-100: from torchvision's files, a download, or a folder that `load.py` has recognised.

Images are put in order of content, whatever files they came in, so that every machine holds out the same images.
"""

import hashlib
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from legr.data.array_cache import ImageArrays, cached_arrays, shape_name
from legr.data.class_names import CIFAR10_CLASSES, CIFAR100_CLASSES
from legr.data.decode import resize_arrays
from legr.data.encoded import ImageShape
from legr.errors import DataError
from legr.paths import cache_folder, data_folder
from legr.progress import Progress, Report, silent

__all__ = ["CIFARS", "SHAPE", "Cifar", "by_content", "cifar_arrays", "cifar_is_here", "download_cifar"]

SHAPE: ImageShape = (3, 32, 32)
"""In which both data sets were published."""

ARRAYS = "by-content"  # what this module writes; the other files are torchvision's
DOWNLOAD_TIMEOUT_SECONDS = 30
DOWNLOAD_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Cifar:
    """One of the two data sets.

    Attributes:
        archive: torchvision's name of what is downloaded; `unpacked`, that of the folder in it.
        content: the digest of `by_content`, where it is known; a folder is recognised by it.
    """

    name: str
    title: str
    fingerprint: str  # a constant is enough: torchvision's files have an md5, a folder's images `content`
    classes: tuple[str, ...]
    archive: str
    unpacked: str
    content: str | None = None
    n_train: int = 50_000
    n_test: int = 10_000


CIFARS = {
    cifar.name: cifar
    for cifar in (
        Cifar(
            name="cifar10",
            title="CIFAR-10",
            fingerprint="cifar10-2",
            classes=CIFAR10_CLASSES,
            archive="cifar-10-python.tar.gz",
            unpacked="cifar-10-batches-py",
            content="f9be3970f4f56504ee7d4773e8a74e8e61c89d3f8b9548eecf73794328570425",
        ),
        Cifar(
            name="cifar100",
            title="CIFAR-100",
            fingerprint="cifar100-1",
            classes=CIFAR100_CLASSES,
            archive="cifar-100-python.tar.gz",
            unpacked="cifar-100-python",
        ),
    )
}


def cifar_arrays(
    cifar: Cifar,
    shape: ImageShape,
    report: Report = silent,
    *,
    otherwise: Callable[[], ImageArrays] | None = None,
) -> ImageArrays:
    """Return the images from this machine's data folder, resized from 32 x 32 pixels.

    Only the first call is slow: it stores the images there as .npy files.

    Args:
        otherwise: returns the images, by content, where they are not stored yet; None reads torchvision's own files
            (after its md5 checks).

    Raises:
        DataError: they are not on this machine, or damaged.
    """
    folder = _folder(cifar)
    if otherwise is None and not cifar_is_here(cifar):
        raise DataError(
            f"{cifar.title} is not on this machine: python -m legr new … --data {cifar.name} downloads it (170 MB), "
            "or name a folder that holds it"
        )
    stored = cached_arrays(folder / ARRAYS, otherwise or partial(_read_torchvision, cifar, folder), report)
    if shape == SHAPE:
        return stored
    cache = cache_folder() / "images" / f"{cifar.fingerprint}-{shape_name(shape)}"
    return cached_arrays(cache, partial(_resized, stored, shape), report)


def cifar_is_here(cifar: Cifar) -> bool:
    """Whether the data set lies in this machine's data folder, converted or as torchvision keeps it."""
    return any((_folder(cifar) / name).exists() for name in (ARRAYS, cifar.unpacked, cifar.archive))


def download_cifar(cifar: Cifar, report: Report = silent) -> ImageArrays:
    """Download the data set (170 MB) and return its images by content; torchvision's files are used where they are.

    Args:
        report: told of "downloading CIFAR-10", bytes done and bytes in all.

    Raises:
        DataError: the download failed or was damaged, or the data folder cannot be written.
    """
    from torchvision.datasets.utils import check_integrity

    folder, source = _folder(cifar), _torchvision_class(cifar)
    try:
        with suppress(DataError):  # there are none, or none that are whole
            return _read_torchvision(cifar, folder)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
            archive = Path(temporary) / cifar.archive
            _fetch(source.url, archive, f"downloading {cifar.title}", report)
            if not check_integrity(archive, source.tgz_md5):
                raise DataError(f"{source.url} came damaged (its md5 differs): download it again")
            return _read_torchvision(cifar, Path(temporary))
    except (OSError, HTTPException) as error:
        raise DataError(
            f"{cifar.title} could not be downloaded from {source.url} to {folder} ({error}): check the "
            "connection and the disk, or name a folder that holds it"
        ) from error


def by_content(arrays: ImageArrays) -> tuple[ImageArrays, str]:
    """Return the images in order of their content, and a digest (hex) of all of it that no order changes."""
    train, train_keys = _order(arrays.train_images, arrays.train_labels)
    test, test_keys = _order(arrays.test_images, arrays.test_labels)
    ordered = ImageArrays(
        arrays.train_images[train], arrays.train_labels[train], arrays.test_images[test], arrays.test_labels[test]
    )
    return ordered, hashlib.sha256(train_keys + test_keys).hexdigest()


def _order(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[list[int], bytes]:
    """Return the rows in order of a key of image and label, and all keys in that order."""
    pairs = zip(images, labels, strict=True)
    keys = [hashlib.sha256(image.tobytes()).digest() + int(label).to_bytes(2, "big") for image, label in pairs]
    rows = sorted(range(len(keys)), key=keys.__getitem__)
    return rows, b"".join(keys[row] for row in rows)


def _folder(cifar: Cifar) -> Path:
    return data_folder() / cifar.name


def _torchvision_class(cifar: Cifar) -> Any:
    from torchvision.datasets import CIFAR10, CIFAR100

    return {"cifar10": CIFAR10, "cifar100": CIFAR100}[cifar.name]


def _fetch(url: str, path: Path, stage: str, report: Report) -> None:
    with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_SECONDS) as response, path.open("wb") as file:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(DOWNLOAD_CHUNK_BYTES):
            file.write(chunk)
            report(Progress(stage, file.tell(), total))


def _read_torchvision(cifar: Cifar, folder: Path) -> ImageArrays:
    """Return the images of torchvision's archive or unpacked files; both are pickles, so md5 goes first."""
    from torchvision.datasets.utils import check_integrity, extract_archive

    source = _torchvision_class(cifar)
    archive = folder / cifar.archive
    if not (folder / cifar.unpacked).is_dir() and check_integrity(archive, source.tgz_md5):
        extract_archive(archive, folder)
    try:
        parts = [source(folder, train=train, download=False) for train in (True, False)]
    except RuntimeError as error:  # what torchvision raises when a file is missing or its md5 differs
        raise DataError(
            f"the {cifar.title} files in {folder} are incomplete or damaged: delete them and download again"
        ) from error
    images = [np.ascontiguousarray(part.data.transpose(0, 3, 1, 2)) for part in parts]  # from uint8[N, H, W, C]
    labels: list[NDArray[np.int64]] = [np.asarray(part.targets, dtype=np.int64) for part in parts]
    return by_content(ImageArrays(images[0], labels[0], images[1], labels[1]))[0]


def _resized(arrays: ImageArrays, shape: ImageShape) -> ImageArrays:
    return ImageArrays(
        resize_arrays(arrays.train_images, shape),
        arrays.train_labels,
        resize_arrays(arrays.test_images, shape),
        arrays.test_labels,
    )
