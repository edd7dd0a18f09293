"""Training from scratch by the command: killed and repeated it goes on; a study knows the weights as the program's."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from legr.models.weights import save_weights
from legr.study.store import Study
from tests.cli.processes import COMMAND, ROOT, called, interrupted, kill_when, refused


def train(out: Path, *more: object) -> tuple[object, ...]:
    return ("train", "--model", "cifar_resnet8", "--data", "digits", "--epochs", 3, "--out", out, *more, "--json")


@pytest.mark.slow
@pytest.mark.thorough
def test_killed_and_repeated_it_gives_the_same_weights(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.safetensors", tmp_path / "killed.safetensors"
    found, _ = called(*train(whole))
    kill_when("epoch 1 of 3", *train(killed))
    assert not killed.exists()
    again, said = called(*train(killed))
    assert "going on after epoch 1 of 3" in said
    assert [path.name for path in sorted(tmp_path.iterdir())] == [killed.name, whole.name]
    for name in ("top1", "loss", "heldout_top1", "best_epoch"):
        assert found[name] == again[name]
    assert refused(*train(whole)).startswith(f"{whole} is there already")

    made = _made(killed)
    assert (made["model"], made["settings"]["epochs"], made["top1"]) == ("cifar_resnet8", 3, again["top1"])
    assert made["command"] == (
        "python -m legr train --out killed.safetensors --model cifar_resnet8 --data digits "
        "--normalize dataset --input 1x3x32x32 --epochs 3 --seed 0 --split-seed 0"
    )

    study = tmp_path / "study"
    called("new", "--study", study, "--model", "cifar_resnet8", "--weights", killed, "--data", "digits")
    assert Study.open(study).info.weights_origin == "legr"
    original, _ = called("evaluate", "--study", study, "--json")
    assert original["top1"] == found["top1"]


@pytest.mark.slow
def test_killed_with_its_weights_written_it_ends_as_undisturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_die(*arguments: Any, **more: Any) -> None:
        save_weights(*arguments, **more)
        raise KeyboardInterrupt

    out, small = tmp_path / "w.safetensors", ("--epochs", 1, "--input", "1x3x16x16")
    with monkeypatch.context() as patch:
        patch.setattr("legr.commands.train.save_weights", write_and_die)
        called(*train(out, *small), code=130)
    content, left = out.read_bytes(), len([*tmp_path.iterdir()])
    assert left == 2  # the checkpoint as well
    for other in ("--seed", 1), ("--half",):
        assert "is there already" in refused(*train(out, *small, *other))
    assert len([*tmp_path.iterdir()]) == left

    found, _ = called(*train(out, *small))
    made = _made(out)
    assert {name: made[name] for name in found} == found
    assert [*tmp_path.iterdir()] == [out] and out.read_bytes() == content
    assert "is there already" in refused(*train(out, *small))


@pytest.mark.slow
@pytest.mark.thorough
def test_another_cycle_begins_with_given_weights_and_its_header_tells_both(tmp_path: Path) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    before, _ = called(*train(first))
    interrupted("epoch 1 of 3", *train(second, "--weights", first, "--seed", 1))
    after, said = called(*train(second, "--weights", first, "--seed", 1))
    assert "going on after epoch 1 of 3" in said
    assert after["loss"] < before["loss"]  # six epochs in all know more than three
    begun, made = _made(first), _made(second)
    assert made["first"]["made"] == begun
    assert "--seed 1" in made["command"] and "--weights first.safetensors" in made["command"]
    assert str(tmp_path) not in json.dumps(made)

    # Never trained on held-out images: only if that is so of the first weights as well.
    other, mixed = tmp_path / "other.safetensors", tmp_path / "mixed.safetensors"
    called(*train(other, "--split-seed", 1, "--epochs", 1))
    called(*train(mixed, "--weights", other, "--epochs", 1))
    for weights, origin in ((second, "legr"), (mixed, "elsewhere")):
        study = tmp_path / weights.stem
        called("new", "--study", study, "--model", "cifar_resnet8", "--weights", weights, "--data", "digits")
        assert Study.open(study).info.weights_origin == origin
    said = refused(*train(tmp_path / "no.safetensors", "--weights", first, "--model", "cifar_resnet20"))
    assert "does not fit the model" in said


def _made(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="np") as file:
        made: dict[str, Any] = json.loads(file.metadata()["made"])
    return made


@pytest.mark.slow
def test_a_second_training_to_the_same_file_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    out = tmp_path / "w.safetensors"
    long = train(out, "--epochs", 500)
    first = subprocess.Popen([*COMMAND, *map(str, long)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        assert first.stderr is not None
        assert any("epoch 1 of 500" in line for line in first.stderr)
        for second in (long, train(out, "--seed", 1)):  # also with other settings: the file is the same
            assert refused(*second).startswith("w.safetensors is being trained by another process; wait until")
        assert first.poll() is None  # undisturbed
    finally:
        first.kill()
        first.communicate()
    assert "going on after epoch" in interrupted("going on after", *long)  # a killed one is not in the way


def test_what_cannot_be_trained_is_said(tmp_path: Path) -> None:
    for arguments, said in (
        (("train", "--out", tmp_path / "w.safetensors"), "train needs --model and --data"),
        (train(tmp_path / "w.pth"), "weights are written as .safetensors"),
        (train(tmp_path / "w.safetensors", "--option", "lr=0"), "lr must be in (0, 1000], got 0"),
        (train(tmp_path / "w.safetensors", "--option", "speed=9"), "--option sets one of lr, batch"),
        (train(tmp_path / "w.safetensors", "--option", "epochs=1.5"), "--option sets one of lr, batch"),
        (train(tmp_path / "w.safetensors", "--seed", 10**16), "seed must be in [0, 4294967295]"),
        (train(tmp_path / "w.safetensors", "--input", "1x1x8x8"), "does not take an input of 1x1x8x8"),
        (train(tmp_path / "w.safetensors", "--input", "1x1x8x8", "--normalize", "imagenet"), "of 3 channels"),
        (train(tmp_path / "w.safetensors", "--option", "batch=1.5"), "batch must be a whole number"),
        (train(tmp_path / "w.safetensors", "--normalize", "none"), "normalize must be imagenet or dataset"),
    ):
        assert said in refused(*arguments)
