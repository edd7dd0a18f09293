"""A classifier cut to some classes gives their logits, and nothing else changes."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from legr.errors import SettingsError, WeightsError
from legr.models.head import load_for_classes
from legr.models.weights import save_weights
from legr.models.zoo import build_model

NAMES = [f"class {n}" for n in range(10)]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["cifar_resnet8", "cifar_vgg16_bn", "squeezenet1_1", "densenet121", "mobilenet_v2"])
def test_logits_are_those_of_the_chosen_classes(model: str, tmp_path: Path) -> None:
    full, file = build_model(model, 10, seed=3), tmp_path / "w.safetensors"
    save_weights(full, file)
    chosen = [1, 4, 9]
    loaded = load_for_classes(partial(build_model, model), file, [NAMES[n] for n in chosen], NAMES)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(loaded.network(images), full(images)[:, chosen], atol=1e-6)
        assert torch.allclose(loaded.whole(images), full(images), atol=1e-6)
    assert sum(p.numel() for p in loaded.network.parameters()) < sum(p.numel() for p in full.parameters())


def test_outputs_in_another_order_are_put_in_order(tmp_path: Path) -> None:
    full, file = build_model("cifar_resnet8", 10, seed=3), tmp_path / "w.safetensors"
    save_weights(full, file)
    found = load_for_classes(partial(build_model, "cifar_resnet8"), file, NAMES, NAMES[::-1]).network
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(found(images), full(images).flip(1), atol=1e-6)


def test_weights_of_these_classes_are_taken_as_they_are(tmp_path: Path) -> None:
    small, file = build_model("cifar_resnet8", 3, seed=3), tmp_path / "w.safetensors"
    save_weights(small, file)
    build = partial(build_model, "cifar_resnet8")
    found = load_for_classes(build, file, NAMES[:3], NAMES[:3]).network
    assert torch.equal(found.get_parameter("linear.weight"), small.get_parameter("linear.weight"))
    with pytest.raises(WeightsError, match="3 classes"):
        load_for_classes(build, file, NAMES[:3], NAMES)


def test_a_head_that_is_no_head_is_refused(tmp_path: Path) -> None:
    class Pairs(nn.Module):
        """Two numbers a class."""

        def __init__(self, classes: int) -> None:
            super().__init__()
            self.head = nn.Linear(4, 2 * classes)

    save_weights(Pairs(10), tmp_path / "w.safetensors")
    with pytest.raises(SettingsError, match=r"head\.weight has shape"):
        load_for_classes(Pairs, tmp_path / "w.safetensors", NAMES[:3], NAMES)
