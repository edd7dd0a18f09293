"""The form of a new study offers names only: nothing that a browser sends leads to code."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.run_command import read_outcome
from app.views import new_study
from legr.errors import SettingsError
from legr.study.store import Study
from tests.app.conftest import OpenApp
from tests.app.test_explore_page import dial
from tests.cli.processes import in_process
from tests.data.pictures import write_class_folders


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "legr.toml"
    path.write_text('[models.mine]\nfactory = "robot.nets:build"\nweights = "w.safetensors"\n')
    monkeypatch.setenv("LEGR_CONFIG", str(path))
    return path


def test_the_names_are_the_zoos_and_the_configuration_files(settings: Path) -> None:
    assert new_study.offered_models() == (*new_study.MODELS, "mine")
    assert not any(":" in name for name in new_study.offered_models())
    settings.write_text("[models")
    with pytest.raises(SettingsError, match="is no TOML file"):
        new_study.offered_models()


def test_every_offered_name_is_a_model() -> None:
    from legr.models.zoo import find_spec

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
    assert new_study.make("a", new_study.Choice("mine", None), "digits").ok
    assert new_study.make("a", new_study.Choice("resnet18", None), "digits").ok
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
    assert any("no network os\\:system" in error.value for error in at.error), [e.value for e in at.error]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The zip of a ResNet-8 that was pruned to less than half."""
    import torch

    import legr
    from legr.deploy.bundle import RECIPE, WEIGHTS, write_recipe, zip_files
    from legr.models.zoo import build_model
    from legr.structure.surgery import plan

    folder = tmp_path_factory.mktemp("export")
    model = build_model("cifar_resnet8", 10)
    structure = legr.trace(model, torch.zeros(1, 3, 32, 32))
    keep = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure))).at(macs=0.4)
    cuts = plan(model, structure, keep)
    write_recipe(folder, legr.prune(model, structure, keep), "cifar_resnet8", 10, cuts, {"input_shape": [3, 32, 32]})
    zip_files(folder / "network.zip", [folder / RECIPE, folder / WEIGHTS])
    return (folder / "network.zip").read_bytes()


@pytest.fixture
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the form's command run in the tests' process; `test_a_study_of_some_classes` starts a real one."""
    monkeypatch.setattr(new_study, "run_command", lambda arguments: read_outcome(*in_process(arguments, io.StringIO())))


def begin_with_an_export(at: AppTest, name: str, archive: bytes | None) -> AppTest:
    at.segmented_control(key="begin-with").set_value(new_study.EXPORTED).run()
    assert not any(field.label == "Network" for field in at.selectbox)
    next(field for field in at.text_input if field.label == "Name").set_value(name).run()
    if archive is not None:
        at.file_uploader[0].set_value(("network.zip", archive, "application/zip")).run()
    return next(button for button in at.button if button.label == "Make the study").click().run(timeout=120)


@pytest.mark.slow
@pytest.mark.usefixtures("in_one_process")
def test_a_study_begins_with_an_exported_network(open_app: OpenApp, studies: Path, archive: bytes) -> None:
    at = begin_with_an_export(open_app("studies"), "further", archive)
    assert not at.exception and not at.error
    study = Study.open(studies / "further")
    assert study.info.model == "cifar_resnet8"
    assert study.info.pruned_to is not None and study.info.pruned_to <= 0.4
    assert f"cifar_resnet8, pruned before to {100 * study.info.pruned_to:.1f} % of its MACs" in dial(at)["facts"][1]


@pytest.mark.slow
@pytest.mark.usefixtures("in_one_process")
def test_what_cannot_be_an_export_is_one_sentence(open_app: OpenApp, studies: Path, archive: bytes) -> None:
    for given, words in ((None, "Choose the zip of an export."), (archive[:-100], "network.zip")):
        at = begin_with_an_export(open_app("studies"), "further", given)
        assert not at.exception
        assert len(at.error) == 1 and words in at.error[0].value
    assert not (studies / "further" / "study.json").exists()


@pytest.mark.slow
def test_a_study_of_some_classes(open_app: OpenApp, studies: Path) -> None:
    at = open_app("studies")
    next(field for field in at.text_input if field.label == "Name").set_value("three ").run()
    next(field for field in at.selectbox if field.label == "Network").set_value("cifar_resnet20").run()
    at.multiselect[0].set_value(["7", "2", "4"]).run()
    next(button for button in at.button if button.label == "Make the study").click().run(timeout=120)
    assert not at.exception and not at.error
    info = Study.open(studies / "three").info
    assert (info.classes, info.num_classes, len(info.all_classes)) == (("2", "4", "7"), 3, 10)


@pytest.mark.slow
@pytest.mark.usefixtures("in_one_process")
def test_classes_of_a_folder_are_typed_also_with_commas(open_app: OpenApp, studies: Path, tmp_path: Path) -> None:
    folder = write_class_folders(tmp_path / "insects", ("ant, red", "ant, wood", "bee"), n_train=40)
    at = open_app("studies")
    next(field for field in at.text_input if field.label == "Name").set_value("two").run()
    next(field for field in at.selectbox if field.label == "Images").set_value("folder").run()
    next(field for field in at.text_input if field.label == "Folder").set_value(str(folder)).run()
    next(field for field in at.text_input if field.label.startswith("Classes")).set_value("bee, ant, red, ").run()
    next(field for field in at.selectbox if field.label == "Normalisation").set_value("imagenet").run()
    next(button for button in at.button if button.label == "Make the study").click().run(timeout=120)
    assert not at.exception and not at.error, [error.value for error in at.error]
    assert Study.open(studies / "two").info.classes == ("ant, red", "bee")
