"""Training from scratch by the command: killed and repeated it goes on; a study knows the weights as the program's."""

import json
from pathlib import Path

from safetensors import safe_open

from legr.study.store import Study
from tests.cli.processes import kill_when, run


def train(out: Path, *more: object) -> tuple[object, ...]:
    return ("train", "--model", "cifar_resnet8", "--data", "digits", "--epochs", 3, "--out", out, *more, "--json")


def test_killed_and_repeated_it_gives_the_same_weights(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.safetensors", tmp_path / "killed.safetensors"
    found, _ = run(*train(whole))
    kill_when("epoch 1 of 3", *train(killed))
    assert not killed.exists()
    again, said = run(*train(killed))
    assert "going on after epoch 1 of 3" in said
    assert [path.name for path in sorted(tmp_path.iterdir())] == [killed.name, whole.name]
    for name in ("top1", "loss", "heldout_top1", "best_epoch"):
        assert found[name] == again[name]
    assert run(*train(whole), code=2)[1].startswith(f"{whole} is there already")

    with safe_open(killed, framework="np") as file:
        made = json.loads(file.metadata()["made"])
    assert (made["model"], made["settings"]["epochs"], made["top1"]) == ("cifar_resnet8", 3, again["top1"])
    assert made["command"] == (
        "python -m legr train --out killed.safetensors --model cifar_resnet8 --data digits "
        "--normalize dataset --epochs 3 --seed 0"
    )

    study = tmp_path / "study"
    run("new", "--study", study, "--model", "cifar_resnet8", "--weights", killed, "--data", "digits")
    assert Study.open(study).info.weights_origin == "legr"
    dense, _ = run("evaluate", "--study", study, "--json")
    assert dense["top1"] == found["top1"]


def test_what_cannot_be_trained_is_said(tmp_path: Path) -> None:
    for arguments, said in (
        (("train", "--out", tmp_path / "w.safetensors"), "train needs --model and --data"),
        (train(tmp_path / "w.pth"), "weights are written as .safetensors"),
        (train(tmp_path / "w.safetensors", "--option", "lr=0"), "the learning rate must be above 0"),
        (train(tmp_path / "w.safetensors", "--option", "speed=9"), "has no setting 'speed'; choose of lr"),
        (train(tmp_path / "w.safetensors", "--option", "batch=1.5"), "batch must be a whole number"),
        (train(tmp_path / "w.safetensors", "--normalize", "none"), "normalize must be imagenet or dataset"),
    ):
        assert said in run(*arguments, code=2)[1]
