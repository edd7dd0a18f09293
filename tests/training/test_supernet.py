"""Shared training: every network is trained, weights are interpolated, kill and resume end the same."""

import copy
import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from legr import BudgetCurve, filter_norms, rank, trace
from legr.data.images import Dataset
from legr.data.load import load_dataset
from legr.errors import SettingsError
from legr.models.zoo import build_model
from legr.progress import Progress, silent
from legr.structure.cost import cost
from legr.structure.types import Keep
from legr.training.calibration import PLAIN
from legr.training.slices import Slice, Slices
from legr.training.supernet import Supernet, SupernetObjective, finish, norm_parameters, resized
from legr.training.supernet_settings import SupernetSettings
from legr.training.teacher import Teacher
from legr.training.train import Run, Trained, copied, fit
from tests.training.test_train import Killed, assert_same

CPU = torch.device("cpu")
SETTINGS = SupernetSettings(
    epochs=3,
    batch=64,
    lr=0.02,
    average=0.9,
    smallest=0.2,
    networks=1,
    smallest_every=1,
    norms=3,
    weights=4,
    sizes=(16, 12),
)

pytestmark = pytest.mark.slow


@cache
def digits() -> Dataset:
    return load_dataset("digits", (3, 16, 16))


@cache
def network() -> nn.Module:
    torch.manual_seed(0)
    return build_model("cifar_resnet8", 10).eval()


@cache
def curve() -> BudgetCurve:
    structure = trace(network(), torch.zeros(1, 3, 16, 16))
    return BudgetCurve(structure, rank(structure, filter_norms(network(), structure)))


def supernet(settings: SupernetSettings = SETTINGS) -> Supernet:
    model = Supernet(copied(network(), CPU), settings.smallest, settings)
    return model.train()


def train(settings: SupernetSettings, checkpoint: Path, kill_after: int = -1) -> Trained:
    def report(progress: Progress) -> None:
        if progress.done == kill_after:
            raise Killed

    run = Run(Teacher(network(), CPU), digits(), digits().statistics(), settings, CPU, checkpoint, report)
    model = supernet(settings)
    return fit(model, SupernetObjective(model, curve(), PLAIN, run), run)


@pytest.mark.parametrize("kind", ["norms", "weights"])
def test_parameters_lie_between_the_sets_around_a_budget(kind: str) -> None:
    model = supernet(replace(SETTINGS, norms=3 * (kind == "norms"), weights=3 * (kind == "weights")))
    norms = {n for n, p in network().named_parameters() if p.dim() == 1 and n != "linear.bias"}
    assert set(norm_parameters(network())) == norms
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.fill_(0.0)
        for number, parameters in enumerate(getattr(model, kind).sets, 1):
            for parameter in parameters.parameters():
                parameter.fill_(float(number))
    for place in (0.0, 0.5, 1.0, 1.25, 2.0, 3.0, 4.0):  # the last is below the smallest network: that one's own
        for name, values in model.parameters_at(0.2 ** (place / 3)).items():
            expected = min(place, 3.0) if (name in norms) == (kind == "norms") else 0.0
            torch.testing.assert_close(values, torch.full_like(values, expected), rtol=0, atol=1e-6)


def test_sets_of_weights_double_in_equal_times_and_begin_between_their_neighbours() -> None:
    settings = replace(SETTINGS, epochs=8, weights=4, growth=0.75)
    assert [settings.weights_in(epoch) for epoch in range(8)] == [1, 1, 1, 2, 2, 2, 4, 4]
    assert [replace(settings, growth=0.0).weights_in(epoch) for epoch in range(8)] == [4] * 8
    assert [replace(settings, weights=6).weights_in(epoch) for epoch in range(8)] == [3] * 6 + [6] * 2
    assert replace(settings, weights=0).weights_in(0) == 0
    model = supernet(settings)
    model.use(settings, 0)
    assert model.weights.used == 1
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.fill_(0.0)
        for parameter in model.weights.sets[-1].parameters():
            parameter.fill_(8.0)
    before = {place: model.parameters_at(0.2**place) for place in (0.0, 0.1, 0.25, 0.6, 1.0)}
    for epoch in (3, 6):  # a network is the same before and after
        model.blend()
        model.use(settings, epoch)
        for place, expected in before.items():
            found = model.parameters_at(0.2**place)["conv1.weight"]
            torch.testing.assert_close(found, expected["conv1.weight"], rtol=0, atol=1e-6)
    assert [float(values.get_parameter("0").detach().flatten()[0]) for values in model.weights.sets] == [
        2.0,
        4.0,
        6.0,
        8.0,
    ]


@pytest.mark.parametrize("distill", [True, False])
def test_every_set_of_weights_moves_as_far_in_the_mean(distill: bool, tmp_path: Path) -> None:
    """By the blends of many steps: what a set gets, times the factor of its gradients, is the same for all."""
    settings = replace(SETTINGS, networks=2, smallest_every=2, whole_every=4, weights=4, norms=0, growth=0.0, sizes=())
    settings = replace(settings, distill=distill)
    run = Run(Teacher(network(), CPU), digits(), digits().statistics(), settings, CPU, tmp_path / "c", silent)
    model = supernet(settings)
    objective = SupernetObjective(model, curve(), PLAIN, run)
    shares = torch.zeros(5)
    for step in range(4000):
        for fraction in [
            *objective._drawn(step, np.random.default_rng(step)),
            *([1.0] if step % 4 == 0 or not distill else []),
        ]:
            place = 4 * math.log(max(fraction, 0.2)) / math.log(0.2)
            shares[int(place)] += 1 - place % 1
            shares[min(int(place) + 1, 4)] += place % 1
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    objective._balance()
    factors = [
        model.network.get_parameter("conv1.weight").grad,
        *(s.get_parameter("0").grad for s in model.weights.sets),
    ]
    moved = shares * torch.tensor([float(f.flatten()[0]) for f in factors if f is not None])
    torch.testing.assert_close(moved, torch.full((5,), float(shares.sum())), rtol=0.05, atol=0)


def test_what_no_network_reads_is_forgotten() -> None:
    model = supernet(replace(SETTINGS, smallest=curve().floor, growth=0.0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.rand_like(parameter) + 0.1)
    shares = [1.0, 0.9, *model.smallest ** np.linspace(0.2, 1.0, 17)]
    keeps = [curve().at(macs=max(float(share), curve().floor)) for share in shares]
    before = [model.pruned(curve().structure, keep) for keep in keeps]
    finish(model, curve())
    for keep, expected in zip(keeps, before, strict=True):
        assert_same(model.pruned(curve().structure, keep), expected)
    left = [sum(int((p != 0).sum()) for p in values.parameters()) for values in model.weights.sets]
    assert left == sorted(left, reverse=True) and left[-1] < 0.5 * left[0]


def test_a_large_network_has_fewer_sets() -> None:
    settings = SupernetSettings()
    assert [settings.fitting(params).weights for params in (270_000, 3_500_000, 25_600_000, 138_000_000)] == [
        16,
        16,
        2,
        0,
    ]


def test_without_sets_all_networks_share_the_parameters_of_the_whole() -> None:
    model = supernet(replace(SETTINGS, norms=0, weights=0))
    assert not len(model.norms.sets) and not len(model.weights.sets)
    found = model.parameters_at(0.3)
    assert found.keys() == dict(model.network.named_parameters()).keys()
    assert all(value is model.network.get_parameter(name) for name, value in found.items())


def test_a_network_is_pruned_from_the_trained_weights() -> None:
    model = supernet()
    keep = curve().at(macs=0.5)
    found = model.pruned(curve().structure, keep)
    again = copy.deepcopy(model)
    again.load_state_dict(model.state_dict())
    assert_same(found, again.pruned(curve().structure, keep))


def test_a_step_trains_the_smallest_the_random_ones_and_the_whole(tmp_path: Path) -> None:
    settings = replace(SETTINGS, networks=1, whole_every=2)
    data = digits()
    run = Run(Teacher(network(), CPU), data, data.statistics(), settings, CPU, tmp_path / "c", silent)
    model = supernet(settings)
    objective = SupernetObjective(model, curve(), PLAIN, run)
    inputs, labels = torch.randn(8, 3, 16, 16), torch.arange(8)
    logits = network()(inputs).detach()
    last = [*model.norms.sets[-1].parameters(), *model.weights.sets[-1].parameters()]

    def loss_of_step(number: int) -> float:
        model.zero_grad(set_to_none=True)
        return objective.backward(number, inputs, labels, logits)

    assert loss_of_step(1) == loss_of_step(1) != loss_of_step(5)  # the step and the seed decide, and nothing else
    assert all(parameter.grad is not None for parameter in last)
    loss_of_step(0)
    assert all(parameter.grad is not None for parameter in model.network.parameters())
    structure, smallest = curve().structure, curve().at(macs=0.2)
    labels_of = {axis.parameter: axis.labels for axis in structure.axes if axis.dim == 0}
    removed = torch.from_numpy(~smallest.kept(labels_of["layer3.0.conv1.weight"]))
    grad = model.network.get_parameter("layer3.0.conv1.weight").grad
    assert grad is not None and grad[removed].abs().sum() > 0  # of the whole network: the smallest has none there


def test_budgets_of_a_step_are_drawn_from_equal_parts_of_the_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, asked = replace(SETTINGS, networks=3, smallest_every=2, sizes=()), []
    run = Run(Teacher(network(), CPU), digits(), digits().statistics(), settings, CPU, tmp_path / "c", silent)
    model, inputs = supernet(settings), torch.randn(4, 3, 16, 16)
    objective = SupernetObjective(model, curve(), PLAIN, run)
    at = Slices.at

    def noted(slices: Slices, keep: Keep) -> Slice:
        asked.append(cost(curve().structure, keep).macs / curve().original.macs)
        return at(slices, keep)

    monkeypatch.setattr(Slices, "at", noted)
    for step in range(4):
        asked.clear()
        objective.backward(step, inputs, torch.arange(4), network()(inputs).detach())
        smallest = curve().macs[curve().step(macs=0.2)] / curve().original.macs
        assert (asked[0] == smallest) == (step % 2 == 0) and len(asked) == 4 - step % 2
        for part, found in enumerate(asked[-3:]):  # a network has at most the MACs that were drawn
            assert found <= 0.2 ** (part / 3) and found > 0.2 ** ((part + 1) / 3) * 0.9


def test_without_a_teacher_the_whole_network_teaches(tmp_path: Path) -> None:
    settings = replace(SETTINGS, distill=False, networks=0, whole_every=2)
    run = Run(None, digits(), digits().statistics(), settings, CPU, tmp_path / "c", silent)
    model = supernet(settings)
    objective = SupernetObjective(model, curve(), PLAIN, run)
    inputs, labels = torch.randn(8, 3, 16, 16), torch.arange(8)
    assert math.isfinite(objective.backward(1, inputs, labels, None))  # in every step
    assert all(parameter.grad is not None for parameter in model.network.parameters())


def test_killed_and_resumed_it_ends_the_same(tmp_path: Path) -> None:
    whole = train(SETTINGS, tmp_path / "whole.safetensors")
    with pytest.raises(Killed):
        train(SETTINGS, tmp_path / "killed.safetensors", kill_after=2)
    resumed = train(SETTINGS, tmp_path / "killed.safetensors")
    assert (whole.resumed_from, resumed.resumed_from) == (0, 2)
    assert_same(whole.model, resumed.model)
    with pytest.raises(Killed):
        train(SETTINGS, tmp_path / "other.safetensors", kill_after=2)
    assert train(replace(SETTINGS, networks=2), tmp_path / "other.safetensors").resumed_from == 0


def test_networks_of_all_sizes_learn(tmp_path: Path) -> None:
    """From random weights, by labels and by each other; guessing is 10 %."""
    settings = replace(SETTINGS, epochs=8, lr=0.1, distill=False, networks=1)
    trained = train(settings, tmp_path / "c.safetensors")
    assert trained.curve[-1]["heldout_top1"] > 0.6  # in the mean of the whole, 45 % and 20 % of the MACs


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"smallest": 0.0}, "smallest must be in"),
        ({"networks": -1}, "networks must be in"),
        ({"whole_every": 0}, "whole_every must be in"),
        ({"smallest_every": 0}, "smallest_every must be in"),
        ({"norms": 65}, "norms must be in"),
        ({"weights": 65}, "weights must be in"),
        ({"sizes": (0,)}, "size must be in"),
        ({"sizes": (32, 32)}, "sizes must differ, got 32, 32"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        replace(SETTINGS, **change)  # type: ignore[arg-type]


def test_images_are_resized_with_their_shape() -> None:
    images = torch.rand(2, 3, 12, 24)
    assert resized(images, 12) is images
    assert resized(images, 6).shape == (2, 3, 6, 12)
    torch.testing.assert_close(resized(torch.full((1, 1, 8, 8), 0.3), 5), torch.full((1, 1, 5, 5), 0.3))


def test_parameters_of_norms_are_listed_once() -> None:
    norm = nn.BatchNorm2d(4)
    assert norm_parameters(nn.Sequential(nn.Conv2d(1, 4, 1), norm, nn.GroupNorm(2, 4), norm)) == ("1.weight", "1.bias")
