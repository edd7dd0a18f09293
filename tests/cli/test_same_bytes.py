"""Interrupted and run again, or run twice: the same files with the same bytes, but for dates, seconds and latencies."""

import shutil
from pathlib import Path

import pytest

from tests.cli.processes import called, interrupted, learn
from tests.cli.stored import stored

pytestmark = pytest.mark.slow


def of_study(path: Path, command: str, *options: object) -> tuple[object, ...]:
    return (command, "--study", path, *options, "--json")


COMMANDS = {
    # What is run, the progress at which it is interrupted (nothing: it is run twice instead).
    "evolution": (lambda path: learn(path, "--candidates", 12), "pass 5 of 12"),
    "gradient": (lambda path: of_study(path, "learn", "--images", 64, "--candidates", 9), "pass 5 of 9"),
    "measure": (lambda path: of_study(path, "measure", "--budgets", "0.5,0.4"), "point 2 of"),
    "finetune": (lambda path: of_study(path, "finetune", "--macs", 0.4, "--epochs", 3), "epoch 1 of 3"),
    "compare": (lambda path: of_study(path, "compare", "--macs", 0.4), ""),
    "classes": (lambda path: of_study(path, "classes"), "network 2 of"),
    "export": (lambda path: of_study(path, "export", "--macs", 0.4, "--out", path / "exports" / "40"), ""),
    "new": (
        lambda path: of_study(path / "new", "new", "--model", "cifar_resnet8", "--weights", "none", "--data", "digits"),
        "",
    ),
    "train": (
        lambda path: (
            *("train", "--model", "cifar_resnet8", "--data", "digits", "--out", path / "w.safetensors"),
            *("--epochs", 2, "--input", "1x3x16x16", "--json"),
        ),
        "epoch 1 of 2",
    ),
    "shape": (lambda path: of_study(path, "shape", "--multiple", 4), ""),
}


LONG = ("gradient", "measure", "finetune", "export")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.thorough) if name in LONG else name for name in COMMANDS]
)
def test_what_is_stored_does_not_depend_on_interruptions(
    name: str, made_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = {}
    for way in ("at once", "interrupted"):
        monkeypatch.setenv("LEGR_CACHE", str(tmp_path / way / "cache"))
        path = tmp_path / way / "digits8"
        shutil.copytree(made_study, path)
        before = stored(path)
        command, progress = COMMANDS[name]
        if way == "interrupted" and progress:
            interrupted(progress, *command(path))
        called(*command(path))
        results[way] = stored(path)
        assert results[way] != before
    assert results["interrupted"] == results["at once"]
