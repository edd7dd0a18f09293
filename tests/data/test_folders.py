"""The registry of folders and the fingerprints it goes by."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from legr.data.cifar import ARRAYS, CIFARS
from legr.data.digits import DIGITS_FINGERPRINT
from legr.data.fingerprint import fingerprint_files
from legr.data.folders import find_source, remember_folder
from legr.data.load import load_dataset
from legr.errors import DataError

NAMES = ("b/two.bin", "a/one.bin")


@pytest.fixture
def files(own_folders: Path) -> Path:
    for name in NAMES:
        path = own_folders / "files" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    return own_folders / "files"


def test_a_copy_has_the_same_fingerprint_in_any_order(files: Path) -> None:
    copy = shutil.copytree(files, files.parent / "copy", copy_function=shutil.copyfile)
    assert fingerprint_files(files, NAMES) == fingerprint_files(copy, NAMES[::-1])


def test_content_and_names_count(files: Path) -> None:
    first = fingerprint_files(files, NAMES)
    path = files / NAMES[0]
    path.write_bytes(path.read_bytes()[::-1])  # as long as before
    os.utime(path, ns=(1, 1))
    second = fingerprint_files(files, NAMES)
    path.rename(files / "b" / "three.bin")
    assert len({first, second, fingerprint_files(files, ("b/three.bin", NAMES[1]))}) == 3


def test_unchanged_files_are_not_read_again(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fingerprint_files(files, NAMES)
    monkeypatch.setattr("legr.data.fingerprint._hash_file", lambda path: pytest.fail(f"read {path}"))
    assert fingerprint_files(files, NAMES) == first


def test_a_damaged_or_unwritable_index_does_no_harm(files: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = fingerprint_files(files, NAMES)
    (index,) = (files.parent / "cache" / "hashes").glob("*.json")
    for damage in ("{", "[1]", '{"b/two.bin": [1]}'):
        index.write_text(damage)
        assert fingerprint_files(files, NAMES) == first
    shutil.rmtree(files.parent / "cache")
    (files.parent / "cache").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        assert fingerprint_files(files, NAMES) == first
    assert "file hashes cannot be cached" in caplog.text


def test_a_missing_file_is_named(files: Path) -> None:
    with pytest.raises(DataError, match=r"none.bin cannot be read .* check the disk"):
        fingerprint_files(files, ("none.bin",))


def test_a_remembered_folder_is_found_while_it_exists(own_folders: Path) -> None:
    birds, fish = own_folders / "birds", own_folders / "fish"
    birds.mkdir()
    fish.mkdir()
    assert find_source("birds", "f1") is None
    remember_folder("f1", birds)
    remember_folder("f2", str(fish))
    assert find_source("birds", "f1") == str(birds)
    assert find_source("fish", "f2") == str(fish)
    birds.rmdir()
    assert find_source("birds", "f1") is None


def test_built_in_sets_are_found_by_fingerprint(own_folders: Path) -> None:
    assert find_source("digits", DIGITS_FINGERPRINT) == "digits"
    assert find_source("digits", "a folder that happens to be called digits") is None
    for name, cifar in CIFARS.items():
        assert find_source(name, cifar.fingerprint) is None
        (own_folders / "data" / name / ARRAYS).mkdir(parents=True)
        assert find_source(name, cifar.fingerprint) == name


def test_a_folder_that_was_remembered_for_a_cifar_will_do(own_folders: Path) -> None:
    """As where the folder is recognised, but this machine's copy of it cannot be written."""
    remember_folder(CIFARS["cifar10"].fingerprint, own_folders)
    assert find_source("cifar10", CIFARS["cifar10"].fingerprint) == str(own_folders)


@pytest.mark.parametrize("damage", ["{", "[1]", '{"f1": 3}', "[" * 100_000, '{"f1": ' + "9" * 5000 + "}"])
def test_a_damaged_registry_counts_as_empty(own_folders: Path, damage: str) -> None:
    (own_folders / "data").mkdir()
    (own_folders / "data" / "folders.json").write_text(damage)
    assert find_source("birds", "f1") is None
    remember_folder("f1", own_folders)
    assert find_source("birds", "f1") == str(own_folders)


def test_an_unwritable_registry_is_only_logged(own_folders: Path, caplog: pytest.LogCaptureFixture) -> None:
    (own_folders / "data").write_text("in the way")
    remember_folder("f1", own_folders)
    assert "cannot be remembered" in caplog.text


def test_the_registry_loads_without_torch() -> None:
    code = "import sys, legr.data.folders; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    for name in ("latin_\udce9.png", "plain.png"):
        (tmp_path / name).write_text("content")
    assert fingerprint_files(tmp_path, ["latin_\udce9.png"]) != fingerprint_files(tmp_path, ["plain.png"])
    picture, classes = Image.new("RGB", (32, 32)), ("caf\udce9", "dog")
    for place in (tmp_path / "images" / split / name for split in ("train", "test") for name in classes):
        place.mkdir(parents=True)
        picture.save(place / "a.png")
    with pytest.raises(DataError, match=r"must have names in UTF-8, got 'caf\\udce9'; rename it"):
        load_dataset(str(tmp_path / "images"), (3, 32, 32))
