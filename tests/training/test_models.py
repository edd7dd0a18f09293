"""The zoo: its names, its seeds, and that it leaves PyTorch's own generator alone."""

import pytest
import torch

from legr.errors import SettingsError
from legr.training.models import MODELS, build_model, model_spec
from legr.training.weights import hash_state

CIFAR = [f"cifar_resnet{depth}" for depth in (8, 14, 20, 32, 44, 56, 110)]
IMAGENET = ["resnet18", "resnet50", "mobilenet_v2"]


def test_the_zoo_has_the_promised_models() -> None:
    assert list(MODELS) == CIFAR + IMAGENET
    assert {MODELS[name].input_shape for name in CIFAR} == {(3, 32, 32)}
    assert {MODELS[name].input_shape for name in IMAGENET} == {(3, 224, 224)}
    assert all(name == spec.name for name, spec in MODELS.items())


# The counts that the papers and torchvision's documentation give for 1,000 ImageNet classes.
@pytest.mark.parametrize(
    ("name", "n_params"), [("resnet18", 11_689_512), ("resnet50", 25_557_032), ("mobilenet_v2", 3_504_872)]
)
def test_torchvision_models_have_their_published_size(name: str, n_params: int) -> None:
    assert sum(parameter.numel() for parameter in build_model(name, 1000).parameters()) == n_params


@pytest.mark.parametrize("name", ["cifar_resnet8", "mobilenet_v2"])
def test_a_model_is_in_eval_mode_and_has_the_classes_asked_for(name: str) -> None:
    model = build_model(name, 3)
    assert not any(module.training for module in model.modules())
    assert model(torch.zeros(1, *model_spec(name).input_shape)).shape == (1, 3)


@pytest.mark.parametrize("name", ["cifar_resnet8", "resnet18"])
def test_the_seed_alone_decides_the_weights(name: str) -> None:
    first, again, other = (hash_state(build_model(name, 10, seed).state_dict()) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_global_generator_is_left_as_it_was() -> None:
    before = torch.get_rng_state()
    build_model("cifar_resnet20", 10, seed=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_unknown_name_is_refused_with_the_list_of_names() -> None:
    with pytest.raises(SettingsError, match=r"cifar_resnet56, .*mobilenet_v2, got 'vgg'"):
        build_model("vgg", 10)


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match="num_classes must be at least 1, got 0"):
        build_model("cifar_resnet8", 0)
    with pytest.raises(SettingsError, match="seed must be in"):
        build_model("cifar_resnet8", 10, seed=-1)
