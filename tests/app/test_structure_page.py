"""The Structure page: its numbers are the structure's, and sections without content are left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.budget_dial.sources import sources_line
from legr.charts.measurements import Measurements
from legr.charts.structure import exception_lines, facts, groups_table, notes, outputs_line, reasons_of, reasons_table
from legr.charts.tensors import tensors_table
from legr.ranking.constraints import Constraints
from legr.structure.types import Group, Layer, Op, Remark, Structure, Uncounted
from legr.study.store import Study
from tests.app.conftest import OpenApp

LANES = "Which layers lose filters together"
SIDE_BY_SIDE = "Original and pruned, side by side"


def words(at: AppTest) -> str:
    return " ".join(element.value for element in (*at.caption, *at.markdown))


@pytest.fixture
def structure(studies: Path) -> Structure:
    return Study.open(studies / "demo").structure


def test_a_network_without_constants_has_little_to_explain(open_app: OpenApp, studies: Path) -> None:
    at = open_app("structure")
    assert not at.exception and not at.error
    assert [heading.value for heading in at.header] == [LANES, "Groups", SIDE_BY_SIDE]
    assert "The 10 outputs stay." in words(at)
    floors = {
        name: f"{100 * floor:.1f} %" for name, floor in Study.open(studies / "demo").curve("learned").floors.items()
    }
    assert {fact.label: fact.value for fact in at.metric} == {
        "Can be pruned": "100.0 % of MACs",
        "Smallest network": f"{floors['macs']} of MACs",
        "Units": "224",
        "Zeroed = removed": "to 1e-12",
    }
    about = {fact.label: fact.help for fact in at.metric}
    assert f"of the parameters and {floors['activation']} of the activation memory." in about["Smallest network"]
    assert about["Units"].startswith("In 7 layers and 6 groups. A unit is the smallest set of channels")


def test_the_table_of_groups_is_the_structures(open_app: OpenApp, structure: Structure) -> None:
    at = open_app("structure")
    table = at.dataframe[0].value
    assert table["group"].tolist() == [group.name for group in structure.groups]
    assert table["units"].sum() == structure.n_units
    first = table.set_index("group").loc["conv1"]
    assert first["members"] == "conv1, layer1.0.conv2" and first["units"] == 16 and first["layers"] == 2
    stem, block = 3 * 16 * 9 * 1024, 16 * 16 * 9 * 1024  # MACs of conv1 and of layer1.0.conv2, by hand
    second, third = (32 * (16 + 32) * 9 * 256, 64 * (32 + 64) * 9 * 64)  # of the two convolutions of each block
    whole = stem + 2 * block + second + third + 640
    assert first["macs_share"] == pytest.approx(100 * (stem + block) / whole)
    assert table["macs_share"].sum() == pytest.approx(100 * (1 - 640 / whole))  # all but the classifier
    assert at.download_button[0].label == "Download the groups (CSV)"


def test_a_layer_in_two_groups_is_shared_out() -> None:
    labels = np.array([1, 2, 3, 0], dtype=np.int32)
    structure = _structure(
        n_units=3,
        layers=(Layer("conv", "conv.weight", 0, labels),),
        groups=(Group("conv", np.array([0]), ("conv",)), Group("conv", np.array([1, 2]), ("conv",))),
        ops=(Op("conv.weight", 0, 1, 5, "conv"), Op(None, 0, 0, 60, "matmul")),
        shapes={"conv.weight": (4, 3, 1, 1)},
    )
    assert groups_table(structure)["macs_share"].tolist() == [0.125, 0.25]  # of 120; a quarter of 60 stays


def test_reasons_are_merged_and_outputs_read_calmly() -> None:
    structure = _structure(
        unprunable=(
            Remark("stage2.1", "chunk", "its bounds are constants", 116),
            Remark("", "output", "they are the model's output", 1),
            Remark("stage3.1", "chunk", "its bounds are constants", 232),
            Remark("", "pad", "it is odd", 400),
        ),
        coupled=(Remark("stage2.0", "view", "its result mixes them", 8),),
    )
    found = reasons_of(structure)
    assert outputs_line(found) == "The 1 output stays."
    assert reasons_table(found, "unprunable").to_numpy().tolist() == [
        [400, "pad", "it is odd", "the model", 1],
        [348, "chunk", "its bounds are constants", "stage2.1", 2],
    ]
    assert reasons_table(found, "coupled").to_numpy().tolist() == [[8, "view", "its result mixes them", "stage2.0", 1]]
    assert outputs_line(reasons_of(_structure())) is None


def test_special_cases_name_the_first() -> None:
    names = tuple(f"block.{n}.norm" for n in range(8))
    lines = exception_lines(_structure(exempt=names, untouched=("head.weight",)))
    assert lines[0].startswith("Norms over channels (8): block.0.norm, ") and " and 2 more. " in lines[0]
    assert lines[1] == "Parameters that are never read (1): head.weight. They stay as they are."
    assert exception_lines(_structure()) == []


def test_a_network_with_reasons_shows_them(open_app: OpenApp, studies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.curves import budget_curve

    curve = budget_curve(Study.open(studies / "demo"), "learned")
    remarked = replace(
        curve.structure,
        unprunable=(*curve.structure.unprunable, Remark("a", "chunk", "its bounds are constants", 4)),
        coupled=(Remark("b", "view", "it mixes them", 8),),
        training_only=("aux.weight",),
    )
    monkeypatch.setattr("app.curves.budget_curve", lambda *_: replace(curve, structure=remarked))
    at = open_app("structure")
    assert not at.exception
    headings = [heading.value for heading in at.header]
    assert headings == [LANES, "What stays, and why", "What goes together", "Special cases", "Groups", SIDE_BY_SIDE]
    assert "The 10 outputs stay. So do these channels:" in words(at)
    assert at.dataframe[0].value["Channels"].tolist() == [4] and at.dataframe[1].value["Channels"].tolist() == [8]


def test_a_network_that_cannot_be_cut_says_so(
    open_app: OpenApp, studies: Path, structure: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = Study.open(studies / "demo").curve("learned")
    nothing = replace(structure, n_units=0, groups=(), layers=(), axes=(), live_sets=(), branches=())
    fixed = replace(curve, structure=nothing)
    assert [fact.label for fact in facts(fixed, "identity", 0.0)] == ["Zeroed = removed"]
    assert groups_table(fixed.structure).empty
    monkeypatch.setattr("app.curves.budget_curve", lambda *_: fixed)
    at = open_app("structure")
    assert not at.exception and "Nothing can be removed from this network. Why stands below" in words(at)


def test_what_is_not_counted_stands_beside_every_fraction(structure: Structure, studies: Path) -> None:
    uncounted = (Uncounted("mix", "own::product"),)
    note = "1 operation is not counted in the MACs: own::product in mix."
    assert notes(replace(structure, uncounted=uncounted)) == [note] and notes(structure) == []
    for measured in (Measurements([]), Measurements(Study.open(studies / "demo").points)):
        assert sources_line(measured, "learned", Constraints(), uncounted).endswith(f"one multiply-add = 1. {note}")
        assert note not in sources_line(measured, "learned", Constraints())


def test_what_stays_for_layers_that_no_example_reaches_is_said(structure: Structure) -> None:
    (note,) = notes(replace(structure, unprunable=(Remark("aux", "unreached", "it could", 16),)))
    assert note.startswith("The example does not reach aux, ") and "16 channels stay" in note


@pytest.mark.parametrize("page", ["structure", "explore"])
def test_a_shape_is_said_once(open_app: OpenApp, studies: Path, page: str) -> None:
    assert "Constraints" not in words(open_app(page))
    Study.open(studies / "demo").save_constraints(
        Constraints(multiple=8, pins={"layer1.0.conv1": 8, "layer2.0.conv1": 16})
    )
    assert (
        words(open_app(page)).count("Constraints: multiples of 8; layer1.0.conv1 (8), layer2.0.conv1 (16) pinned.") == 1
    )


def _structure(**facts: object) -> Structure:
    empty = dict.fromkeys(Structure.__dataclass_fields__, ())
    return Structure(**{**empty, "n_units": 0, "shapes": {}, **facts})  # type: ignore[arg-type]


def test_the_original_stands_beside_the_network_of_the_budget(open_app: OpenApp, studies: Path) -> None:
    at = open_app("structure", budget="40")
    study = Study.open(studies / "demo")
    table, expected = at.dataframe[1].value, tensors_table(study.structure, study.curve("learned").at(macs=0.4))
    assert table["tensor"].tolist() == list(study.structure.shapes)
    assert table["pruned"].tolist() == expected["pruned"].tolist()
    changed = int((expected["original"] != expected["pruned"]).sum())
    assert f"{changed} of {len(expected)} tensors have another shape." in words(at)
    at.toggle(key="changed-alone").set_value(True).run()
    assert len(at.dataframe[1].value) == changed
    assert [button.label for button in at.download_button] == ["Download the groups (CSV)", "Download the shapes (CSV)"]
