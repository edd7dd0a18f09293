"""A pruned network comes back bit for bit: the zoo's by name, one's own by its factory, no pickle in between."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import legr
from legr.deploy.bundle import write_recipe
from legr.models.zoo import build_model, find_spec
from legr.structure.branches import without
from legr.structure.kept_sets import separating_kept_sets
from legr.structure.surgery import plan


class Own(nn.Module):
    """A grey, non-square network of one's own, with a buffer that no file holds."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 10, 3, 2), nn.BatchNorm2d(10)
        self.deep, self.head = nn.Conv2d(10, 10, 3, padding=1, groups=10), nn.Linear(10, num_classes)
        self.register_buffer("offset", torch.linspace(0, 1, 96)[:, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.stem(x + self.offset)))
        return self.head(self.deep(x).mean((2, 3)))


def export(folder: Path, model: nn.Module, name: str, shape: tuple[int, ...], classes: int) -> nn.Module:
    """Prune a model by a mask of the self-check and write it as `export` does."""
    for tensor in model.buffers():
        if tensor.is_floating_point() and tensor.dim() == 1:
            tensor.uniform_(0.5, 1.5)
    structure = legr.trace(model, torch.zeros(1, *shape))
    keep = next(separating_kept_sets(structure))
    smaller = legr.prune(model, structure, keep).eval()
    write_recipe(folder, smaller, name, classes, plan(model, structure, keep), {"input_shape": list(shape)})
    return smaller


def same(found: nn.Module, expected: nn.Module, shape: tuple[int, ...]) -> None:
    tensors = dict((*found.named_parameters(), *found.named_buffers()))
    wanted = dict((*expected.named_parameters(), *expected.named_buffers()))
    assert list(tensors) == list(wanted)
    assert all(
        torch.equal(tensors[name], wanted[name]) and tensors[name].dtype == wanted[name].dtype for name in wanted
    )
    image = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(found(image), expected(image))


def test_a_network_without_blocks_is_rebuilt(tmp_path: Path) -> None:
    model = build_model("cifar_resnet8", 10)
    structure = legr.trace(model, torch.zeros(1, 3, 32, 32))
    keep = without(next(separating_kept_sets(structure)), structure.branches[1:])
    smaller = legr.prune(model, structure, keep).eval()
    write_recipe(tmp_path, smaller, "cifar_resnet8", 10, plan(model, structure, keep), {})
    assert json.loads((tmp_path / "recipe.json").read_text())["format"] == 3
    same(rebuilt(tmp_path / "recipe.json"), smaller, (3, 32, 32))


def rebuilt(recipe: Path, factory: Callable[..., nn.Module] | None = None) -> nn.Module:
    """Rebuild, and fail where anything is unpickled on the way."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was unpickled")

    with pytest.MonkeyPatch.context() as patch:
        for place, name in ((pickle, "load"), (pickle, "loads"), (torch, "load")):
            patch.setattr(place, name, refuse)
        return legr.rebuild(recipe, factory=factory)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cifar_resnet8", "cifar_mobilenet_v2", "mnasnet0_5", "squeezenet1_1"])
def test_a_network_of_the_zoo(tmp_path: Path, name: str) -> None:
    shape = (3, 64, 48)
    expected = export(tmp_path, build_model(name, 5), name, shape, 5)
    same(rebuilt(tmp_path / "recipe.json"), expected, shape)


@pytest.mark.parametrize("factory", [Own, lambda: Own(4)], ids=["takes num_classes", "takes nothing"])
def test_a_network_of_ones_own(tmp_path: Path, factory: Callable[..., nn.Module]) -> None:
    shape = (1, 96, 160)
    expected = export(tmp_path, Own(4).eval(), "robot.nets:build", shape, 4)
    same(rebuilt(tmp_path / "recipe.json", factory), expected, shape)


def test_a_recipe_alone_imports_nothing(tmp_path: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own_folders / "robot_unnamed.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(own_folders))
    export(tmp_path, Own(4).eval(), "robot_unnamed:build", (1, 96, 160), 4)
    with pytest.raises(legr.SettingsError, match="was never named on this machine"):
        legr.rebuild(tmp_path / "recipe.json")


def test_a_factory_of_another_model_is_refused(tmp_path: Path) -> None:
    export(tmp_path, Own(4).eval(), "robot.nets:build", (1, 96, 160), 4)
    for factory, words in (
        (lambda: nn.Linear(3, 4), "has no stem.weight"),
        (lambda: 3, "must return a torch.nn.Module"),
    ):
        with pytest.raises(legr.LegrError, match=words):
            legr.rebuild(tmp_path / "recipe.json", factory=factory)  # type: ignore[arg-type]


def test_the_recipe_says_the_input(tmp_path: Path) -> None:
    spec = find_spec("cifar_resnet8")
    export(tmp_path, build_model(spec, 3), spec.name, spec.input_shape, 3)
    assert '"input_shape": [3, 32, 32]' in (tmp_path / "recipe.json").read_text()
