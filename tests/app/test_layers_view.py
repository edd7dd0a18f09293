"""The table of layers: its numbers are the engine's, and an edit becomes the study's constraints."""

from pathlib import Path

import pytest
from pandas.io.formats.style import Styler
from streamlit.testing.v1 import AppTest

from app.views.layer_edits import Refused, edited, new_cells, says
from app.views.layers import layers_table, lit
from legr.errors import SettingsError
from legr.ranking.constraints import Constraints
from legr.structure.cost import cost
from legr.study.store import Study
from tests.app.conftest import OpenApp


@pytest.fixture
def study(studies: Path) -> Study:
    return Study.open(studies / "demo")


@pytest.mark.parametrize("budget", [1.0, 0.5, 0.1])
def test_rows_are_what_the_plan_keeps(study: Study, budget: float) -> None:
    curve = study.curve()
    keep = curve.at(macs=budget)
    info = layers_table(curve, keep, Constraints(pins={"layer1.0.conv1": 5}, excluded=("conv1",)))
    assert info["Kept"].tolist() == curve.kept[:, curve.step(macs=budget)].tolist()
    head = 10 * int(info["Kept"].iloc[-1])  # ten classes; the classifier is no row
    whole = cost(curve.structure, keep).macs
    assert info["MACs, %"].sum() == pytest.approx(100 * (whole - head) / whole)
    asked = info.set_index("Layer")
    assert asked.loc["layer1.0.conv1", "Pin at"] == 5 and asked["Pin at"].notna().sum() == 1
    assert asked.index[asked["Leave whole"]].tolist() == ["conv1"]


def test_edits_become_a_shape(study: Study) -> None:
    curve = study.curve()
    info = layers_table(curve, curve.at(macs=0.5), Constraints())
    names = info["Layer"].tolist()
    shape = edited(Constraints(multiple=4), info, {(1, "Pin at"): 7, (0, "Leave whole"): True})
    assert shape == Constraints(multiple=4, pins={names[1]: 7}, excluded=(names[0],))
    shape = edited(shape, info, {(0, "Pin at"): 9, (1, "Leave whole"): True})  # the later wish stands
    assert shape == Constraints(multiple=4, pins={names[0]: 9}, excluded=(names[1],))
    assert edited(shape, info, {(0, "Pin at"): None, (1, "Leave whole"): False}) == Constraints(multiple=4)
    with pytest.raises(SettingsError, match="from 1 on"):
        edited(Constraints(), info, {(1, "Pin at"): 0})


def test_only_what_was_typed_since_is_asked_for(study: Study) -> None:
    """The browser repeats all cells that were edited."""
    curve = study.curve()
    names = [layer.name for layer in study.structure.layers]
    pinned = Constraints(pins={names[1]: 7})
    info = layers_table(curve, curve.at(macs=0.5), pinned)
    refused = Refused({(0, "Pin at"): 99}, "too many")
    rows = {0: {"Pin at": 99}, 1: {"Pin at": 7, "Leave whole": True}, 2: {"Leave whole": False}}
    assert new_cells(info, rows, refused) == {(1, "Leave whole"): True}
    assert new_cells(info, rows, Refused()) == {(0, "Pin at"): 99, (1, "Leave whole"): True}
    assert refused.still(rows) == refused and refused.still({0: {"Pin at": 5}}) == Refused()
    assert says({1: {"Pin at": 7}}, info, pinned, Refused()) and says(rows, info, pinned, refused) is False
    whole = edited(pinned, info, {(1, "Leave whole"): True})
    assert not says(rows, info, whole, refused)  # the pin, which stands in its cell, has given way


def test_the_table_is_made_when_it_is_opened(open_app: OpenApp, study: Study) -> None:
    def opened(at: AppTest) -> bool:
        assert not at.exception and not at.error
        return any(field.label == "Filters in multiples of" for field in at.selectbox)

    at = open_app()
    assert not opened(at)
    at.session_state["layers-open-demo"] = True
    assert opened(at.run())
    study.save_constraints(Constraints(multiple=4))
    assert opened(open_app()), "what is asked for is shown"


def test_constraints_are_shown_while_the_table_is_closed(open_app: OpenApp, study: Study) -> None:
    def said(at: AppTest) -> bool:
        assert not at.exception and not at.error
        return any("multiples of 4" in caption.value for caption in at.caption)

    at = open_app()
    assert not said(at) and not any(button.label == "Clear all" for button in at.button)
    study.save_constraints(Constraints(multiple=4))
    at.session_state["layers-open-demo"] = False
    assert said(at.run())
    next(button for button in at.button if button.label == "Clear all").click().run()
    assert study.constraints.is_plain and not said(at)
    next(button for button in at.button if button.label == "Undo").click().run()
    assert study.constraints.multiple == 4 and said(at)


def test_whole_blocks_may_leave_and_undo_takes_it_back(open_app: OpenApp, study: Study) -> None:
    at = open_app()
    at.session_state["layers-open-demo"] = True
    box = next(box for box in at.run().checkbox if box.label == "Whole blocks may leave")
    assert not box.value and not study.constraints.blocks
    box.check().run()
    assert not at.exception and not at.error
    assert study.constraints.blocks
    assert any("whole blocks may leave" in caption.value for caption in at.caption)
    next(button for button in at.button if button.label == "Undo").click().run()
    assert not study.constraints.blocks
    assert not next(box for box in at.checkbox if box.label == "Whole blocks may leave").value


def test_the_row_of_the_layer_whose_card_is_open_is_lit(studies: Path, open_app: OpenApp) -> None:
    study = Study.open(studies / "demo")
    curve = study.curve()
    table = layers_table(curve, curve.at(macs=0.5), study.constraints)
    assert lit(table, "") is table
    styled = lit(table, "layer1.0.conv2")
    assert isinstance(styled, Styler)
    lights = styled._compute().ctx  # type: ignore[attr-defined]
    row = table["Layer"].tolist().index("layer1.0.conv2")
    assert {cell for cell, styles in lights.items() if styles} == {(row, column) for column in range(4)}
    assert not {style for cell, styles in lights.items() if cell[0] != row for style in styles}
    at = open_app(layer="layer1.0.conv2")
    at.session_state["layers-open-demo"] = True
    at.run()
    assert not at.exception
