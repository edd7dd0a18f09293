"""Constraints in the address line: written, read back, and offered but never applied without a click."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.views.constraints_link import constraints_of, layer_texts
from legr.errors import SettingsError
from legr.ranking.constraints import UNCONSTRAINED, Constraints
from legr.study.store import Study
from tests.app.conftest import OpenApp

FULL = Constraints(8, {"layer1.0.conv2": 4}, ("layer2.0.conv1",), {"layer1.0.conv1": 5, "layer3.0.conv1": 12})


def test_there_and_back() -> None:
    assert layer_texts(FULL) == ["layer1.0.conv1~5", "layer1.0.conv2~min4", "layer2.0.conv1~all", "layer3.0.conv1~12"]
    assert constraints_of(layer_texts(FULL), "8") == FULL
    assert constraints_of([], None) == UNCONSTRAINED


def test_blocks_there_and_back() -> None:
    whole = Constraints(blocks=True, kept_blocks=("layer1.0",), removed_blocks=("layer2.0", "layer3.0"))
    assert layer_texts(whole) == ["layer1.0~stays", "layer2.0~removed", "layer3.0~removed"]
    assert constraints_of(layer_texts(whole), None, "1") == whole
    assert constraints_of([], None, "yes") == UNCONSTRAINED


@pytest.mark.parametrize("text", ["", "conv1", "~5", "conv1~", "conv1~-1", "conv1~1e3", "conv1~²", "conv1~min", "c~0"])
def test_what_is_no_pin_is_said(text: str) -> None:
    with pytest.raises(SettingsError, match=r"pin|c must"):
        constraints_of([text], None)


@pytest.mark.parametrize("multiple", ["3", "x", "", "99999999999", "-8"])
def test_what_is_no_multiple_is_said(multiple: str) -> None:
    with pytest.raises(SettingsError, match="multiple"):
        constraints_of([], multiple)


def link(at: AppTest, name: str) -> list[str]:
    value = at.query_params.get(name, [])
    return [value] if isinstance(value, str) else list(value)


def buttons(at: AppTest) -> set[str]:
    return {button.label for button in at.button}


def test_a_link_offers_its_pins_and_changes_nothing_by_itself(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    at = open_app(pins="layer1.0.conv1~5")
    assert not at.exception and study.constraints == UNCONSTRAINED
    assert "layer1.0.conv1 (5) pinned" in " ".join(text.value.replace("\\", "") for text in at.markdown)
    next(button for button in at.button if button.label == "Use the link's constraints").click().run()
    assert not at.exception and study.constraints == Constraints(pins={"layer1.0.conv1": 5})
    assert "Use the link's constraints" not in buttons(at)
    assert link(at, "pins") == ["layer1.0.conv1~5"]


def test_a_link_may_be_declined(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    study.save_constraints(Constraints(multiple=4))
    at = open_app(pins="layer1.0.conv1~5")
    next(button for button in at.button if button.label == "Keep the study's constraints").click().run()
    assert study.constraints == Constraints(multiple=4) and "Use the link's constraints" not in buttons(at)
    assert (link(at, "pins"), link(at, "multiple")) == ([], ["4"])


def test_the_address_line_says_what_the_study_is(open_app: OpenApp, studies: Path) -> None:
    Study.open(studies / "demo").save_constraints(FULL)
    at = open_app()
    assert link(at, "pins") == layer_texts(FULL) and link(at, "multiple") == ["8"]
    again = open_app(pins=layer_texts(FULL), multiple="8")
    assert "Use the link's constraints" not in buttons(again)


@pytest.mark.parametrize("text", ["conv1", "nothing~5", "layer1.0.conv1~5000"])
def test_a_link_that_cannot_be_met_is_one_sentence(open_app: OpenApp, studies: Path, text: str) -> None:
    at = open_app(pins=text)
    assert not at.exception and len(at.error) == 1 and "constraints in this link" in at.error[0].value
    assert Study.open(studies / "demo").constraints == UNCONSTRAINED and not link(at, "pins")
