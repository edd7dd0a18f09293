"""Models of the user's own: imported where this machine's user has named them, and nowhere else."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from legr.errors import SettingsError
from legr.models.config_file import named_models
from legr.models.factories import call_factory
from legr.models.zoo import build_model, choose_model, find_spec

CODE = """
import torch
from torch import nn
class Net(nn.Sequential):
    def __init__(self, num_classes=7):
        head = nn.Linear(6, num_classes)
        super().__init__(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
def build(num_classes=7): return Net(num_classes)
def fixed(): return Net(3)
def broken(): raise RuntimeError("no weights here")
def other(): return "a model"
number, instance = 3, nn.ReLU()
"""


@pytest.fixture
def robot(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Write a package `robotN` of its own name into the current folder, and forget it afterwards."""
    made: list[str] = []

    def write(name: str, code: str = CODE) -> Path:
        folder = own_folders / "place" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "nets.py").write_text(code)
        made.append(name)
        monkeypatch.chdir(folder.parent)
        return folder.parent

    before = list(sys.path)
    yield write
    sys.path[:] = before
    for name in list(sys.modules):
        if name.partition(".")[0] in made:
            del sys.modules[name]


def test_code_that_nobody_named_is_not_imported(robot: Callable[..., Path]) -> None:
    robot("robot1", "raise SystemExit('imported')")
    with pytest.raises(SettingsError, match=r"was never named on this machine.*legr inspect --model robot1.nets:build"):
        build_model("robot1.nets:build", 4)
    assert "robot1" not in sys.modules


def test_naming_it_once_is_enough(robot: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = robot("robot2")
    spec, weights = choose_model("robot2.nets:build")
    assert (spec.name, spec.num_classes, weights) == ("robot2.nets:build", 7, None)
    monkeypatch.chdir(tmp_path)
    sys.path.remove(str(place))
    for module in [m for m in sys.modules if m.startswith("robot2")]:
        del sys.modules[module]
    assert build_model("robot2.nets:build", 4)(torch.zeros(1, 1, 9, 9)).shape == (1, 4)
    assert find_spec("robot2.nets:build").num_classes == 7


def test_classes_are_asked_for_where_the_factory_takes_them(robot: Callable[..., Path]) -> None:
    robot("robot3")
    for name, classes in (("build", 4), ("Net", 4), ("fixed", 3)):
        spec, _ = choose_model(f"robot3.nets:{name}")
        assert build_model(spec, 4)(torch.zeros(1, 1, 9, 9)).shape == (1, classes)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("robot4.nets:built", "robot4.nets has no built"),
        ("robot4.net:build", "there is no module robot4.net in .*go to the folder"),
        ("robot5.nets:build", "there is no module robot5 in"),
        ("robot4.nets:number", "is a int; name a function or class"),
        ("robot4.nets:instance", "is a ReLU; name a function or class"),
        ("robot4/nets.py:build", "is named package.module:factory"),
        ("robot4.nets:build()", "is named package.module:factory"),
        (":build", "is named package.module:factory"),
    ],
)
def test_what_cannot_be_called_is_one_sentence(robot: Callable[..., Path], name: str, words: str) -> None:
    robot("robot4")
    with pytest.raises(SettingsError, match=words):
        choose_model(name)
    with pytest.raises(SettingsError, match=r"never named|is named"):
        find_spec(name)  # what failed is not remembered


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_package", "cannot be imported .*no_such_package.*install what it needs"),
        ("1 / 0", "cannot be imported .ZeroDivisionError"),
        ("def build(:", "cannot be imported .SyntaxError"),
        ("raise SystemExit(3)", "cannot be imported .SystemExit"),
    ],
)
def test_a_module_that_fails_is_one_sentence(robot: Callable[..., Path], code: str, words: str) -> None:
    robot("robot6", code)
    with pytest.raises(SettingsError, match=words):
        choose_model("robot6.nets:build")


def test_a_factory_that_fails_is_one_sentence(robot: Callable[..., Path]) -> None:
    robot("robot7")
    with pytest.raises(SettingsError, match=r"robot7.nets:broken fails .RuntimeError: no weights here"):
        build_model(choose_model("robot7.nets:broken")[0], 3)
    with pytest.raises(SettingsError, match=r"must return a torch.nn.Module, got a str"):
        build_model(choose_model("robot7.nets:other")[0], 3)
    with pytest.raises(SettingsError, match="the factory fails"):
        call_factory(lambda: nn.Linear(1), 3)  # type: ignore[call-arg]


def test_the_configuration_file_names_models(robot: Callable[..., Path]) -> None:
    place = robot("robot8")
    (place / "legr.toml").write_text(
        '[models.mine]\nfactory = "robot8.nets:build"\ninput = "1x1x96x160"\nweights = "w.safetensors"\n'
        '[models.plain]\nfactory = "robot8.nets:fixed"\n'
    )
    spec, weights = choose_model("mine")
    assert (spec.name, spec.input_shape, weights) == ("robot8.nets:build", (1, 96, 160), place / "w.safetensors")
    assert choose_model("plain")[0].input_shape == (3, 224, 224)
    with pytest.raises(SettingsError, match="got 'mine'"):
        find_spec("mine")  # only a user's own words may lead to code


def test_a_named_file_elsewhere(robot: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = robot("robot9")
    (place / "nets.toml").write_text('[models.mine]\nfactory = "robot9.nets:build"\n')
    monkeypatch.setenv("LEGR_CONFIG", str(place / "nets.toml"))
    monkeypatch.chdir(tmp_path)
    assert choose_model("mine")[0].name == "robot9.nets:build"
    monkeypatch.setenv("LEGR_CONFIG", str(place / "none.toml"))
    with pytest.raises(SettingsError, match=r"none.toml cannot be read .*LEGR_CONFIG"):
        choose_model("mine")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[models", "is no TOML file"),
        ("x = " + "[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("x = " + "9" * 5000, "is no TOML file"),
        ("x" + ".x" * 20_000 + " = 1", "tables .models.NAME. only"),
        ("[models.mine" + ".x" * 20_000 + "]", "must be a table of texts"),
        ("x = '" + "a" * 2**20 + "'", "at most 1 MB"),
        ("models = 3", "tables .models.NAME. only"),
        ("[study]\nname = 'a'", "tables .models.NAME. only, got study"),
        ("[models]\nmine = 'a:b'", "must be a table of texts"),
        ("[models.mine]\nfactory = 3", "must be a table of texts"),
        ("[models.mine]\ninput = '3x32x32'", "lacks its factory"),
        ("[models.mine]\nfactory = 'a:b'\nweight = 'c'", "unknown key weight"),
        ("[models.mine]\nfactory = 'a:b'\ninput = '2x3x32x32'", "models.mine. of legr.toml: the batch"),
    ],
)
def test_a_damaged_configuration_is_one_sentence(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    (own_folders / "legr.toml").write_text(text)
    monkeypatch.chdir(own_folders)
    with pytest.raises(SettingsError, match=words):
        named_models()
