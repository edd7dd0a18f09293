"""The zoo: every architecture a study can start from, by name.

It does not know weights files (see `weights.py`), data or pruning.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import torch
from torch import nn

from legr.errors import SettingsError
from legr.training.cifar_resnet import cifar_resnet

__all__ = ["MODELS", "ModelSpec", "build_model", "model_spec"]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One architecture of the zoo.

    Attributes:
        name: the key in `MODELS`.
        build: number of classes -> a model with random weights.
        input_shape: (channels, height, width) that it was designed for.
    """

    name: str
    build: Callable[[int], nn.Module]
    input_shape: tuple[int, int, int]


def model_spec(name: str) -> ModelSpec:
    """Return the architecture called `name`.

    Raises:
        SettingsError: the zoo has no such name; the message lists those it has.
    """
    try:
        return MODELS[name]
    except KeyError:
        raise SettingsError(f"model must be one of {', '.join(MODELS)}, got {name!r}") from None


def build_model(name: str, num_classes: int, seed: int = 0) -> nn.Module:
    """Return the model called `name` in eval mode, with random weights that `seed` alone decides.

    Args:
        name: a key of `MODELS`.
        num_classes: outputs, at least 1.
        seed: any integer in [0, 2**63); PyTorch's own generators are left as they were.

    Raises:
        SettingsError: an unknown name, or a number of classes or a seed out of range.
    """
    spec = model_spec(name)
    if num_classes < 1:
        raise SettingsError(f"num_classes must be at least 1, got {num_classes}")
    if not 0 <= seed < 2**63:
        raise SettingsError(f"seed must be in [0, 2**63), got {seed}")
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: that would also seed the accelerators, which this fork does not restore.
        torch.default_generator.manual_seed(seed)
        return spec.build(num_classes).eval()


def _build_cifar_resnet(depth: int, num_classes: int) -> nn.Module:
    return cifar_resnet(depth, num_classes)


def _build_torchvision(name: str, num_classes: int) -> nn.Module:
    import torchvision  # type: ignore[import-untyped]  # here, because it costs a second to load

    model: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=num_classes)
    return model


def _zoo() -> Mapping[str, ModelSpec]:
    cifar = [
        ModelSpec(f"cifar_resnet{depth}", partial(_build_cifar_resnet, depth), (3, 32, 32))
        for depth in (8, 14, 20, 32, 44, 56, 110)
    ]
    imagenet = [
        ModelSpec(name, partial(_build_torchvision, name), (3, 224, 224))
        for name in ("resnet18", "resnet50", "mobilenet_v2")
    ]
    return MappingProxyType({spec.name: spec for spec in (*cifar, *imagenet)})


MODELS: Mapping[str, ModelSpec] = _zoo()
