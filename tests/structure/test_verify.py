"""The proof itself must be able to fail."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

import legr
from legr.models.zoo import build_model
from legr.structure.kept_sets import lopsided_kept_sets, separating_kept_sets
from legr.structure.types import Axis, Structure, readonly
from tests.nets import N_UNITS, Residual, example, make


@pytest.mark.parametrize("kind", N_UNITS, ids=lambda kind: kind.__name__)
def test_zeroed_is_removed(kind: type[nn.Module]) -> None:
    model = make(kind)
    assert legr.verify(model, legr.trace(model, example()), example()) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cifar_resnet20", pytest.param("cifar_resnet56", marks=pytest.mark.thorough)])
def test_zeroed_is_removed_in_the_zoo(name: str) -> None:
    model, image = build_model(name, 10), torch.zeros(1, 3, 32, 32)
    assert legr.verify(model, legr.trace(model, image), image) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "units"),
    [
        pytest.param("resnet18", 2880, marks=pytest.mark.thorough),
        pytest.param("mobilenet_v2", 9128, marks=pytest.mark.thorough),
        pytest.param("resnet50", 11456, marks=pytest.mark.thorough),
    ],
)
def test_zeroed_is_removed_on_torchvision(name: str, units: int) -> None:
    model, image = torchvision.models.get_model(name), torch.zeros(1, 3, 64, 64)
    structure = legr.trace(model, image)
    assert structure.n_units == units
    assert legr.verify(model, structure, image) < 1e-12


def test_masks_separate_every_pair_of_units() -> None:
    structure = legr.trace(make(Residual), example())
    kept = np.array([keep.units for keep in separating_kept_sets(structure)])
    for a in range(structure.n_units):
        for b in range(a):
            assert (kept[:, a] != kept[:, b]).any()


@pytest.mark.parametrize("width", [4, 5, 16, 203])
def test_halves_of_a_layer_keep_different_numbers(width: int) -> None:
    model = nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Conv2d(width, 4, 1), nn.Flatten(), nn.Linear(4 * 36, 2))
    structure = legr.trace(model, torch.zeros(1, 3, 8, 8))
    front, back = lopsided_kept_sets(structure)
    for first in (0, width):  # the units of a layer are numbered one after the other
        size = 4 if first else width
        for keep, sign in ((front, 1), (back, -1)):
            halves = keep.units[first : first + size // 2].sum(), keep.units[first + size // 2 : first + size].sum()
            assert sign * (int(halves[0]) - int(halves[1])) > 0


def test_every_swap_of_two_labels_is_caught() -> None:
    """23 of 40 planted mistakes slip through one random kept set; none may slip through these."""
    model = make(Residual)
    structure = legr.trace(model, example())
    rng = np.random.default_rng(0)
    for _ in range(12):
        with pytest.raises(legr.VerificationError, match="cannot be pruned"):
            legr.verify(model, _with_swapped_labels(structure, rng), example())


def test_a_wrong_cost_is_caught() -> None:
    model = make(Residual)
    structure = legr.trace(model, example())
    wrong = replace(structure, ops=(replace(structure.ops[0], macs=structure.ops[0].macs + 1), *structure.ops[1:]))
    with pytest.raises(legr.VerificationError, match="predicted cost"):
        legr.verify(model, wrong, example())


def _with_swapped_labels(structure: Structure, rng: np.random.Generator) -> Structure:
    """Exchange two units on one axis only: what torch-pruning does at a padded shortcut."""
    axes = list(structure.axes)
    cut = [i for i, axis in enumerate(axes) if axis.labels.any() and axis.parameter.endswith("weight")]
    place = int(rng.choice(cut))
    axis = axes[place]
    labels = axis.labels.copy()
    a, b = rng.choice(len(labels), size=2, replace=False)
    labels[[a, b]] = labels[[b, a]]
    axes[place] = Axis(axis.parameter, axis.dim, readonly(labels))
    return replace(structure, axes=tuple(axes))


def test_a_dead_output_proves_nothing_and_is_refused() -> None:
    class Dead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.head(self.conv(x)) - 1e6).mean((2, 3))

    model = make(Dead)
    with pytest.raises(legr.VerificationError, match="does not depend on its input"):
        legr.verify(model, legr.trace(model, example()), example())
