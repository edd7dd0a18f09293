"""The CIFAR ResNet: names, counts and shortcuts against the paper and akamaster's implementation."""

import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from legr.data.load import IMAGENET_NORMALIZATION, Split, iterate, load_dataset
from legr.errors import SettingsError
from legr.models.cifar_resnet import BasicBlock, cifar_resnet
from legr.models.weights import load_weights
from legr.models.zoo import build_model
from legr.structure.gather_channels import GatherChannels


def akamaster_names(n_blocks: int) -> set[str]:
    norm = ("weight", "bias", "running_mean", "running_var")
    names = {"conv1.weight", "linear.weight", "linear.bias", *(f"bn1.{part}" for part in norm)}
    for stage in (1, 2, 3):
        for block in range(n_blocks):
            for number in (1, 2):
                names.add(f"layer{stage}.{block}.conv{number}.weight")
                names.update(f"layer{stage}.{block}.bn{number}.{part}" for part in norm)
    return names


@pytest.mark.parametrize("n_blocks", [1, 3, 9])
def test_names_are_those_of_the_published_weights(n_blocks: int) -> None:
    state = cifar_resnet(6 * n_blocks + 2).state_dict()
    assert {name for name in state if "num_batches_tracked" not in name} == akamaster_names(n_blocks)


@pytest.mark.parametrize(("depth", "n_params"), [(20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018)])
def test_parameter_counts_are_those_of_akamaster(depth: int, n_params: int) -> None:
    assert sum(parameter.numel() for parameter in cifar_resnet(depth).parameters()) == n_params


def test_the_shortcut_takes_every_second_pixel_and_pads_both_sides() -> None:
    block = BasicBlock(16, 32, stride=2).eval()
    assert isinstance(block.shortcut, GatherChannels)
    torch.nn.init.zeros_(block.bn2.weight)  # so that only the shortcut is left
    x = torch.rand(2, 16, 7, 6, generator=torch.Generator().manual_seed(0))
    expected = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 8, 8))
    torch.testing.assert_close(block(x), expected, rtol=0, atol=0)


def test_the_shortcut_of_a_block_that_keeps_its_width_is_the_identity() -> None:
    block = BasicBlock(16, 16, stride=1).eval()
    torch.nn.init.zeros_(block.bn2.weight)
    x = torch.rand(1, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("shape", [(32, 32), (8, 8), (33, 17), (64, 64), (1, 1)])
def test_any_input_size_gives_one_row_an_image(shape: tuple[int, int]) -> None:
    model = cifar_resnet(8, num_classes=7).eval()
    assert model(torch.zeros(2, 3, *shape)).shape == (2, 7)


def test_weights_start_kaiming_normal() -> None:
    weight = build_model("cifar_resnet56", 10).get_parameter("layer3.5.conv1.weight")
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.03)
    assert weight.mean().item() == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("depth", [2, 18, 21, -4])
def test_a_depth_that_is_not_6n_plus_2_is_refused(depth: int) -> None:
    with pytest.raises(SettingsError, match=rf"6n \+ 2.*got {depth}"):
        cifar_resnet(depth)


def count_right(name: str, weights: Path, split: Split) -> int:
    model = build_model(name, 10).to(memory_format=torch.channels_last)
    load_weights(model, weights)
    with torch.inference_mode():
        return sum(
            int((model(inputs).argmax(1) == labels).sum())
            for inputs, labels in iterate(split, IMAGENET_NORMALIZATION, batch=500)
        )


@pytest.mark.slow
@pytest.mark.needs_data
@pytest.mark.thorough
def test_resnet20_has_its_published_accuracy_on_all_test_images(real_data: Path) -> None:
    test = load_dataset(str(real_data / "cifar10")).test
    right = count_right("cifar_resnet20", real_data / "weights" / "resnet20-12fca82f.th", test)
    assert len(test) == 10_000
    assert right / len(test) == pytest.approx(0.9173, abs=0.0002)


@pytest.mark.slow
@pytest.mark.needs_data
def test_resnet56_has_its_measured_accuracy_on_a_tenth_of_the_test_images(real_data: Path) -> None:
    """On all 10,000 it gets 9,339 right (93.39 %), which takes a quarter of a minute on two cores."""
    test = load_dataset(str(real_data / "cifar10")).test
    tenth = Split(test.images[:1000], test.labels[:1000])
    right = count_right("cifar_resnet56", real_data / "weights" / "resnet56-4bfd9763.th", tenth)
    assert right == pytest.approx(931, abs=1)  # of the first thousand in order of content
