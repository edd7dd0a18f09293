"""A folder that holds CIFAR-10, however it is packed, is CIFAR-10: by a small set that stands in for it."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from legr.commands.create import ImageSource, NetworkSource, create
from legr.commands.data import locate
from legr.commands.images import images_of
from legr.data import load as data_module
from legr.data.array_cache import ImageArrays
from legr.data.cifar import CIFARS
from legr.data.folders import find_source
from legr.data.load import Dataset, load_dataset
from legr.progress import silent
from tests.data.small_cifar import (
    SmallArchive,
    random_images,
    shuffled,
    write_as_class_folders,
    write_as_parquet,
)

WRITERS = [write_as_parquet, write_as_class_folders]
Write = Callable[[Path, str, ImageArrays], Path]


@pytest.fixture
def known(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> ImageArrays:
    """Thirty images that pass for CIFAR-10: their digest is known, made here from its definition."""
    images = random_images("cifar10", 20, 10)
    digest = hashlib.sha256()
    for pixels, labels in (images[:2], images[2:]):
        keys = [
            hashlib.sha256(one.tobytes()).digest() + bytes([0, label])
            for one, label in zip(pixels, labels, strict=True)
        ]
        digest.update(b"".join(sorted(keys)))
    stand_in = replace(CIFARS["cifar10"], content=digest.hexdigest(), n_train=20, n_test=10)
    monkeypatch.setitem(CIFARS, "cifar10", stand_in)
    return images


def changed(images: ImageArrays) -> ImageArrays:
    pixels = images.train_images.copy()
    pixels[7, 1, 5, 5] ^= 1
    return images._replace(train_images=pixels)


def count_decoding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    decoded: list[str] = []
    decode = data_module.decode_split

    def counting(*arguments: object) -> object:
        decoded.append(str(arguments[2]))
        return decode(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(data_module, "decode_split", counting)
    return decoded


def equal(one: Dataset, other: Dataset) -> bool:
    splits = [(getattr(one, name), getattr(other, name)) for name in ("train", "heldout", "test")]
    return all(np.array_equal(a.images, b.images) and np.array_equal(a.labels, b.labels) for a, b in splits)


@pytest.mark.parametrize("write", WRITERS)
def test_it_is_recognised_in_any_order_and_packing(
    known: ImageArrays, own_folders: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    found = load_dataset(str(write(own_folders / "pictures", "cifar10", shuffled(known, 5))))
    assert (found.name, found.fingerprint, found.classes) == ("cifar10", "cifar10-2", CIFARS["cifar10"].classes)
    assert equal(load_dataset("cifar10"), found)  # kept as this machine's copy

    monkeypatch.setenv("LEGR_DATA", str(own_folders / "another-machine"))
    SmallArchive("cifar10", known, own_folders / "source", monkeypatch)
    assert equal(load_dataset("cifar10", download=True), found)


@pytest.mark.parametrize("write", WRITERS)
def test_it_is_decoded_once_also_for_other_sizes(
    known: ImageArrays, own_folders: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    folder = str(write(own_folders / "pictures", "cifar10", known))
    decoded = count_decoding(monkeypatch)
    first = load_dataset(folder)
    assert len(decoded) == 2  # training and test images
    assert equal(load_dataset(folder), first)
    small = load_dataset(folder, (3, 16, 16))
    assert (small.name, small.test.images.shape) == ("cifar10", (10, 3, 16, 16))
    assert len(decoded) == 2
    shutil.rmtree(own_folders / "data" / "cifar10")  # what is lost is read from the folder again
    assert equal(load_dataset(folder), first)
    assert len(decoded) == 4


@pytest.mark.parametrize("write", WRITERS)
def test_one_pixel_makes_another_data_set_and_is_not_tried_twice(
    known: ImageArrays, own_folders: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    folder = str(write(own_folders / "pictures", "cifar10", changed(known)))
    other = load_dataset(folder)
    assert other.name == "pictures"
    assert other.fingerprint not in {cifar.fingerprint for cifar in CIFARS.values()}
    assert find_source("cifar10", CIFARS["cifar10"].fingerprint) is None
    decoded = count_decoding(monkeypatch)
    assert load_dataset(folder).fingerprint == other.fingerprint
    assert decoded == []
    load_dataset(folder, (3, 16, 16))
    assert len(decoded) == 2  # at that size alone


def test_a_study_of_the_folder_finds_its_images_through_the_download(
    known: ImageArrays, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_as_parquet(own_folders / "pictures", "cifar10", shuffled(known, 2))
    study = create(
        own_folders / "study", NetworkSource("cifar_resnet8"), ImageSource(str(folder), split_seed=4), silent
    )
    assert (study.info.data_name, study.info.data_fingerprint) == ("cifar10", "cifar10-2")
    here = images_of(study)

    monkeypatch.setenv("LEGR_DATA", str(own_folders / "another-machine"))
    SmallArchive("cifar10", known, own_folders / "source", monkeypatch)
    assert find_source("cifar10", "cifar10-2") is None
    assert locate(study, None, True, silent).to_dict() == {"ok": True, "images": 10}
    assert equal(images_of(study), here)
