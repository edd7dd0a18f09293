"""An export is found as recipe, folder or zip; of a zip, nothing but its two files is ever written."""

import zipfile
from pathlib import Path

import pytest

from legr.deploy import unpack
from legr.deploy.bundle import RECIPE, WEIGHTS
from legr.deploy.unpack import unpacked
from legr.errors import ExportError

FILES = {RECIPE: b"{}", WEIGHTS: b"weights"}


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_recipe_its_folder_and_the_zip(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    for given in (tmp_path, tmp_path / RECIPE, write_zip(tmp_path / "network.zip", FILES)):
        with unpacked(given) as recipe:
            assert {file: (recipe.parent / file).read_bytes() for file in FILES} == FILES
            assert recipe.name == RECIPE
    assert not recipe.parent.exists(), "what was unpacked is gone"


def test_no_other_entry_is_written(tmp_path: Path) -> None:
    others = {"../outside": b"x", "/absolute": b"x", "sub/recipe.json": b"x", "network.onnx": b"x"}
    with unpacked(write_zip(tmp_path / "network.zip", {**others, **FILES})) as recipe:
        assert sorted(file.name for file in recipe.parent.rglob("*")) == sorted(FILES)
        assert not (recipe.parent.parent / "outside").exists()


def test_what_cannot_be_unpacked_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = write_zip(tmp_path / "whole.zip", FILES).read_bytes()
    broken = whole.replace(b"PK\x01\x02", b"PK\x09\x09", 1)
    cases = {
        "missing.zip": (None, "there is no missing.zip there"),
        "other.zip": ({"a.txt": b"a"}, "holds no recipe.json and no network.safetensors"),
        "half.zip": ({RECIPE: b"{}"}, "holds no network.safetensors"),
        "nested.zip": ({f"sub/{name}": content for name, content in FILES.items()}, "holds no recipe.json"),
        "broken.zip": (broken, "cannot be unpacked"),
    }
    for name, (content, words) in cases.items():
        path = tmp_path / name
        if isinstance(content, dict):
            write_zip(path, content)
        elif content is not None:
            path.write_bytes(content)
        with pytest.raises(ExportError, match=words), unpacked(path):
            pass
    monkeypatch.setitem(unpack.LARGEST, RECIPE, 2**20)
    bomb = write_zip(tmp_path / "bomb.zip", {**FILES, RECIPE: b" " * (2**20 + 1)})
    assert bomb.stat().st_size < 5000
    with pytest.raises(ExportError, match=r"recipe\.json in bomb\.zip is larger than 1 MB"), unpacked(bomb):
        pass


def test_a_zip_that_says_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "liar.zip", {**FILES, WEIGHTS: bytes(1000)})
    size = (1000).to_bytes(4, "little")
    assert path.read_bytes().count(size) == 2  # once before the file, once in the list
    path.write_bytes(path.read_bytes().replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(ExportError, match="cannot be unpacked"), unpacked(path):
        pass
