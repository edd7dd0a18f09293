"""A study about some classes: the original's own logits for these, on their images alone."""

import json
from pathlib import Path

import pytest
import torch

import legr
from legr.commands.images import images_of
from legr.data.batches import iterate
from legr.models.weights import load_weights
from legr.models.zoo import build_model
from legr.study.store import Study
from tests.cli.processes import called, refused
from tests.data.pictures import write_class_folders

pytestmark = pytest.mark.slow

CHOSEN = (1, 4, 7)


@pytest.mark.thorough
def test_a_study_of_three_digits(tmp_path: Path) -> None:
    weights, study = tmp_path / "w.safetensors", tmp_path / "study"
    called("train", "--model", "cifar_resnet8", "--data", "digits", "--epochs", 2, "--out", weights)
    new = ("--model", "cifar_resnet8", "--weights", weights, "--data", "digits")
    called("new", "--study", study, *new, "--classes", "7,1, 4")
    opened = Study.open(study)
    assert (opened.info.classes, len(opened.info.all_classes), opened.info.num_classes) == (("1", "4", "7"), 10, 3)

    full = build_model("cifar_resnet8", 10)
    load_weights(full, weights)
    images, correct = images_of(opened), 0
    with torch.inference_mode():
        for inputs, labels in iterate(images.test, opened.info.normalization, batch=64):
            correct += int((full(inputs)[:, CHOSEN].argmax(1) == labels).sum())
    found, _ = called("evaluate", "--study", study, "--json")
    assert found["images"] == len(images.test) < 120
    assert found["top1"] == pytest.approx(correct / len(images.test), abs=1.5 / len(images.test))

    assert called("learn", "--study", study, *new, "--classes", "1,4,7", "--candidates", 3, "--images", 64, "--json")[0]
    said = refused("learn", "--study", study, *new, "--classes", "1,4")
    assert "this study is about the classes 1, 4, 7" in said
    assert "has no class 'x'" in refused("new", "--study", tmp_path / "no", *new, "--classes", "1,x")

    exported, _ = called("export", "--study", study, "--macs", 0.5, "--out", tmp_path / "out", "--json")
    assert legr.rebuild(exported["recipe"])(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    assert json.loads(Path(exported["recipe"]).read_text())["classes"] == ["1", "4", "7"]
    again = tmp_path / "again"
    called("new", "--study", again, "--recipe", exported["recipe"], "--data", "digits")
    assert Study.open(again).info.classes == ("1", "4", "7")


def test_names_with_commas(tmp_path: Path) -> None:
    folder = write_class_folders(tmp_path / "insects", ("ant, red", "ant, wood", "bee", "wasp"), n_train=40)
    new = ("--model", "cifar_resnet8", "--weights", "none", "--data", folder, "--normalize", "imagenet")
    for number, given in enumerate((["bee, ant, red"], ["ant, red", "bee"])):
        study = tmp_path / f"study-{number}"
        called("new", "--study", study, *new, *(part for names in given for part in ("--classes", names)))
        assert Study.open(study).info.classes == ("ant, red", "bee")
    same = ("--classes", "bee", "--classes", "ant, red")
    assert called("learn", "--study", study, *same, "--candidates", 2, "--images", 16, "--json")[0]
    assert "about the classes" in refused("learn", "--study", study, "--classes", "ant, wood,bee")
    assert "has no class 'ant'" in refused("new", "--study", tmp_path / "no", *new, "--classes", "ant,bee")
