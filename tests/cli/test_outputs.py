"""`new` says how the original does, warns where that is guessing, and takes the order of the outputs of the weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.cli.processes import ROOT, called, refused

pytestmark = pytest.mark.slow
DIGITS = "0123456789"


def new(study: Path, weights: Path, *options: object) -> tuple[object, ...]:
    about = ("--model", "cifar_resnet20", "--weights", weights, "--data", "digits", "--input", "1x3x32x32")
    return ("new", "--study", study, *about, *options)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """The sample's weights, of the classes 0 to 9."""
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in load_file(ROOT / "samples" / "digits-resnet20" / "weights.safetensors").items()
    }


def reordered(state: dict[str, torch.Tensor], order: str, path: Path) -> Path:
    rows = torch.tensor([DIGITS.index(name) for name in order])
    head = {name: tensor[rows] for name, tensor in state.items() if name.startswith("linear.")}
    assert len(head) == 2
    save_file(state | head, path)
    return path


@pytest.mark.thorough
def test_outputs_in_another_order_are_warned_of_and_can_be_named(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    order = "7531902468"
    plain = reordered(state, DIGITS, tmp_path / "plain.safetensors")
    mixed = reordered(state, order, tmp_path / "mixed.safetensors")
    said, _ = called(*new(tmp_path / "plain", plain, "--json"))
    assert said["warning"] is None
    assert said["heldout"]["top1"] > 0.9
    sentence, _ = called(*new(tmp_path / "mixed", mixed))
    assert "no better than guessing among 10 classes" in sentence
    assert "--outputs" in sentence
    named, _ = called(*new(tmp_path / "named", mixed, "--outputs", ",".join(order), "--json"))
    assert named["heldout"] == said["heldout"]
    # The same may be given again, and other outputs are other weights.
    again = ("learn", *new(tmp_path / "named", mixed)[1:], "--candidates", 1, "--images", 16)
    called(*again, "--outputs", ",".join(order))
    assert "other --weights" in refused(*again)
    assert "give both" in refused("learn", "--study", tmp_path / "named", "--outputs", order)


@pytest.mark.thorough
def test_weights_of_more_classes_are_cut_to_those_of_the_images(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    order = "7531902468"
    mixed = reordered(state, order, tmp_path / "mixed.safetensors")
    said, _ = called(*new(tmp_path / "some", mixed, "--outputs", ",".join(order), "--classes", "2,9,5", "--json"))
    assert said["heldout"]["top1"] > 0.95


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ("0,1,2,3,4,5,6,7,8,8", "outputs must name each class once, got '8' twice"),
        ("0,1,2,3,4,5,6,7,8", "outputs must name every class of the images, got none for 9"),
        ("0,1,2,3,4,5,6,7,8,9,ten", "was trained for 10 classes and the model has 11"),
    ],
)
def test_outputs_that_cannot_be_are_refused(
    state: dict[str, torch.Tensor], tmp_path: Path, outputs: str, message: str
) -> None:
    weights = reordered(state, DIGITS, tmp_path / "w.safetensors")
    assert message in refused(*new(tmp_path / "s", weights, "--outputs", outputs))
    assert not (tmp_path / "s" / "study.json").exists()


def test_random_weights_are_told_from_outputs_in_another_order(tmp_path: Path) -> None:
    about = ("--model", "cifar_resnet8", "--data", "digits", "--input", "1x3x32x32")
    said, _ = called("new", "--study", tmp_path / "s", *about, "--weights", "none", "--json")
    assert "its weights are random" in said["warning"]
    assert "--weights" in refused("new", "--study", tmp_path / "t", *about, "--weights", "none", "--outputs", DIGITS)


def test_a_variance_below_zero_is_refused(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    bad = {name: -tensor.abs() - 1 if name == "bn1.running_var" else tensor for name, tensor in state.items()}
    save_file(bad, tmp_path / "w.safetensors")
    said = refused(*new(tmp_path / "s", tmp_path / "w.safetensors"))
    assert "holds bn1.running_var of -" in said
    assert "a variance must be 0 or more" in said
