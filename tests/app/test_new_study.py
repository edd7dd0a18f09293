"""The form of a new study offers names only: nothing that a browser sends leads to code."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app import new_study
from legr.errors import SettingsError
from tests.app.conftest import OpenApp


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "legr.toml"
    path.write_text('[models.mine]\nfactory = "robot.nets:build"\nweights = "w.safetensors"\n')
    monkeypatch.setenv("LEGR_CONFIG", str(path))
    return path


def test_the_names_are_the_zoos_and_the_configuration_files(settings: Path) -> None:
    assert new_study.offered() == (*new_study.MODELS, "mine")
    assert not any(":" in name for name in new_study.offered())
    settings.write_text("[models")
    with pytest.raises(SettingsError, match="is no TOML file"):
        new_study.offered()


def test_every_offered_name_is_a_model() -> None:
    from legr.training.models import find_spec

    assert [find_spec(name).name for name in new_study.MODELS] == list(new_study.MODELS)
    assert not any(find_spec(name).dense for name in new_study.MODELS)


def test_the_command_finds_the_same_file_and_its_weights(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[list[str], dict[str, str]]] = []

    def note(command: list[str], env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append((command, env))
        return subprocess.CompletedProcess(command, 0, json.dumps({}), "")

    monkeypatch.setattr(subprocess, "run", note)
    monkeypatch.delenv("LEGR_CONFIG")
    monkeypatch.chdir(tmp_path)  # the file lies where the explorer was started; the command runs elsewhere
    assert new_study.make("a", "mine", None, "digits", "auto").ok
    assert new_study.make("a", "resnet18", None, "digits", "auto").ok
    (own, environment), (zoo, _) = ran
    assert environment["LEGR_CONFIG"] == str(settings)
    assert "--weights" not in own
    assert zoo[zoo.index("--weights") + 1] == "none"


def test_a_name_that_is_not_offered_is_refused(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser may send any text."""
    monkeypatch.setattr(new_study, "make", lambda *_: pytest.fail("a study was made"))
    monkeypatch.setattr(
        new_study.st, "selectbox", lambda label, *_, **__: "os:system" if label == "Network" else "digits"
    )
    at = open_app("studies")
    next(field for field in at.text_input if field.label == "Name").set_value("fresh").run()
    next(button for button in at.button if button.label == "Make the study").click().run()
    assert any("no network os:system" in error.value for error in at.error), [e.value for e in at.error]
