"""Data sets as a study sees them: splits, seeds, fingerprints and caches."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from legr.data import load as data_module
from legr.data.load import Dataset, Split, load_dataset
from legr.data.shuffle import permutation
from legr.errors import DataError, SettingsError
from tests.data.pictures import colour_of, write_class_folders, write_parquet_folder


def keys(split: Split) -> list[bytes]:
    return [image.numpy().tobytes() for image in split.images]


def test_digits_have_the_documented_splits() -> None:
    digits = load_dataset("digits")
    assert (len(digits.train), len(digits.heldout), len(digits.test)) == (1295, 143, 359)
    assert digits.classes == tuple("0123456789")
    assert digits.train.images.shape == (1295, 3, 32, 32)
    assert not digits.flip
    assert not set(keys(digits.train)) & set(keys(digits.heldout))
    assert not set(keys(digits.test)) & set(keys(digits.train) + keys(digits.heldout))


def test_the_split_seed_moves_held_out_images_but_no_test_image() -> None:
    first, again, other = (load_dataset("digits", (3, 8, 8), split_seed=seed) for seed in (0, 0, 1))
    assert keys(first.heldout) == keys(again.heldout)
    assert keys(first.train) == keys(again.train)
    assert set(keys(first.heldout)) != set(keys(other.heldout))
    assert keys(first.test) == keys(other.test)
    assert sorted(keys(first.train) + keys(first.heldout)) == sorted(keys(other.train) + keys(other.heldout))
    assert first.fingerprint == other.fingerprint


def test_loading_leaves_the_global_generators_alone() -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]
    load_dataset("digits", (3, 8, 8))
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.random.get_state()[1].tolist() == numpy_before  # type: ignore[index]


def test_the_order_is_the_same_for_good() -> None:
    """Held-out images must stay held out: these numbers are RandomState's, frozen since NumPy 1.17."""
    assert permutation(8, 0).tolist() == [6, 2, 1, 7, 3, 0, 5, 4]


def colours(dataset: Dataset) -> set[tuple[int, ...]]:
    pixels: Tensor = torch.cat([dataset.train.images, dataset.heldout.images])[:, :, 4, 4]
    labels = torch.cat([dataset.train.labels, dataset.heldout.labels])
    return {(*colour, label) for colour, label in zip(pixels.tolist(), labels.tolist(), strict=True)}


@pytest.mark.parametrize("write", [write_class_folders, write_parquet_folder])
def test_every_picture_of_a_folder_keeps_its_label(own_folders: Path, write: object) -> None:
    assert callable(write)
    dataset = load_dataset(str(write(own_folders / "insects")), (3, 8, 8))
    assert dataset.name == "insects"
    assert dataset.classes == ("ant", "bee")
    assert dataset.flip
    assert (len(dataset.train), len(dataset.heldout)) == (18, 2)
    assert colours(dataset) == {(*colour_of(label, number), label) for label in range(2) for number in range(10)}
    assert set(dataset.train.labels[:9].tolist()) == {0, 1}  # shuffled: they lie on disk class by class


@pytest.mark.parametrize("write", [write_class_folders, write_parquet_folder])
def test_a_copy_elsewhere_has_the_same_fingerprint_and_another_set_has_not(own_folders: Path, write: object) -> None:
    assert callable(write)
    first = write(own_folders / "first")
    shutil.copytree(first, own_folders / "copy", copy_function=shutil.copyfile)
    (own_folders / "copy" / "README.md").write_text("not an image")
    other = write(own_folders / "other", n_train=11)
    prints = [load_dataset(str(folder), (3, 8, 8)).fingerprint for folder in (first, own_folders / "copy", other)]
    assert prints[0] == prints[1] != prints[2]
    assert load_dataset(str(first), (3, 16, 16)).fingerprint == prints[0]


def test_a_second_call_decodes_nothing(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(write_class_folders(own_folders / "insects"))
    first = load_dataset(folder, (3, 8, 8))
    monkeypatch.setattr(data_module, "decode_split", lambda *_: pytest.fail("decoded again"))
    again = load_dataset(folder, (3, 8, 8))
    assert keys(again.train) == keys(first.train)
    again.train.images.zero_()  # a caller's change does not reach the cache
    assert keys(load_dataset(folder, (3, 8, 8)).train) == keys(first.train)


def test_a_changed_image_is_noticed(own_folders: Path) -> None:
    folder = write_class_folders(own_folders / "insects")
    before = load_dataset(str(folder), (3, 8, 8))
    shutil.copyfile(folder / "train" / "bee" / "001.png", folder / "train" / "ant" / "000.png")
    after = load_dataset(str(folder), (3, 8, 8))
    assert after.fingerprint != before.fingerprint
    assert (*colour_of(1, 1), 0) in colours(after)


def test_a_damaged_image_is_named_and_nothing_is_cached(own_folders: Path) -> None:
    folder = write_class_folders(own_folders / "insects")
    path = folder / "train" / "bee" / "003.png"
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(DataError, match=r"bee/003.png cannot be read"):
        load_dataset(str(folder), (3, 8, 8))
    path.write_bytes(whole)
    assert len(load_dataset(str(folder), (3, 8, 8)).train) == 18


def test_sources_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must be digits, cifar10, cifar100 or a folder, and 'cats' does not exist"):
        load_dataset("cats")
    (tmp_path / "a.parquet").touch()
    with pytest.raises(DataError, match=r"a.parquet' is a file"):
        load_dataset(str(tmp_path / "a.parquet"))
    with pytest.raises(DataError, match="holds no images in a known layout"):
        load_dataset(str(tmp_path))


def test_a_set_too_small_to_split_is_refused(own_folders: Path) -> None:
    with pytest.raises(DataError, match="has 1 training image, at least 2"):
        load_dataset(str(write_class_folders(own_folders / "one", ("ant",), n_train=1)), (3, 8, 8))


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match="at least 8 pixels high and wide, got 4 x 4"):
        load_dataset("digits", (3, 4, 4))
    with pytest.raises(SettingsError, match=r"3 channels \(colour\) or 1 \(grey\), got an input of 2"):
        load_dataset("digits", (2, 8, 8))
    with pytest.raises(SettingsError, match="split_seed must be in"):
        load_dataset("digits", split_seed=-1)


def test_a_set_larger_than_memory_is_refused_before_it_is_decoded(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_class_folders(own_folders / "insects")
    monkeypatch.setattr(data_module, "decode_split", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DataError, match=r"insects would take .* choose smaller or fewer images"):
        load_dataset(str(folder), (3, 1_000_000, 1_000_000))


@pytest.mark.slow
@pytest.mark.needs_data
def test_cifar10_has_its_published_numbers(real_data: Path) -> None:
    folder = str(real_data / "cifar10")
    dataset = load_dataset(folder)
    assert (dataset.name, dataset.fingerprint) == ("cifar10", "cifar10-2")
    assert (dataset.classes[0], dataset.classes[9]) == ("airplane", "truck")
    assert (len(dataset.train), len(dataset.heldout), len(dataset.test)) == (45_000, 5_000, 10_000)
    assert dataset.test.labels.bincount().tolist() == [1000] * 10
    counts = dataset.train.labels.bincount() + dataset.heldout.labels.bincount()
    assert counts.tolist() == [5000] * 10
    # The numbers are those of all 50,000; the 45,000 left for training differ by little.
    found = dataset.statistics()
    assert found.mean == pytest.approx((0.49140, 0.48216, 0.44653), abs=1e-3)
    assert found.std == pytest.approx((0.24703, 0.24349, 0.26159), abs=1e-3)


@pytest.mark.slow
@pytest.mark.needs_data
def test_cifar10_loads_in_well_under_a_second_the_second_time(real_data: Path) -> None:
    folder = str(real_data / "cifar10")
    load_dataset(folder)
    start = time.perf_counter()
    load_dataset(folder)
    assert time.perf_counter() - start < 1
