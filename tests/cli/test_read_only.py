"""A study that may not be written: what only reads works, all else is refused before any work is done."""

import os
from pathlib import Path

import pytest

from tests.cli.processes import called, refused
from tests.conftest import times_of


def test_a_study_that_may_not_be_written_is_read(
    study_path: Path, own_folders: Path, without_onnx: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, may = ("--study", study_path), os.access
    compared, _ = called("compare", *study, "--macs", 0.5, "--json")

    def may_not_write(path: Path, mode: int) -> bool:
        return may(path, mode) and not (mode & os.W_OK and Path(path) == study_path)

    monkeypatch.setattr(os, "access", may_not_write)
    before = times_of(study_path)
    for command in (
        ("shape", *study, "--multiple", 4),
        ("measure", *study, "--budgets", 0.5),
        ("finetune", *study, "--macs", 0.5, "--epochs", 1),
        ("learn", *study, "--candidates", 1),
        ("compare", *study, "--macs", 0.4),
        ("classes", *study),
    ):
        assert refused(*command) == "digits8 cannot be written; change its permissions or copy it\n"
    assert called("compare", *study, "--macs", 0.5, "--json")[0] == compared
    called("shape", *study)
    called("evaluate", *study, "--macs", 0.5)
    called("look", *study, "--macs", 0.5, "--test-image", 1)
    exported, _ = called("export", *study, "--macs", 0.5, "--out", own_folders / "out", "--json")
    assert Path(exported["recipe"]).is_file()
    assert times_of(study_path) == before
