"""Lanes of layers that go together: found by hand for tiny networks, and packed without a touch."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import legr
from app.budget_dial.lanes import LaneLayout, lay_out_lanes, pack
from legr.models.zoo import build_model
from tests.nets import (
    N_UNITS,
    Chain,
    DepthwiseConcat,
    PaddedShortcut,
    Residual,
    Shared,
    Sliced,
    Unruled,
    example,
    make,
)

#: By hand: the columns, and of every lane its row, the columns that write it and those that read it. In the last row
#: stand layers that cannot be cut.
BY_HAND: dict[type[nn.Module], tuple[str, list[tuple[int, tuple[int, ...], tuple[int, ...]]]]] = {
    Chain: ("conv1 conv2 fc1 fc2", [(0, (0,), (1,)), (1, (1,), (2,)), (0, (2,), (3,)), (2, (3,), ())]),
    Residual: ("stem inner outer head", [(0, (0, 2), (1, 3)), (1, (1,), (2,)), (2, (3,), ())]),
    PaddedShortcut: ("stem inner outer head", [(0, (0, 2), (1, 3)), (1, (1,), (2,)), (2, (3,), ())]),
    DepthwiseConcat: ("expand depthwise side join", [(0, (0, 1), (3,)), (1, (2,), (3,)), (2, (3,), ())]),
    Sliced: ("wide narrow head", [(0, (0,), ()), (0, (1,), (2,)), (1, (2,), ())]),
    Unruled: ("a b c head", [(0, (0,), (1,)), (0, (2,), (3,)), (1, (1,), ()), (1, (3,), ())]),
    Shared: ("stem twice left head", [(0, (0, 1), (2,)), (1, (2,), (3,)), (2, (3,), ())]),
}


def assert_packed(layout: LaneLayout) -> None:
    """No two lanes of a row share a column, and what cannot be cut stands apart."""
    assert {lane.row for lane in layout.lanes} == set(range(layout.n_rows))
    for row in range(layout.n_rows):
        there = sorted((lane for lane in layout.lanes if lane.row == row), key=lambda lane: lane.first)
        assert all(left.last < right.first for left, right in pairwise(there))
        assert len({lane.fixed for lane in there}) == 1


@pytest.mark.parametrize("kind", N_UNITS, ids=lambda kind: kind.__name__)
def test_lanes_are_those_found_by_hand(kind: type[nn.Module]) -> None:
    layout = lay_out_lanes(legr.trace(make(kind), example()))
    columns, lanes = BY_HAND[kind]
    assert layout.columns == tuple(columns.split())
    assert [(lane.row, lane.writers, lane.readers) for lane in layout.lanes] == lanes
    assert [lane.fixed for lane in layout.lanes] == sorted(lane.fixed for lane in layout.lanes)
    assert_packed(layout)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cifar_mobilenet_v2", "googlenet", "shufflenet_v2_x0_5"])
def test_every_layer_writes_one_lane(name: str) -> None:
    structure = legr.trace(build_model(name, 10), torch.zeros(1, 3, 64, 64))
    layout = lay_out_lanes(structure)
    assert_packed(layout)
    written = [layout.columns[column] for lane in layout.lanes if not lane.fixed for column in lane.writers]
    assert sorted(written) == sorted(layer.name for layer in structure.layers)
    everywhere = [column for lane in layout.lanes for column in lane.writers]
    assert sorted(everywhere) == list(range(len(layout.columns)))


def test_a_residual_network_has_a_stream_a_stage_and_a_lane_a_block() -> None:
    layout = lay_out_lanes(legr.trace(build_model("cifar_resnet20", 10), torch.zeros(1, 3, 32, 32)))
    streams = [lane for lane in layout.lanes if lane.row == 0]
    assert [len(lane.writers) for lane in streams] == [4, 3, 3]  # the stem goes with the first stage
    assert [lane.shortcuts for lane in streams] == [("layer2.0.shortcut",), ("layer3.0.shortcut",), ()]
    assert layout.columns[streams[-1].last] == "linear"
    blocks = [lane for lane in layout.lanes if lane.row == 1]
    assert len(blocks) == 9
    assert all(layout.columns[lane.first].removesuffix("conv1") == layout.columns[lane.last][:-5] for lane in blocks)
    assert [layout.columns[lane.first] for lane in layout.lanes if lane.row == 2] == ["linear"]


def test_concatenated_outputs_are_read_by_all_that_follow() -> None:
    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Conv2d(3 + 4 * n, 4, 3, padding=1) for n in range(3))
            self.head = nn.Linear(3 + 4 * 3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in self.layers:
                x = torch.cat((x, layer(x)), 1)
            return self.head(x.mean((2, 3)))

    layout = lay_out_lanes(legr.trace(Dense(), example()))
    lanes = [(lane.row, lane.writers, lane.readers) for lane in layout.lanes]
    assert lanes == [(0, (0,), (1, 2, 3)), (1, (1,), (2, 3)), (2, (2,), (3,)), (3, (3,), ())]


def test_packing_takes_no_row_too_many_where_nothing_runs_around_another() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        firsts = np.sort(rng.choice(60, 20, replace=False))
        lasts = np.maximum.accumulate(firsts + rng.integers(0, 9, 20))  # later ones end later: one level
        extents = list(zip(firsts.tolist(), lasts.tolist(), strict=True))
        deepest = max(sum(a <= column <= b for a, b in extents) for column in range(80))
        assert 1 + max(pack(extents)) == deepest


def test_what_runs_around_others_lies_above_them() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        extents = sorted(
            (int(a), int(a + n)) for a, n in zip(rng.integers(0, 40, 25), rng.integers(0, 20, 25), strict=True)
        )
        rows = pack(extents)
        for n, (a, b) in enumerate(extents):
            for m, (c, d) in enumerate(extents):
                assert not (a < c and d < b) or rows[n] < rows[m]
                assert n == m or rows[n] != rows[m] or b < c or d < a
