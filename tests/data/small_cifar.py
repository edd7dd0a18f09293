"""A few random images packed as a CIFAR is published: the archive, parquet files, one folder a class.

It does not know the readers.
"""

import hashlib
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets  # type: ignore[import-untyped]

from legr.data.array_cache import ImageArrays
from legr.data.cifar import CIFARS
from tests.data.pictures import write_parquet

TORCHVISIONS = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}
FIVE_AND_ONE = tuple(f"data_batch_{number}" for number in range(1, 6)), "test_batch"
TRAIN_AND_TEST = ("train",), "test"


def random_images(name: str, n_train: int, n_test: int, seed: int = 0) -> ImageArrays:
    """Return images of every class in turn, 32 x 32 random pixels each."""
    rng, classes = np.random.default_rng(seed), len(CIFARS[name].classes)
    pixels = rng.integers(0, 256, (n_train + n_test, 3, 32, 32), dtype=np.uint8)
    train, test = np.arange(n_train) % classes, np.arange(n_test) % classes
    return ImageArrays(pixels[:n_train], train, pixels[n_train:], test)


def shuffled(arrays: ImageArrays, seed: int) -> ImageArrays:
    """Return the same images with the same labels in another order."""
    rng = np.random.default_rng(seed)
    train, test = rng.permutation(len(arrays.train_labels)), rng.permutation(len(arrays.test_labels))
    return ImageArrays(
        arrays.train_images[train], arrays.train_labels[train], arrays.test_images[test], arrays.test_labels[test]
    )


def pairs(images: Any, labels: Any) -> set[tuple[bytes, int]]:
    """Return what each image shows and is."""
    found = zip(np.asarray(images), np.asarray(labels), strict=True)
    return {(image.tobytes(), int(label)) for image, label in found}


class SmallArchive:
    """An archive made like the real one, where torchvision's download of `name` comes from.

    Attributes:
        file: the archive.
        unpacked: the folder that is in it, beside it.
    """

    def __init__(self, name: str, arrays: ImageArrays, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source = TORCHVISIONS[name]
        self.unpacked = place / source.base_folder
        self.unpacked.mkdir(parents=True)
        contents = _ten(arrays) if name == "cifar10" else _hundred(arrays)
        md5 = {file: self._write(file, content) for file, content in contents.items()}
        self.file = place / source.filename
        with tarfile.open(self.file, "w:gz") as tar:
            tar.add(self.unpacked, source.base_folder)
        train, test = FIVE_AND_ONE if name == "cifar10" else TRAIN_AND_TEST
        monkeypatch.setattr(source, "url", self.file.as_uri())
        monkeypatch.setattr(source, "tgz_md5", hashlib.md5(self.file.read_bytes()).hexdigest())
        monkeypatch.setattr(source, "train_list", [[file, md5[file]] for file in train])
        monkeypatch.setattr(source, "test_list", [[test, md5[test]]])
        monkeypatch.setattr(source, "meta", {**source.meta, "md5": md5[source.meta["filename"]]})

    def _write(self, file: str, content: dict[str, Any]) -> str:
        (self.unpacked / file).write_bytes(pickle.dumps(content))
        return hashlib.md5((self.unpacked / file).read_bytes()).hexdigest()


def _ten(arrays: ImageArrays) -> dict[str, dict[str, Any]]:
    batches, last = FIVE_AND_ONE
    parts = np.array_split(np.arange(len(arrays.train_labels)), len(batches))
    found = {
        file: {"data": _rows(arrays.train_images[part]), "labels": arrays.train_labels[part].tolist()}
        for file, part in zip(batches, parts, strict=True)
    }
    found[last] = {"data": _rows(arrays.test_images), "labels": arrays.test_labels.tolist()}
    return found | {"batches.meta": {"label_names": list(CIFARS["cifar10"].classes), "num_vis": 3072}}


def _hundred(arrays: ImageArrays) -> dict[str, dict[str, Any]]:
    def content(images: Any, labels: Any) -> dict[str, Any]:
        return {"data": _rows(images), "fine_labels": labels.tolist(), "coarse_labels": (labels // 5).tolist()}

    return {
        "train": content(arrays.train_images, arrays.train_labels),
        "test": content(arrays.test_images, arrays.test_labels),
        "meta": {"fine_label_names": list(CIFARS["cifar100"].classes), "coarse_label_names": ["insects"] * 20},
    }


def _rows(images: Any) -> Any:
    return images.reshape(len(images), 3072)


def write_as_parquet(folder: Path, name: str, arrays: ImageArrays) -> Path:
    """Write data/train-*.parquet and data/test-*.parquet."""
    for part, images, labels in (("train", *arrays[:2]), ("test", *arrays[2:])):
        path = folder / "data" / f"{part}-00000-of-00001.parquet"
        write_parquet(path, [_png(image) for image in images], labels.tolist(), CIFARS[name].classes)
    return folder


def write_as_class_folders(folder: Path, name: str, arrays: ImageArrays) -> Path:
    """Write train/<class>/ and test/<class>/."""
    for part, images, labels in (("train", *arrays[:2]), ("test", *arrays[2:])):
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            path = folder / part / CIFARS[name].classes[label] / f"{number:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_png(image))
    return folder


def _png(image: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(buffer, "PNG")
    return buffer.getvalue()
