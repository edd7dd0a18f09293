"""The cache of decoded images: built once, whole or not at all, and never in the way."""

import logging
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock

from legr.data import array_cache
from legr.data.array_cache import ImageArrays, cached_arrays, check_memory, read_arrays
from legr.errors import DataError
from legr.progress import Progress


def some_arrays() -> ImageArrays:
    images = np.arange(4 * 3 * 8 * 8, dtype=np.uint64).astype(np.uint8).reshape(4, 3, 8, 8)
    return ImageArrays(images, np.arange(4), images[:2], np.arange(2))


class Builder:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> ImageArrays:
        self.calls += 1
        time.sleep(0.05)  # long enough for another thread to come
        return some_arrays()


def same(one: ImageArrays, other: ImageArrays) -> bool:
    return all(np.array_equal(array, other._asdict()[field]) for field, array in one._asdict().items())


def test_arrays_are_built_once_and_mapped_read_only(tmp_path: Path) -> None:
    build, folder = Builder(), tmp_path / "deep" / "a"
    assert same(cached_arrays(folder, build), some_arrays())
    again = cached_arrays(folder, build)
    assert same(again, some_arrays())
    assert build.calls == 1
    assert isinstance(again.train_images, np.memmap)
    assert not again.train_images.flags.writeable
    assert sorted(path.name for path in folder.parent.iterdir() if path.suffix != ".lock") == ["a"]


def test_of_several_at_once_one_builds(tmp_path: Path) -> None:
    build = Builder()
    threads = [threading.Thread(target=cached_arrays, args=(tmp_path / "a", build)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert build.calls == 1


@pytest.mark.parametrize("damage", ["truncate", "delete", "pickle", "mismatch"])
def test_damaged_arrays_are_built_again(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    build, folder = Builder(), tmp_path / "a"
    cached_arrays(folder, build)
    path = folder / "train_images.npy"
    if damage == "truncate":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "delete":
        path.unlink()
    elif damage == "pickle":
        np.save(path, np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    else:
        np.save(path, some_arrays().train_images[:3])
    assert read_arrays(folder) is None
    assert "they are built again" in caplog.text
    assert same(cached_arrays(folder, build), some_arrays())
    assert build.calls == 2
    assert read_arrays(folder) is not None


def test_a_cache_that_cannot_be_written_costs_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        assert same(cached_arrays(tmp_path / "file" / "a", some_arrays), some_arrays())
    assert "they stay in memory" in caplog.text
    caplog.clear()

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full_disk)
    assert same(cached_arrays(tmp_path / "b", some_arrays), some_arrays())
    assert "No space left on device" in caplog.text
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == ["file"]


def test_an_error_while_building_frees_the_lock(tmp_path: Path) -> None:
    def fail() -> ImageArrays:
        raise DataError("a damaged image")

    with pytest.raises(DataError, match="a damaged image"):
        cached_arrays(tmp_path / "a", fail)
    assert same(cached_arrays(tmp_path / "a", some_arrays), some_arrays())


def test_waiting_for_another_process_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_cache, "LOCK_POLL_SECONDS", 0.01)

    def cancel(progress: Progress) -> None:
        raise InterruptedError(progress.stage)

    with FileLock(tmp_path / "a.lock"), pytest.raises(InterruptedError, match="waiting for another process"):
        cached_arrays(tmp_path / "a", some_arrays, cancel)


def test_images_over_half_of_the_free_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    free = SimpleNamespace(available=2 * 2**30)
    monkeypatch.setattr("legr.data.array_cache.psutil.virtual_memory", lambda: free)
    n_fit = 2**30 // (3 * 32 * 32)
    check_memory("birds", n_fit, (3, 32, 32))
    with pytest.raises(DataError, match=r"birds would take 1.0 GiB of memory \(349,526 .* 2.0 GiB that are free"):
        check_memory("birds", n_fit + 1, (3, 32, 32))
