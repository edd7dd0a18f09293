"""`inspect`: facts that agree with independent counts, reasons, and one sentence where nothing can be said."""

import re
from pathlib import Path

import pytest
from safetensors.torch import save_file

from legr.models.zoo import build_model
from tests.cli.processes import called, refused


def test_inspect_says_what_can_go_and_why_the_rest_cannot() -> None:
    found, _ = called("inspect", "--model", "cifar_resnet8", "--json")
    assert found["inputs"] == [[1, 3, 32, 32]]
    assert found["params"] == sum(p.numel() for p in build_model("cifar_resnet8", 10).parameters())
    assert found["prunable_macs"] == 1.0
    assert 0 < found["floor"]["macs"] < 0.1 and 0 < found["floor"]["params"] < 0.1
    assert found["self_check"] < 1e-12
    assert [(r["operation"], r["channels"]) for r in found["held"]] == [("output", 10)]
    assert found["untouched"] == []

    said, _ = called("inspect", "--model", "cifar_resnet8", "--classes", 3)
    assert said.startswith("cifar_resnet8 on 1x3x32x32: ")
    assert re.search(r"\n +3  output: they are the model's output", said)


def test_inspect_takes_sizes_and_weights(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file(build_model("cifar_resnet8", 10, seed=4).state_dict(), file)
    small, _ = called("inspect", "--model", "cifar_resnet8", "--input", "1x3x16x48", "--weights", file, "--json")
    usual, _ = called("inspect", "--model", "cifar_resnet8", "--json")
    assert small["inputs"] == [[1, 3, 16, 48]]
    assert small["macs"] < usual["macs"]


@pytest.mark.slow
@pytest.mark.thorough
def test_a_detector_is_inspected_with_its_own_weights(tmp_path: Path) -> None:
    """Files from elsewhere name a detector's parameters without our wrapper."""
    file, name, small = tmp_path / "w.safetensors", "ssdlite320_mobilenet_v3_large", ("--input", "1x3x96x96")
    save_file(build_model(name, 4).get_submodule("detector").state_dict(), file)
    found, _ = called("inspect", "--model", name, "--classes", 4, "--weights", file, *small, "--json")
    assert found["prunable_macs"] > 0.5
    assert {"operation", "module", "reason", "channels"} <= set(found["held"][0])


def test_what_cannot_be_traced_is_one_sentence() -> None:
    for arguments, words in (
        (("--model", "resnet9"), "close to it"),
        (("--model", "cifar_resnet8", "--input", "1x4x32x32"), "forward fails on an input of shape (1, 4, 32, 32)"),
        (("--model", "cifar_resnet8", "--input", "2x3x32x32"), "batch"),
        (("--model", "cifar_resnet8", "--classes", 0), "classes must be in [1, 100000], got 0"),
        (("--model", "keypointrcnn_resnet50_fpn"), "Faster R-CNN"),
        (("--model", "some/place/net.pt2"), "net.pt2 is a torch.export program, and reading one can run code"),
        (("--model", "no.such.package:factory"), "there is no module no"),
        (("--input", "1x3x32x32"), "--model"),
    ):
        said = refused("inspect", *arguments)
        assert words in said.splitlines()[-1], (arguments, said)
