"""A disk that fills up at any moment: a sentence, no job left at work, and the same command ends alike afterwards."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from legr.jobs import records
from legr.requests.learn import LearnRequest
from legr.study.store import Study
from tests.cli.processes import called, learn, refused
from tests.cli.stored import stored

Disk = Callable[[int], None]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., object]]:
    """A context in which so many files can be written, and none after them."""

    class Full:
        """The module `os` for the function that writes files; what is overwritten in place needs no room."""

        def __init__(self, files: int) -> None:
            self._written, self._files = count(), files

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        def fsync(self, descriptor: int) -> None:
            if next(self._written) >= self._files:
                raise OSError(28, "No space left on device")
            os.fsync(descriptor)

    @contextmanager
    def room_for(files: int) -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr("legr.files.os", Full(files))
            yield

    return room_for


@pytest.mark.parametrize("files", range(5))
def test_a_job_that_cannot_be_noted_whole_has_never_been(
    study_path: Path, own_folders: Path, disk: Disk, files: int
) -> None:
    study = Study.open(study_path)
    with disk(files), pytest.raises(OSError, match="No space"):
        records.new_job(study, LearnRequest(), "cpu")
    assert records.list_jobs(study) == []
    assert not [path for path in (study_path / "jobs").iterdir() if path.suffix in (".json", ".kept")]
    assert not [path for path in (own_folders / "data").rglob("*.*") if path.suffix != ".lock"]


COMMANDS = {
    "learn": lambda path: learn(path, "--candidates", 4),
    "measure": lambda path: ("measure", "--study", path, "--budgets", "0.4", "--runtime", "pytorch"),
    "finetune": lambda path: ("finetune", "--study", path, "--macs", 0.4, "--epochs", 1),
    "compare": lambda path: ("compare", "--study", path, "--macs", 0.4),
    "shape": lambda path: ("shape", "--study", path, "--multiple", 4),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.thorough) if name == "finetune" else name for name in COMMANDS]
)
def test_a_command_on_a_full_disk_is_one_sentence_and_loses_nothing(
    name: str, made_study: Path, own_folders: Path, disk: Disk
) -> None:
    command, results = COMMANDS[name], []
    for rooms in ((), (0,) if name == "shape" else (0, 6, 7)):
        path = own_folders / ("full" if rooms else "whole") / "digits8"
        shutil.copytree(made_study, path)
        for room in rooms:
            with disk(room):
                said = refused(*command(path))
            assert "No space left on device" in said.splitlines()[-1]
            assert not [job.state for job in records.list_jobs(Study.open(path)) if job.active]
        called(*command(path))
        results.append(stored(path))
    assert results[0] == results[1]
