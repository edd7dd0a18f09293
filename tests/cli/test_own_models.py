"""Own models by the commands alone: named on the command line or in legr.toml, and never imported otherwise."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import legr
from tests.cli.processes import called, run

pytestmark = pytest.mark.slow

NETS = """
from pathlib import Path
from torch import nn
Path(__file__).with_name("imported").touch()
def build(num_classes=10):
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, num_classes),
    )
"""


@pytest.fixture
def place(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of the user's own, its configuration file, and a data folder that knows neither."""
    monkeypatch.setattr(sys, "path", [*sys.path])  # the folder is added to it
    (own_folders / "robot").mkdir()
    (own_folders / "robot" / "nets.py").write_text(NETS)
    (own_folders / "legr.toml").write_text('[models.mine]\nfactory = "robot.nets:build"\ninput = "1x1x12x20"\n')
    return own_folders


def at(folder: Path, *arguments: object, code: int = 0) -> tuple[Any, str]:
    """Run a command in a folder, as a process does that has imported nothing from there yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        forget_imports()
        return called(*arguments, code=code)


def forget_imports() -> None:
    """Let the user's module be imported anew when it is asked for."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "robot"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def test_an_own_model_goes_the_whole_way(place: Path, tmp_path: Path) -> None:
    study, new = tmp_path / "own", ("--weights", "none", "--data", "digits")
    made, _ = at(place, "new", "--study", study, "--model", "mine", *new, "--json")
    assert made["model"] == "robot.nets:build"
    assert json.loads((study / "study.json").read_text())["input_shape"] == [1, 12, 20]
    assert str(place) not in (study / "study.json").read_text()

    # From now on it is known wherever the program runs, as in a job that the explorer starts.
    scored, _ = run("evaluate", "--study", study, "--macs", 0.6, "--json")
    assert scored["images"] == 359
    tuned, _ = called("finetune", "--study", study, "--macs", 0.6, "--epochs", 1, "--json")
    assert tuned["epochs"] == 1
    learned = ("learn", "--study", study, "--candidates", 2, "--budget", 0.6, "--images", 64, "--json")
    assert at(place, *learned, "--model", "mine", "--input", "1x12x20")[0]["candidates"] == 2
    _, said = at(place, *learned, "--model", "cifar_resnet8", code=2)
    assert "made with --model robot.nets:build" in said
    _, said = at(place, *learned, "--input", "1x1x20x12", code=2)
    assert "made with --input 1x1x12x20" in said


def test_a_study_from_elsewhere_imports_nothing(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, new = tmp_path / "own", ("--weights", "none", "--data", "digits", "--input", "1x1x12x20")
    at(place, "new", "--study", study, "--model", "robot.nets:build", *new)
    found, _ = at(place, "export", "--study", study, "--macs", 0.6, "--out", tmp_path / "out", "--json")
    (place / "robot" / "imported").unlink()
    monkeypatch.setenv("LEGR_DATA", str(tmp_path / "another machine"))
    for command in (("evaluate",), ("export", "--macs", 0.6, "--out", tmp_path / "out2")):
        _, said = at(place, command[0], "--study", study, *command[1:], code=2)
        assert "was never named on this machine" in said
        assert "python -m legr inspect --model robot.nets:build" in said
    monkeypatch.chdir(place)
    forget_imports()
    with pytest.raises(legr.SettingsError, match="never named"):
        legr.rebuild(found["recipe"])
    assert not (place / "robot" / "imported").exists()

    at(place, "inspect", "--model", "robot.nets:build", "--input", "1x1x12x20")  # the remedy
    assert at(place, "evaluate", "--study", study, "--json")[0]["images"] == 359


def test_a_model_that_ignores_the_classes_is_refused(place: Path, tmp_path: Path) -> None:
    (place / "robot" / "nets.py").write_text(NETS.replace("num_classes=10", "classes=7").replace("num_classes", "7"))
    new = ("new", "--study", tmp_path / "x", "--model", "mine", "--weights", "none", "--data", "digits")
    _, said = at(place, *new, code=2)
    assert "must return a tensor of shape (1, 10)" in said.splitlines()[-1]
    assert "got shape (1, 7)" in said.splitlines()[-1]
    assert not (tmp_path / "x").exists()


def test_mistakes_about_models_are_one_sentence(place: Path, tmp_path: Path) -> None:
    new = ("new", "--study", tmp_path / "x", "--weights", "none", "--data", "digits", "--model")
    for arguments, words in (
        ((*new, "robot.nets:built"), "has no built"),
        ((*new, "robot.nots:build"), "there is no module robot.nots"),
        ((*new, "mine", "--input", "2x1x12x20"), "the batch of an input must be 1"),
        ((*new, "mine", "--input", "5x12x20"), "3 channels (colour) or 1 (grey)"),
        ((*new, "mine", "--input", "3x12x20"), "forward fails on an input of shape (1, 3, 12, 20)"),
        ((*new, "mine", "--normalize", "imagenet"), "of 3 channels"),
        ((*new, "lraspp_mobilenet_v3_large"), "answers for every place"),
    ):
        _, said = at(place, *arguments, code=2)
        assert words in said.splitlines()[-1], (arguments, said)
    (place / "legr.toml").write_text("[models")
    assert "is no TOML file" in at(place, *new, "mine", code=2)[1]
