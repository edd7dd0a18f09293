"""Training from scratch by the command: killed and repeated it goes on; a study knows the weights as the program's."""

import json
import subprocess
from pathlib import Path

from safetensors import safe_open

from legr.study.store import Study
from tests.cli.processes import COMMAND, ROOT, kill_when, run


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
        "--normalize dataset --epochs 3 --input 1x3x32x32 --seed 0 --split-seed 0"
    )

    study = tmp_path / "study"
    run("new", "--study", study, "--model", "cifar_resnet8", "--weights", killed, "--data", "digits")
    assert Study.open(study).info.weights_origin == "legr"
    dense, _ = run("evaluate", "--study", study, "--json")
    assert dense["top1"] == found["top1"]


def test_a_second_training_to_the_same_file_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    out = tmp_path / "w.safetensors"
    long = train(out, "--epochs", 500)
    first = subprocess.Popen([*COMMAND, *map(str, long)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        assert first.stderr is not None
        assert any("epoch 1 of 500" in line for line in first.stderr)
        for second in (long, train(out, "--seed", 1)):  # also with other settings: the file is the same
            assert run(*second, code=2)[1].startswith("w.safetensors is being trained by another process; wait until")
        assert first.poll() is None  # undisturbed
    finally:
        first.kill()
        first.communicate()
    assert "going on after epoch" in kill_when("going on after", *long)[1]  # a killed one is not in the way


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
