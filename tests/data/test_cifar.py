"""Both CIFARs by way of small archives made like the real ones, and the order in which their images lie."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from legr.data.array_cache import ImageArrays
from legr.data.cifar import ARRAYS, CIFARS, Cifar, by_content, cifar_is_here
from legr.data.load import load_dataset
from legr.errors import DataError
from legr.progress import Progress
from tests.data.small_cifar import TORCHVISIONS, SmallArchive, pairs, random_images, shuffled

N_TRAIN, N_TEST = 20, 10


@pytest.fixture(params=CIFARS)
def cifar(request: pytest.FixtureRequest) -> Cifar:
    return CIFARS[request.param]


@pytest.fixture
def images(cifar: Cifar) -> ImageArrays:
    return random_images(cifar.name, N_TRAIN, N_TEST)


@pytest.fixture
def place(cifar: Cifar, own_folders: Path) -> Path:
    """Where the data set is kept."""
    return own_folders / "data" / cifar.name


@pytest.fixture
def archive(cifar: Cifar, images: ImageArrays, own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> SmallArchive:
    return SmallArchive(cifar.name, images, own_folders / "source", monkeypatch)


def same(one: ImageArrays, other: ImageArrays) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# -- torchvision's files and the download ------------------------------------------------------------------


def test_it_is_downloaded_once_and_then_read_without_pickles(
    cifar: Cifar, images: ImageArrays, archive: SmallArchive, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Progress] = []
    dataset = load_dataset(cifar.name, download=True, report=told.append)
    n_bytes = archive.file.stat().st_size
    assert told == [Progress(f"downloading {cifar.title}", n_bytes, n_bytes)]
    assert (dataset.name, dataset.fingerprint, dataset.classes) == (cifar.name, cifar.fingerprint, cifar.classes)
    assert (len(dataset.train), len(dataset.heldout), len(dataset.test)) == (18, 2, 10)
    assert pairs(dataset.test.images, dataset.test.labels) == pairs(images.test_images, images.test_labels)
    seen = [pairs(split.images, split.labels) for split in (dataset.train, dataset.heldout)]
    assert seen[0] | seen[1] == pairs(images.train_images, images.train_labels)
    assert [path.name for path in place.iterdir() if path.is_dir()] == [ARRAYS]
    monkeypatch.setattr(pickle, "load", lambda *_, **__: pytest.fail("a pickle was read"))
    archive.file.unlink()
    again = load_dataset(cifar.name, download=True)
    assert again.fingerprint == dataset.fingerprint
    assert np.array_equal(again.heldout.images, dataset.heldout.images)
    assert load_dataset(cifar.name, shape=(3, 16, 16)).test.images.shape == (10, 3, 16, 16)


@pytest.mark.parametrize("unpacked", [True, False])
@pytest.mark.parametrize("download", [True, False])
def test_torchvisions_own_files_in_the_data_folder_will_do(
    cifar: Cifar, images: ImageArrays, archive: SmallArchive, place: Path, unpacked: bool, download: bool
) -> None:
    place.mkdir(parents=True)
    moved = archive.unpacked if unpacked else archive.file
    moved.rename(place / moved.name)
    archive.file.unlink(missing_ok=True)  # so that nothing can be downloaded
    assert cifar_is_here(cifar)
    test = load_dataset(cifar.name, download=download).test
    assert pairs(test.images, test.labels) == pairs(images.test_images, images.test_labels)
    assert (place / ARRAYS).is_dir()


def test_files_with_another_md5_are_not_unpickled_but_refused_or_downloaded_again(
    cifar: Cifar, archive: SmallArchive, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.mkdir(parents=True)
    archive.unpacked.rename(place / archive.unpacked.name)
    last = TORCHVISIONS[cifar.name].train_list[-1][0]
    (place / archive.unpacked.name / last).write_bytes(b"something else")
    with monkeypatch.context() as patch:
        patch.setattr(pickle, "load", lambda *_, **__: pytest.fail("a pickle was read"))
        with pytest.raises(DataError, match="incomplete or damaged: delete them and download again"):
            load_dataset(cifar.name)
    assert len(load_dataset(cifar.name, download=True).test) == N_TEST


def test_a_damaged_or_failed_download_leaves_nothing_behind(cifar: Cifar, archive: SmallArchive, place: Path) -> None:
    archive.file.write_bytes(archive.file.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"came damaged .*: download it again"):
        load_dataset(cifar.name, download=True)
    archive.file.unlink()
    with pytest.raises(DataError, match=rf"{cifar.title} could not be downloaded from .* check the connection"):
        load_dataset(cifar.name, download=True)
    assert [path for path in place.iterdir() if path.suffix != ".lock"] == []
    assert not cifar_is_here(cifar)


def test_what_is_missing_says_how_to_get_it(cifar: Cifar, place: Path) -> None:
    with pytest.raises(DataError, match=rf"--data {cifar.name} downloads it .* or name a folder"):
        load_dataset(cifar.name)
    assert not place.exists()


def test_a_damaged_copy_is_made_again(cifar: Cifar, archive: SmallArchive, place: Path) -> None:
    before = load_dataset(cifar.name, download=True)
    (place / ARRAYS / "train_labels.npy").write_bytes(b"no array")
    after = load_dataset(cifar.name, download=True)
    assert np.array_equal(after.heldout.images, before.heldout.images)


def test_torchvision_still_calls_its_files_and_classes_so(cifar: Cifar) -> None:
    source = TORCHVISIONS[cifar.name]
    assert (source.filename, source.base_folder) == (cifar.archive, cifar.unpacked)
    assert len(set(cifar.classes)) == len(cifar.classes) == int(cifar.name.removeprefix("cifar"))
    assert list(cifar.classes) == sorted(cifar.classes)  # as they are numbered


# -- the order of content ----------------------------------------------------------------------------------


def test_the_order_is_one_of_content_whatever_the_order_of_the_source(images: ImageArrays) -> None:
    first, digest = by_content(images)
    for seed in range(3):
        mixed = shuffled(images, seed)
        assert not same(mixed, images)
        again, found = by_content(mixed)
        assert same(again, first) and found == digest
    assert pairs(*first[:2]) == pairs(*images[:2])  # each image with its own label
    assert pairs(*first[2:]) == pairs(*images[2:])


def test_every_pixel_every_label_and_the_parts_count(images: ImageArrays) -> None:
    def pixel() -> ImageArrays:
        changed = images.test_images.copy()
        changed[3, 2, 31, 0] ^= 1
        return images._replace(test_images=changed)

    def label() -> ImageArrays:
        changed = images.train_labels.copy()
        changed[[0, 1]] = changed[[1, 0]]
        return images._replace(train_labels=changed)

    def part() -> ImageArrays:
        return ImageArrays(*images[2:], *images[:2])

    assert len({by_content(arrays)[1] for arrays in (images, pixel(), label(), part())}) == 4


def test_an_archive_in_another_order_holds_out_the_same_images(
    cifar: Cifar, images: ImageArrays, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heldout = []
    for machine, arrays in enumerate((images, shuffled(images, 1))):
        monkeypatch.setenv("LEGR_DATA", str(own_folders / f"data-{machine}"))
        SmallArchive(cifar.name, arrays, own_folders / f"source-{machine}", monkeypatch)
        heldout.append(load_dataset(cifar.name, split_seed=3, download=True).heldout)
    assert np.array_equal(heldout[0].images, heldout[1].images)
    assert np.array_equal(heldout[0].labels, heldout[1].labels)
