"""The CIFAR VGG-16 and MobileNetV2: sizes counted by hand, every unit prunable."""

from itertools import pairwise

import pytest
import torch

import legr
from legr.models.zoo import build_model

pytestmark = pytest.mark.slow


def vgg_parameters(classes: int) -> int:
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    convolutions = sum(9 * a * b + b for a, b in pairwise(widths))
    return convolutions + 2 * sum(widths[1:]) + 513 * classes


@pytest.mark.parametrize(
    ("name", "params"), [("cifar_vgg16_bn", vgg_parameters(10)), ("cifar_mobilenet_v2", 2_296_922)]
)
def test_sizes(name: str, params: int) -> None:
    assert sum(p.numel() for p in build_model(name, 10).parameters()) == params


def test_mobilenet_halves_the_image_three_times() -> None:
    model = build_model("cifar_mobilenet_v2", 10)
    assert model.get_submodule("layers")(torch.zeros(1, 32, 32, 32)).shape == (1, 320, 4, 4)


@pytest.mark.parametrize("name", ["cifar_vgg16_bn", "cifar_mobilenet_v2"])
def test_only_the_answers_are_held(name: str) -> None:
    structure = legr.trace(build_model(name, 10), torch.zeros(1, 3, 32, 32))
    assert [remark.channels for remark in structure.unprunable] == [10]
