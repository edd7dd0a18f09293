"""An exported network is rebuilt exactly; a recipe from elsewhere can do no harm."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import legr
from legr.deploy.bundle import write_recipe, zip_files
from legr.models.zoo import build_model
from legr.structure.surgery import plan


@pytest.fixture
def bundle(tmp_path: Path) -> tuple[Path, torch.nn.Module]:
    model = build_model("cifar_resnet8", 10)
    structure = legr.trace(model, torch.zeros(1, 3, 32, 32))
    keep = legr.Keep(np.random.default_rng(0).random(structure.n_units) < 0.6)
    network = legr.prune(model, structure, keep).eval()
    write_recipe(tmp_path, network, "cifar_resnet8", 10, plan(model, structure, keep), {"macs": 1})
    return tmp_path / "recipe.json", network


def test_a_bundle_rebuilds_the_network(bundle: tuple[Path, torch.nn.Module]) -> None:
    recipe, network = bundle
    image = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(legr.rebuild(recipe)(image), network(image))


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"model": "os.system"},
        {"num_classes": 10**9},
        {"num_classes": -1},
        {"plan": {"slices": [["conv1.weight", 0, [99]]], "attributes": [], "indexes": []}},
        {"plan": {"slices": [["conv1.weight", 9, [0]]], "attributes": [], "indexes": []}},
        {"plan": {"slices": [["conv1.stride", 0, [0]]], "attributes": [], "indexes": []}},
        {"plan": {"slices": [["no.such", 0, [0]]], "attributes": [], "indexes": []}},
        {"plan": {"slices": [["conv1.weight", 0, [2**40]]], "attributes": [], "indexes": []}},
        {"plan": {"slices": [], "attributes": [["conv1", "__class__", 1]], "indexes": []}},
        {"plan": {"slices": [], "attributes": [["conv9", "groups", 1]], "indexes": []}},
        {"plan": []},
        {"weights": {"file": "../../etc/passwd", "sha256": ""}},
    ],
)
def test_a_hostile_or_damaged_recipe_is_one_sentence(
    bundle: tuple[Path, torch.nn.Module], change: dict[str, Any]
) -> None:
    recipe, _ = bundle
    recipe.write_text(json.dumps({**json.loads(recipe.read_text()), **change}))
    with pytest.raises(legr.LegrError):
        legr.rebuild(recipe)


def test_zips_of_the_same_files_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    digests = set()
    for name in ("1.zip", "2.zip"):
        zip_files(tmp_path / name, [tmp_path / "a.txt"])
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1
