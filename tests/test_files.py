"""Writing files: old or new and never half; the same bytes for the same content; nothing left by killed processes."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

from legr.errors import WeightsError
from legr.files import (
    creating_folder,
    in_words,
    temporary_beside,
    temporary_folder,
    write_bytes,
    write_json,
    write_safetensors,
)
from legr.models.weights import load_weights, save_weights

KILLED = """
import os, signal, sys
from pathlib import Path
from legr.files import creating_folder, write_bytes
folder = Path(sys.argv[1])
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "file":
    write_bytes(folder / "a.bin", b"new")
with creating_folder(folder / "a") as unfinished:
    (unfinished / "part").write_text("half")
"""


@contextmanager
def full_disk(left: int = 0) -> Iterator[None]:
    """No file may become longer than `left` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def made_older(folder: Path) -> None:
    for path in folder.iterdir():
        os.utime(path, (0, 0))


def test_a_failure_at_the_last_moment_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert names(tmp_path) == ["file.json"]


@pytest.mark.parametrize("left", [0, 10, 3000])
def test_a_full_disk_is_an_error_of_files_whichever_library_wrote(tmp_path: Path, left: int) -> None:
    path, old = tmp_path / "w.safetensors", {"w": torch.zeros(2)}
    save_weights(old, path)
    with full_disk(left), pytest.raises(WeightsError, match="free some space"):
        save_weights({"w": torch.ones(10_000)}, path)
    with full_disk(left), pytest.raises(OSError, match="large"):
        write_safetensors(path, safetensors.numpy.save({"w": np.ones(10_000)}))
    with (
        full_disk(left),
        pytest.raises(OSError, match=r"written|large"),
        creating_folder(tmp_path / "arrays") as unfinished,
    ):
        np.save(unfinished / "a.npy", np.ones(10_000))
    assert torch.equal(load_weights_of(path), old["w"])
    assert names(tmp_path) == ["w.safetensors"]


def load_weights_of(path: Path) -> torch.Tensor:
    model = torch.nn.Module()
    model.register_buffer("w", torch.full((2,), 7.0))
    load_weights(model, path)
    return model.get_buffer("w")


def test_the_same_tensors_give_the_same_bytes(tmp_path: Path) -> None:
    metadata = {f"key {i}": "ä" * i for i in range(20)}
    tensors = {name: np.full((3, 5), number, np.float32) for number, name in enumerate("bca")}
    # The library's own order is random from one call to the next: that it differs is what makes this a test.
    assert len({safetensors.numpy.save(tensors, metadata) for _ in range(10)}) > 1
    contents, weights = set(), set()
    for _ in range(10):
        write_safetensors(tmp_path / "x", safetensors.numpy.save(tensors, dict(reversed(metadata.items()))))
        contents.add((tmp_path / "x").read_bytes())
        state = {name: torch.from_numpy(values) for name, values in tensors.items()}
        save_weights(state, tmp_path / "w.safetensors", metadata)
        weights.add((tmp_path / "w.safetensors").read_bytes())
    assert len(contents) == len(weights) == 1
    with safetensors.safe_open(tmp_path / "x", framework="np") as file:
        assert file.metadata() == metadata
        assert all(np.array_equal(file.get_tensor(name), values) for name, values in tensors.items())


def test_the_tensors_of_a_file_lie_aligned(tmp_path: Path) -> None:
    for length in range(16):
        write_safetensors(tmp_path / "x", safetensors.numpy.save({"w": np.ones(2)}, {"m": "x" * length}))
        content = (tmp_path / "x").read_bytes()
        assert (8 + int.from_bytes(content[:8], "little")) % 8 == 0
        assert np.array_equal(safetensors.numpy.load(content)["w"], np.ones(2))


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path: Path, what: str) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), what], check=False)
    assert killed.returncode == -9
    assert (tmp_path / "a.bin").read_bytes() == b"old" and len(names(tmp_path)) == 2
    made_older(tmp_path)
    write_bytes(tmp_path / "other.bin", b"")
    assert names(tmp_path) == ["a.bin", "other.bin"]


def test_what_is_being_written_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".mine.tmp").write_text("of another program")
    with temporary_folder(tmp_path / "a") as folder:
        (folder / "part").write_text("half")
        made_older(tmp_path)
        write_bytes(tmp_path / "b", b"")
        assert names(folder) == ["part"]
    assert names(tmp_path) == [".mine.tmp", "b"]


def test_a_pipe_with_the_name_of_a_temporary_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f".a.{'0' * 32}.tmp")
    made_older(tmp_path)
    write_bytes(tmp_path / "b", b"")
    assert names(tmp_path) == ["b"]


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), creating_folder(tmp_path / "a") as unfinished:
        (unfinished / "part").write_text("half")
        raise RuntimeError
    assert names(tmp_path) == []
    with creating_folder(tmp_path / "a") as unfinished:
        (unfinished / "part").write_text("whole")
    assert names(tmp_path / "a") == ["part"]
    with pytest.raises(OSError, match="not empty"), creating_folder(tmp_path / "a") as unfinished:  # there by now
        (unfinished / "part").write_text("other")
    assert (tmp_path / "a" / "part").read_text() == "whole" and names(tmp_path) == ["a"]


def test_a_folder_that_cannot_be_copied_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    for name in ("one", "two"):
        (tmp_path / "from" / name).write_bytes(b"x" * 100)
    with full_disk(10), pytest.raises(OSError, match="too large") as caught:
        shutil.copytree(tmp_path / "from", tmp_path / "to")
    assert in_words(caught.value).startswith(("[Errno 27] File too large", "File too large"))
    assert "free some space" in in_words(caught.value) and "(" not in in_words(caught.value)


def test_a_file_that_cannot_be_written_is_named_as_people_know_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        os.mkdir(temporary_beside(tmp_path / "no" / "points.json"))
    assert in_words(caught.value).startswith("No such file or directory: points.json; ")
