"""The digits, and CIFAR-10 by way of a small archive made like the real one."""

import hashlib
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from torchvision.datasets import CIFAR10  # type: ignore[import-untyped]

from legr.data import builtin_sets
from legr.data.builtin_sets import cifar10_is_here, digits_arrays
from legr.data.class_names import CIFAR10_CLASSES
from legr.data.load import download_cifar10, load_dataset
from legr.errors import DataError


def test_digits_are_scaled_and_split_four_to_one() -> None:
    arrays = digits_arrays((3, 8, 8))
    assert len(arrays.train_labels) == 1438
    assert len(arrays.test_labels) == 359
    # In eight by eight pixels the images are scikit-learn's own, 0..16 stretched to 0..255.
    found = np.concatenate([arrays.train_images, arrays.test_images])
    labels = np.concatenate([arrays.train_labels, arrays.test_labels])
    original = load_digits()
    expected = {(i.tobytes(), t) for i, t in zip(original.images, original.target, strict=True)}
    back = np.round(found[:, 0] / 255 * 16).astype(np.float64)
    assert {(i.tobytes(), t) for i, t in zip(back, labels, strict=True)} == expected
    assert (found == found[:, :1]).all()  # grey
    assert found.max() == 255


def test_digits_grow_to_the_size_asked_for() -> None:
    arrays = digits_arrays((3, 32, 32))
    assert arrays.train_images.shape == (1438, 3, 32, 32)
    assert np.array_equal(arrays.train_labels, digits_arrays((3, 8, 8)).train_labels)


class SmallCifar10:
    """An archive with four training and two test images, where torchvision's downloads come from."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source = folder / "source" / CIFAR10.base_folder
        source.mkdir(parents=True)
        rng = np.random.default_rng(0)
        self.pixels = {name: rng.integers(0, 256, (2, 3072), dtype=np.uint8) for name in ("data_1", "data_2", "test")}
        contents: dict[str, Any] = {name: {"data": data, "labels": [3, 9]} for name, data in self.pixels.items()}
        contents["batches.meta"] = {"label_names": list(CIFAR10_CLASSES)}
        md5 = {}
        for name, content in contents.items():
            (source / name).write_bytes(pickle.dumps(content))
            md5[name] = hashlib.md5((source / name).read_bytes()).hexdigest()
        self.archive = folder / "source" / CIFAR10.filename
        with tarfile.open(self.archive, "w:gz") as tar:
            tar.add(source, CIFAR10.base_folder)
        monkeypatch.setattr(CIFAR10, "url", self.archive.as_uri())
        monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(self.archive.read_bytes()).hexdigest())
        monkeypatch.setattr(CIFAR10, "train_list", [[name, md5[name]] for name in ("data_1", "data_2")])
        monkeypatch.setattr(CIFAR10, "test_list", [["test", md5["test"]]])
        meta = {"filename": "batches.meta", "key": "label_names", "md5": md5["batches.meta"]}
        monkeypatch.setattr(CIFAR10, "meta", meta)


@pytest.fixture
def small(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> SmallCifar10:
    return SmallCifar10(own_folders, monkeypatch)


def test_cifar10_is_downloaded_once_and_then_read_without_pickles(
    small: SmallCifar10, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int, int]] = []
    dataset = load_dataset("cifar10", download=True, progress=lambda *step: told.append(step))
    n_bytes = small.archive.stat().st_size
    assert told == [("downloading CIFAR-10", n_bytes, n_bytes)]
    assert dataset.classes == CIFAR10_CLASSES
    assert (len(dataset.train), len(dataset.heldout), len(dataset.test)) == (3, 1, 2)
    expected = {tuple(row) for row in small.pixels["test"].tolist()}
    assert {tuple(image.flatten().tolist()) for image in dataset.test.images} == expected
    assert [path.name for path in (own_folders / "data" / "cifar10").iterdir()] == ["arrays"]
    monkeypatch.setattr(pickle, "load", lambda *_, **__: pytest.fail("a pickle was read"))
    small.archive.unlink()
    assert load_dataset("cifar10", download=True).fingerprint == dataset.fingerprint
    assert load_dataset("cifar10", shape=(3, 16, 16)).test.images.shape == (2, 3, 16, 16)


@pytest.mark.parametrize("unpacked", [True, False])
def test_torchvisions_own_files_in_the_data_folder_will_do(
    small: SmallCifar10, own_folders: Path, unpacked: bool
) -> None:
    place = own_folders / "data" / "cifar10"
    place.mkdir(parents=True)
    if unpacked:
        small.archive.with_name(CIFAR10.base_folder).rename(place / CIFAR10.base_folder)
    else:
        small.archive.rename(place / CIFAR10.filename)
    assert cifar10_is_here()
    assert sorted(load_dataset("cifar10").test.labels.tolist()) == [3, 9]
    assert (place / "arrays").is_dir()


def test_files_with_another_md5_are_refused_and_not_unpickled(
    small: SmallCifar10, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = own_folders / "data" / "cifar10" / CIFAR10.base_folder
    place.parent.mkdir(parents=True)
    small.archive.with_name(CIFAR10.base_folder).rename(place)
    (place / "data_2").write_bytes(b"something else")
    monkeypatch.setattr(pickle, "load", lambda *_, **__: pytest.fail("a pickle was read"))
    with pytest.raises(DataError, match="incomplete or damaged: delete them and download again"):
        load_dataset("cifar10")


def test_a_damaged_or_failed_download_leaves_nothing_behind(
    small: SmallCifar10, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.archive.write_bytes(small.archive.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"came damaged .*: download it again"):
        download_cifar10()
    small.archive.unlink()
    with pytest.raises(DataError, match=r"could not be downloaded from .* check the connection"):
        download_cifar10()
    assert list((own_folders / "data" / "cifar10").iterdir()) == []
    assert not cifar10_is_here()


def test_missing_cifar10_says_how_to_get_it(own_folders: Path) -> None:
    with pytest.raises(DataError, match=r"--data cifar10 downloads it .* or name a folder"):
        load_dataset("cifar10")


def test_torchvision_still_calls_its_files_so() -> None:
    assert (CIFAR10.filename, CIFAR10.base_folder) == (builtin_sets.ARCHIVE, builtin_sets.UNPACKED)
