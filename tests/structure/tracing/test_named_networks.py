"""Networks by name, whole: the proof, and predicted = counted (all others: benchmarks/coverage.py)."""

import numpy as np
import pytest
import torch

import legr
from legr.models.zoo import build_model
from legr.structure.counters import count

pytestmark = pytest.mark.slow

#: name -> (pixels a side, removable units)
NETWORKS = {
    "cifar_vgg16_bn": (32, 4224),
    "cifar_mobilenet_v2": (32, 9160),
    "googlenet": (64, 9584),
    "shufflenet_v2_x0_5": (64, 24 + 4 * 24 + 8 * 48 + 4 * 96 + 1024),
    "mobilenet_v3_small": (64, 4872),
    "regnet_y_400mf": (64, 2342),
    "mnasnet0_5": (64, 5744),
    "squeezenet1_1": (64, 2944),
    "lraspp_mobilenet_v3_large": (64, 7544),
}


#: Of the others, whose proofs take up to a minute, every kind is in `nets.py`.
QUICK = ("squeezenet1_1", "shufflenet_v2_x0_5")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.thorough) for name in NETWORKS]
)
def test_proved_and_counted(name: str) -> None:
    size, units = NETWORKS[name]
    model, image = build_model(name, 10), torch.zeros(1, 3, size, size)
    structure = legr.trace(model, image)
    assert structure.n_units == units
    assert legr.verify(model, structure, image) < 1e-12
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    for budget in np.random.default_rng(0).uniform(curve.floor, 1, 3).tolist():
        keep = curve.at(macs=budget)
        assert legr.cost(structure, keep) == count(legr.prune(model, structure, keep), image)


def test_auxiliary_heads_are_pruned_with_the_trunk() -> None:
    model, image = build_model("googlenet", 10), torch.zeros(1, 3, 64, 64)
    structure = legr.trace(model, image)
    assert {name.split(".")[0] for name in structure.training_only} == {"aux1", "aux2"}
    assert not structure.untouched
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    smaller = legr.prune(model, structure, curve.at(macs=0.4)).train()
    assert smaller.aux1.conv.conv.in_channels < model.aux1.conv.conv.in_channels
    main, second, first = smaller(torch.randn(2, 3, 64, 64))
    assert main.shape == second.shape == first.shape == (2, 10)


def test_statistics_of_layer_norms_are_exempt_and_named() -> None:
    model, image = build_model("convnext_tiny", 10), torch.zeros(1, 3, 32, 32)
    structure = legr.trace(model, image)
    assert structure.n_units == 27936
    assert len(structure.exempt) == 23
    assert structure.axis_of["features.1.0.layer_scale", 0].labels.any()
    smaller = legr.prune(model, structure, legr.Keep(np.arange(structure.n_units) % 2 == 0))
    assert smaller.features[0][1].normalized_shape == (48,)


def test_a_whole_detector_runs_after_pruning() -> None:
    model, image = build_model("ssdlite320_mobilenet_v3_large", 5), torch.zeros(1, 3, 320, 320)
    structure = legr.trace(model, image)
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    smaller = legr.prune(model, structure, curve.at(macs=0.5))
    with torch.no_grad():
        (detections,) = smaller.detector([torch.rand(3, 240, 300)])
    assert set(detections) == {"boxes", "scores", "labels"}
