"""The zoo: its names, its sizes, its seeds, and that it leaves PyTorch's own generator alone."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from legr.errors import SettingsError
from legr.models.weights import hash_state, load_weights, save_weights
from legr.models.zoo import CIFAR, build_model, choose_model, find_spec

# The counts that the papers and torchvision's documentation give for 1,000 ImageNet classes.
PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "mobilenet_v2": 3_504_872,
    "squeezenet1_1": 1_235_496,
    "shufflenet_v2_x1_0": 2_278_604,
    "mnasnet1_0": 4_383_312,
    "googlenet": 13_004_888,  # with its two training heads
    "inception_v3": 27_161_264,  # with its training head
    "regnet_y_400mf": 4_344_144,
    "efficientnet_b0": 5_288_548,
    "mobilenet_v3_small": 2_542_856,
    "swin_t": 28_288_354,
}


def test_our_own_models_take_cifar_images() -> None:
    depths = [f"cifar_resnet{depth}" for depth in (8, 14, 20, 32, 44, 56, 110)]
    assert list(CIFAR) == [*depths, "cifar_vgg16_bn", "cifar_mobilenet_v2"]
    assert {spec.input_shape for spec in CIFAR.values()} == {(3, 32, 32)}
    assert all(name == spec.name for name, spec in CIFAR.items())


@pytest.mark.parametrize("name", PUBLISHED)
def test_torchvision_models_have_their_published_size(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = build_model(name, 1000)
    assert sum(parameter.numel() for parameter in model.parameters()) == PUBLISHED[name]


def test_every_classification_name_of_torchvision_is_known() -> None:
    from torchvision import models

    specs = [find_spec(name) for name in models.list_models(module=models)]
    assert len(specs) > 70
    assert not any(spec.dense for spec in specs)
    assert {spec.input_shape for spec in specs} == {(3, 224, 224), (3, 299, 299)}
    assert find_spec("inception_v3").input_shape == (3, 299, 299)


@pytest.mark.parametrize("name", ["cifar_resnet8", "cifar_vgg16_bn", "cifar_mobilenet_v2", "mobilenet_v2"])
def test_a_model_is_in_eval_mode_and_has_the_classes_asked_for(name: str) -> None:
    model = build_model(name, 3)
    assert not any(module.training for module in model.modules())
    assert model(torch.zeros(1, *find_spec(name).input_shape)).shape == (1, 3)


@pytest.mark.parametrize("name", ["cifar_resnet8", "cifar_mobilenet_v2", "resnet18", "ssdlite320_mobilenet_v3_large"])
def test_the_seed_alone_decides_the_weights(name: str) -> None:
    first, again, other = (hash_state(build_model(name, 10, seed).state_dict()) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_global_generator_is_left_as_it_was() -> None:
    before = torch.get_rng_state()
    build_model("cifar_resnet20", 10, seed=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_unknown_name_is_refused_with_those_that_come_close() -> None:
    with pytest.raises(SettingsError, match=r"cifar_resnet56, .*got 'resnet9'; close to it: .*resnet50"):
        build_model("resnet9", 10)
    with pytest.raises(SettingsError, match="a head that runs on the boxes"):
        find_spec("maskrcnn_resnet50_fpn")


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match="num_classes must be at least 1, got 0"):
        build_model("cifar_resnet8", 0)
    with pytest.raises(SettingsError, match="seed must be in"):
        build_model("cifar_resnet8", 10, seed=-1)


def test_weights_of_a_model_with_versions_can_be_read_back(tmp_path: Path) -> None:
    """MNASNet refuses a state without a version, and no safetensors file has one."""
    first, second = (build_model("mnasnet0_5", 10, seed) for seed in (1, 2))
    save_weights(first, tmp_path / "a.safetensors")
    load_weights(second, tmp_path / "a.safetensors")
    assert hash_state(first.state_dict()) == hash_state(second.state_dict())


def test_a_name_of_the_zoo_is_chosen_as_it_is() -> None:
    assert choose_model("cifar_resnet8") == (CIFAR["cifar_resnet8"], None)


def test_without_timm_there_is_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="timm:resnet26t needs timm, which is not installed; pip install timm"):
        find_spec("timm:resnet26t")


@pytest.mark.parametrize("name", ["timm:hf-hub:someone/something", "timm:local-dir:/tmp", "timm:resnet27"])
def test_timm_is_asked_for_its_own_models_only(name: str) -> None:
    """Its create_model would also download, or open a folder."""
    pytest.importorskip("timm")
    with pytest.raises(SettingsError, match="model must be one of"):
        find_spec(name)


@pytest.mark.slow
def test_names_of_our_own_do_not_wait_for_torchvision() -> None:
    code = "import sys; from legr.models.zoo import build_model; build_model('cifar_resnet8', 2); "
    code += "sys.exit('torchvision' in sys.modules or 'timm' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
