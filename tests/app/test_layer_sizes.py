"""What is sent of every layer: told in little, it gives every cell of the engine's own table."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import legr
from app.budget_dial.sizes import run_lengths
from app.budget_dial.table import dial_table, opened_table
from app.curves import measurements
from legr.charts.measurements import Measurements
from legr.ranking.budget import BudgetCurve
from legr.structure.cost import layer_macs
from legr.study.catalog import SAMPLES, list_studies
from legr.study.store import Study
from tests.app.plain_table import plain_table, sizes_of
from tests.nets import N_UNITS, example, make
from tests.structure.test_branches import made


def assert_every_cell(curve: BudgetCurve, measured: Measurements) -> None:
    sent = json.loads(json.dumps(dial_table(curve, "learned", measured, start=0.5)))
    table, engine = plain_table(sent), curve.table([percent / 100 for percent in sent["percent"]])
    assert table["kept"] == engine.kept.tolist()
    assert table["layer_macs"] == engine.layer_macs.tolist()
    assert table["layer_params"] == engine.layer_params.tolist()
    assert table["layers"] == [layer.name for layer in curve.structure.layers]
    assert table["totals"] == [layer.total for layer in curve.structure.layers]


@pytest.mark.parametrize("path", list_studies(SAMPLES), ids=lambda path: path.name)
def test_samples(path: Path) -> None:
    study = Study.open(path)
    for ranking in study.rankings:
        assert_every_cell(study.curve(ranking), measurements(study))


@pytest.mark.parametrize("kind", N_UNITS, ids=lambda kind: kind.__name__)
def test_every_kind_of_coupling(kind: type[nn.Module]) -> None:
    model = make(kind)
    structure = legr.trace(model, example())
    assert_every_cell(
        legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure))), Measurements([])
    )


def test_layers_of_a_block_that_leaves_cost_nothing() -> None:
    model = made("scaled")
    structure = legr.trace(model, example())
    norms = legr.filter_norms(model, structure)
    curve = legr.BudgetCurve(structure, legr.rank(structure, norms, constraints=legr.Constraints(blocks=True)))
    assert_every_cell(curve, Measurements([]))
    depthwise = [layer.name for layer in structure.layers].index("blocks.0.depthwise")  # its filters are the stream's
    least = curve.table([curve.floor])
    assert least.kept[0, depthwise] == least.layer_macs[0, depthwise] == least.layer_params[0, depthwise] == 0


def test_a_layer_that_is_used_twice_costs_the_sum() -> None:
    """Twice in the forward, by hand: 4 of 6 channels, kernels of one pixel, on 64 and on 16 pixels."""

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.conv, self.head = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 6, 1), nn.Conv2d(6, 2, 1)

        def forward(self, x):  # type: ignore[no-untyped-def]
            x = self.conv(self.stem(x))
            return self.head(self.conv(nn.functional.avg_pool2d(x, 2))).mean((2, 3))

    model = Twice()
    structure = legr.trace(model, example())
    curve = legr.BudgetCurve(structure, legr.rank(structure, legr.filter_norms(model, structure)))
    table = plain_table(dial_table(curve, "learned", Measurements([]), start=0.5))
    side = example().shape[-1]
    pixels, column = side**2 + (side // 2) ** 2, table["layers"].index("conv")
    for kept, macs, params in zip(table["kept"], table["layer_macs"], table["layer_params"], strict=True):
        assert macs[column] == pixels * kept[column] ** 2
        assert params[column] == kept[column] ** 2


def test_the_network_of_a_run(studies: Path) -> None:
    study = Study.open(studies / "demo")
    (run,), curve = study.finetuned, study.curve()
    keep = curve.at(macs=0.5)
    table = plain_table(opened_table(study.structure, keep, run, measurements(study)))
    macs = layer_macs(study.structure, keep)
    assert table["layer_macs"] == [[macs[layer.parameter] for layer in study.structure.layers]]
    assert table["kept"] == [[int(keep.kept(layer.labels).sum()) for layer in study.structure.layers]]


@given(st.lists(st.integers(0, 3) | st.integers(0, 10**6), min_size=1, max_size=60))
def test_sizes_come_back_from_what_is_told_of_them(steps: list[int]) -> None:
    sizes = np.cumsum(steps).tolist()
    told = run_lengths(sizes)
    assert sizes_of(told) == sizes and len(told) <= len(sizes)


@pytest.mark.parametrize(
    ("sizes", "told"),
    [([3], [3]), ([3, 3, 3], [3, -2]), ([0, 0, 4, 5, 5, 5, 15], [0, -1, 4, 1, -2, 10]), ([1, 2], [1, 1])],
)
def test_sizes_told_by_hand(sizes: list[int], told: list[int]) -> None:
    assert run_lengths(sizes) == told
