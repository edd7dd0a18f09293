"""Costs with images of other heights: kept with the study, and not used where they are of another network."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from legr.structure.cost import original_cost
from legr.study.heights import HEIGHTS_FILE, CostsAtHeight, add_heights, structures_by_height
from legr.study.left_out import left_out
from legr.study.store import Study


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


def test_costs_are_read_back_the_largest_images_first(study: Study) -> None:
    halves = CostsAtHeight(24, tuple(op.macs // 2 for op in study.structure.ops))
    add_heights(study, [replace(halves, height=20), halves])
    add_heights(study, [CostsAtHeight(40, tuple(2 * op.macs for op in study.structure.ops)), halves])
    found = structures_by_height(study)
    assert list(found) == [40, 32, 24, 20] and found[32] is study.structure
    assert original_cost(found[40]).macs == 2 * original_cost(study.structure).macs
    assert found[24].vectors is not study.structure.vectors and len(found[24].vectors) == len(study.structure.vectors)


def test_costs_of_another_network_are_left_out(study: Study) -> None:
    macs = tuple(op.macs for op in study.structure.ops)
    add_heights(study, [CostsAtHeight(24, macs[1:]), CostsAtHeight(20, (2**52, *macs[1:]))])
    assert list(structures_by_height(study)) == [32]
    path = study.path / HEIGHTS_FILE
    stored = json.loads(path.read_text())
    stored["costs"][0]["height"] = -1
    path.write_text(json.dumps({**stored, "costs": [*stored["costs"], {"height": 16, "macs": macs}]}))
    assert list(structures_by_height(study)) == [32, 16]
    assert left_out(study)[0].startswith(f"{study.path.name}/heights.json: costs[0].height must be at least 1")
    path.write_text(json.dumps({"format": 99}))
    assert list(structures_by_height(study)) == [32]
