"""The whole way of CIFAR-100 on a small archive made like the real one: downloaded, trained on, made studies of."""

from pathlib import Path

import pytest

from legr.data.cifar import CIFARS
from legr.data.load import load_dataset
from legr.study.store import Study
from tests.app.conftest import OpenApp
from tests.app.test_explore_page import dial
from tests.cli.processes import called
from tests.data.small_cifar import SmallArchive, random_images

CIFAR100 = CIFARS["cifar100"]


@pytest.mark.slow
@pytest.mark.thorough
def test_weights_and_studies_by_command_and_on_the_page(
    open_app: OpenApp, studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SmallArchive("cifar100", random_images("cifar100", 200, 100), tmp_path / "source", monkeypatch)
    images = load_dataset("cifar100", download=True)  # here: other processes do not know where the small one lies
    weights = tmp_path / "w.safetensors"
    network = ("--model", "cifar_resnet20", "--data", "cifar100")
    trained, _ = called("train", *network, "--epochs", 1, "--out", weights, "--json")
    assert 0 <= trained["top1"] <= 1

    called("new", "--study", tmp_path / "all", *network, "--weights", weights)
    study = Study.open(tmp_path / "all")
    assert (study.info.data_name, study.info.data_fingerprint) == ("cifar100", CIFAR100.fingerprint)
    assert (study.info.classes, study.info.num_classes) == (CIFAR100.classes, 100)
    assert study.info.weights_origin == "legr"  # trained on the same images less the same held-out ones
    evaluated, _ = called("evaluate", "--study", study.path, "--json")
    assert (evaluated["images"], evaluated["top1"]) == (100, trained["top1"])

    held_out = sorted({images.classes[label] for label in images.heldout.labels})[:3]
    at = open_app("studies")
    next(field for field in at.text_input if field.label == "Name").set_value("three").run()
    next(field for field in at.selectbox if field.label == "Network").set_value("cifar_resnet20").run()
    next(field for field in at.selectbox if field.label == "Images").set_value("cifar100").run()
    assert tuple(at.multiselect[0].options) == CIFAR100.classes
    at.multiselect[0].set_value(held_out).run()
    at.file_uploader[0].set_value((weights.name, weights.read_bytes(), "application/octet-stream")).run()
    next(button for button in at.button if button.label == "Make the study").click().run(timeout=120)
    assert not at.exception and not at.error, [error.value for error in at.error]
    made = Study.open(studies / "three").info
    assert (list(made.classes), made.all_classes) == (held_out, CIFAR100.classes)
    assert "cifar100, 3 of 100 classes, 32x32" in dial(at)["facts"][1]

    monkeypatch.setenv("LEGR_DATA", str(tmp_path / "another-machine"))
    at = open_app("learn", study="three")
    assert any("(CIFAR-100) are not on this machine" in text.value for text in at.markdown)
    assert "Download CIFAR-100 (170 MB)" in [button.label for button in at.button]
