"""Load the images of a study from a name or a folder, split and ready for batches; `readers.py` knows file formats."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from legr.data.array_cache import ImageArrays, cached_arrays, check_memory, shape_name
from legr.data.batches import iterate
from legr.data.cifar import CIFARS, SHAPE, Cifar, by_content, cifar_arrays, download_cifar
from legr.data.class_names import DIGITS_CLASSES
from legr.data.decode import decode_split
from legr.data.digits import DIGITS_FINGERPRINT, digits_arrays
from legr.data.encoded import ImageFolder, ImageShape
from legr.data.fingerprint import fingerprint_files
from legr.data.folders import find_source, remember_folder
from legr.data.images import Dataset, Split
from legr.data.normalization import CHANNELS, IMAGENET_NORMALIZATION, Normalization
from legr.data.readers import open_folder
from legr.data.shuffle import SEEDS, permutation
from legr.errors import DataError, SettingsError
from legr.paths import cache_folder
from legr.progress import Report, silent
from legr.registry import read_registry, remember

__all__ = [
    "IMAGENET_NORMALIZATION",
    "Dataset",
    "Normalization",
    "Split",
    "find_source",
    "iterate",
    "load_dataset",
    "remember_folder",
]

MIN_SIZE = 8
HELDOUT_FRACTION = 0.1
HELDOUT_MAX = 5000
TEST_ORDER_SEED = 0
_RECOGNISED = "recognised"  # registry: fingerprint of a folder's files -> name of the data set, or _OTHER
_OTHER = "none that goes by name"


class Loaded(NamedTuple):
    """A data set before its training images are split."""

    name: str
    classes: tuple[str, ...]
    arrays: ImageArrays
    fingerprint: str
    flip: bool


def load_dataset(
    source: str,
    shape: ImageShape = (3, 32, 32),
    *,
    split_seed: int = 0,
    download: bool = False,
    report: Report = silent,
) -> Dataset:
    """Return the data set that `source` names, its images of one shape.

    Images are scaled until they cover the shape, and their centre is taken. Decoded images are
    cached on this machine, so that only the first call is slow.

    Args:
        source: "digits", "cifar10", "cifar100", or a folder of parquet files or of one folder a class
            (`readers.py`). A folder that holds CIFAR-10, in whatever order, is loaded as "cifar10".
        shape: channels (3 for colour, 1 for grey), height and width in pixels, at least 8 each.
        split_seed: decides which tenth of the training images (5,000 at most) is held out, and the order of
            the training images; the test images are the same for every seed.
        download: whether one of the CIFARs may be downloaded where it is missing.
        report: told what is going on; it may raise to stop the work.

    Raises:
        DataError: there are no such images, an image or a file is damaged, or they do not fit in memory.
        SettingsError: the shape or the seed is out of range.
    """
    if shape[0] not in CHANNELS:
        raise SettingsError(f"images have 3 channels (colour) or 1 (grey), got an input of {shape[0]}")
    if min(shape[1:]) < MIN_SIZE:
        raise SettingsError(f"images must be at least {MIN_SIZE} pixels high and wide, got {shape[1]} x {shape[2]}")
    if not 0 <= split_seed < SEEDS:
        raise SettingsError(f"split_seed must be in [0, {SEEDS}), got {split_seed}")
    if download and source in CIFARS:
        cifar = CIFARS[source]
        loaded = _load_cifar(cifar, shape, report, otherwise=partial(download_cifar, cifar, report))
    else:
        loaded = BUILTIN.get(source, partial(_load_folder, source))(shape, report)
    return _split(loaded, split_seed)


def _load_digits(shape: ImageShape, _: Report) -> Loaded:
    check_memory("digits", 1_797, shape)
    return Loaded("digits", DIGITS_CLASSES, digits_arrays(shape), DIGITS_FINGERPRINT, flip=False)


def _load_cifar(
    cifar: Cifar,
    shape: ImageShape,
    report: Report,
    otherwise: Callable[[], ImageArrays] | None = None,
) -> Loaded:
    check_memory(cifar.name, cifar.n_train + cifar.n_test, shape)
    arrays = cifar_arrays(cifar, shape, report, otherwise=otherwise)
    return Loaded(cifar.name, cifar.classes, arrays, cifar.fingerprint, flip=True)


BUILTIN: dict[str, Callable[[ImageShape, Report], Loaded]] = {
    "digits": _load_digits,
    **{name: partial(_load_cifar, cifar) for name, cifar in CIFARS.items()},
}


def _load_folder(source: str, shape: ImageShape, report: Report) -> Loaded:
    folder = Path(os.path.expanduser(source))
    if not folder.is_dir():
        state = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"images must be {', '.join(BUILTIN)} or a folder, and {source!r} {state}: check the path")
    folder = folder.resolve()
    images = open_folder(folder)
    name = folder.parent.name if folder.name == "data" else folder.name
    _require_unicode(str(folder), *images.classes)
    check_memory(name, len(images.train.labels) + len(images.test.labels), shape)
    fingerprint = fingerprint_files(images.root, images.files, report)
    cifar = _load_as_cifar(fingerprint, images, shape, report)
    if cifar is not None:
        return cifar
    cache = cache_folder() / "images" / f"{fingerprint}-{shape_name(shape)}"
    arrays = cached_arrays(cache, partial(_decode, images, shape, report), report)
    return Loaded(name, images.classes, arrays, fingerprint, flip=True)


def _require_unicode(*names: str) -> None:
    """Refuse names of folders that a study would keep and that are no UTF-8, as old archives unpack them."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise DataError(f"folders of images must have names in UTF-8, got {name!a}; rename it") from None


def _load_as_cifar(fingerprint: str, images: ImageFolder, shape: ImageShape, report: Report) -> Loaded | None:
    """Load a folder that holds a CIFAR under the CIFAR's name, so that a study with it works on every machine.

    Classes and numbers of images tell which one it may be. The first time, its decoded content is compared; the
    registry remembers the outcome by the fingerprint of the folder's files.
    """
    cifar = _likely_cifar(images)
    outcome = read_registry(_RECOGNISED).get(fingerprint)
    if cifar is None or outcome == _OTHER:
        return None
    if outcome == cifar.name:
        return _load_cifar(cifar, shape, report, lambda: by_content(_decode(images, SHAPE, report))[0])
    ordered, content = by_content(_decode(images, SHAPE, report))
    same = content == cifar.content
    remember(_RECOGNISED, fingerprint, cifar.name if same else _OTHER)
    return _load_cifar(cifar, shape, report, lambda: ordered) if same else None


def _likely_cifar(images: ImageFolder) -> Cifar | None:
    """The CIFAR of known content that has the same classes and as many images."""
    facts = images.classes, len(images.train.labels), len(images.test.labels)
    alike = (cifar for cifar in CIFARS.values() if (cifar.classes, cifar.n_train, cifar.n_test) == facts)
    return next((cifar for cifar in alike if cifar.content), None)


def _decode(images: ImageFolder, shape: ImageShape, report: Report) -> ImageArrays:
    return ImageArrays(
        decode_split(images.train, shape, "decoding the training images", report),
        images.train.labels,
        decode_split(images.test, shape, "decoding the test images", report),
        images.test.labels,
    )


def _split(loaded: Loaded, split_seed: int) -> Dataset:
    arrays = loaded.arrays
    n_train = len(arrays.train_labels)
    if n_train < 2:
        raise DataError(f"{loaded.name} has {n_train} training image, at least 2 are needed: add some")
    n_heldout = min(HELDOUT_MAX, max(1, int(HELDOUT_FRACTION * n_train)))
    shuffled = permutation(n_train, split_seed)
    return Dataset(
        name=loaded.name,
        classes=loaded.classes,
        train=_take(arrays.train_images, arrays.train_labels, shuffled[n_heldout:]),
        heldout=_take(arrays.train_images, arrays.train_labels, shuffled[:n_heldout]),
        test=_take(arrays.test_images, arrays.test_labels, permutation(len(arrays.test_labels), TEST_ORDER_SEED)),
        fingerprint=loaded.fingerprint,
        flip=loaded.flip,
    )


def _take(images: NDArray[np.uint8], labels: NDArray[np.int64], rows: NDArray[np.int64]) -> Split:
    return Split(torch.from_numpy(images[rows]), torch.from_numpy(labels[rows]))
