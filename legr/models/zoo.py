"""Every architecture by name: our own, torchvision's and timm's, and factories of the user's own."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import MappingProxyType

import torch
from torch import nn

from legr.errors import SettingsError
from legr.models.cifar_mobilenet import CifarMobileNetV2
from legr.models.cifar_resnet import cifar_resnet
from legr.models.cifar_vgg import CifarVgg
from legr.models.config_file import named_models
from legr.models.factories import adopt, is_factory, known_spec
from legr.models.library import TIMM, library_names, library_spec
from legr.models.spec import ModelSpec

__all__ = ["CIFAR", "ModelSpec", "build_model", "choose_model", "find_spec"]

_CIFAR: dict[str, Callable[[int], nn.Module]] = {
    **{f"cifar_resnet{depth}": partial(cifar_resnet, depth) for depth in (8, 14, 20, 32, 44, 56, 110)},
    "cifar_vgg16_bn": CifarVgg,
    "cifar_mobilenet_v2": CifarMobileNetV2,
}
CIFAR: Mapping[str, ModelSpec] = MappingProxyType(
    {name: ModelSpec(name, build, (3, 32, 32), False, 10) for name, build in _CIFAR.items()}
)
"""The architectures of this program itself."""


def find_spec(name: str) -> ModelSpec:
    """Return the architecture called `name`; code of the user's own only where they have named it before.

    Raises:
        SettingsError: there is no such model; the message says which names come close.
    """
    if name in CIFAR:
        return CIFAR[name]
    if name.endswith(".pt2"):
        raise SettingsError(
            f"{Path(name).name} is a torch.export program, and reading one can run code that it holds; name the "
            "package.module:factory of its model, or, from Python, trace torch.export.load(…).module() if you trust it"
        )
    if is_factory(name) and not name.startswith(TIMM):
        return known_spec(name)
    spec = library_spec(name)
    if spec is None:
        close = get_close_matches(name, [*CIFAR, *library_names(name)], n=5, cutoff=0.5)
        raise SettingsError(
            f"model must be one of {', '.join(CIFAR)}, a name of torchvision's, {TIMM}NAME or package.module:factory, "
            f"got {name!r}" + (f"; close to it: {', '.join(close)}" if close else "")
        )
    return spec


def choose_model(name: str) -> tuple[ModelSpec, Path | None]:
    """Return what this machine's user means by `--model`, and the weights that the configuration file names for it.

    A factory named here may be imported from now on: never hand on what came from a study, a recipe or a browser.

    Raises:
        SettingsError: there is no such model, it cannot be imported, or the configuration file is damaged.
    """
    named = named_models().get(name)
    if named is not None:
        spec = adopt(named.factory, named.folder)
        return replace(spec, input_shape=named.input_shape or spec.input_shape), named.weights
    if is_factory(name) and not name.startswith(TIMM):
        return adopt(name, Path.cwd()), None
    return find_spec(name), None


def build_model(model: str | ModelSpec, num_classes: int, seed: int = 0) -> nn.Module:
    """Return a model in eval mode, with random weights that `seed` alone decides.

    Args:
        model: a name for `find_spec`, or what it returned.
        num_classes: outputs, at least 1.
        seed: any integer in [0, 2**63); PyTorch's own generators are left as they were.

    Raises:
        SettingsError: an unknown name, or a number of classes or a seed out of range.
    """
    spec = find_spec(model) if isinstance(model, str) else model
    if num_classes < 1:
        raise SettingsError(f"num_classes must be at least 1, got {num_classes}")
    if not 0 <= seed < 2**63:
        raise SettingsError(f"seed must be in [0, 2**63), got {seed}")
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: that would also seed the accelerators, which this fork does not restore.
        torch.default_generator.manual_seed(seed)
        return spec.build(num_classes).eval()
