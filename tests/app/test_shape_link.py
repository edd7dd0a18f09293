"""Pins in the address line: there and back, offered and never taken by themselves; what cannot be read is said."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.shape_link import pins_text, shape_of
from legr.errors import SettingsError
from legr.ranking.shape import PLAIN, Shape
from legr.study.store import Study
from tests.app.conftest import OpenApp

FULL = Shape(8, {"layer1.0.conv2": 4}, ("layer2.0.conv1",), {"layer1.0.conv1": 5, "layer3.0.conv1": 12})


def test_there_and_back() -> None:
    assert pins_text(FULL) == ["layer1.0.conv1~5", "layer1.0.conv2~min4", "layer2.0.conv1~all", "layer3.0.conv1~12"]
    assert shape_of(pins_text(FULL), "8") == FULL
    assert shape_of([], None) == PLAIN


@pytest.mark.parametrize("text", ["", "conv1", "~5", "conv1~", "conv1~-1", "conv1~1e3", "conv1~²", "conv1~min", "c~0"])
def test_what_is_no_pin_is_said(text: str) -> None:
    with pytest.raises(SettingsError, match=r"pin|c must"):
        shape_of([text], None)


@pytest.mark.parametrize("multiple", ["3", "x", "", "99999999999", "-8"])
def test_what_is_no_multiple_is_said(multiple: str) -> None:
    with pytest.raises(SettingsError, match="multiple"):
        shape_of([], multiple)


def link(at: AppTest, name: str) -> list[str]:
    value = at.query_params.get(name, [])
    return [value] if isinstance(value, str) else list(value)


def buttons(at: AppTest) -> set[str]:
    return {button.label for button in at.button}


def test_a_link_offers_its_pins_and_changes_nothing_by_itself(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    at = open_app(pins="layer1.0.conv1~5")
    assert not at.exception and study.shape == PLAIN
    assert "layer1.0.conv1 (5) pinned" in " ".join(text.value.replace("\\", "") for text in at.markdown)
    next(button for button in at.button if button.label == "Use what the link asks for").click().run()
    assert not at.exception and study.shape == Shape(pins={"layer1.0.conv1": 5})
    assert "Use what the link asks for" not in buttons(at)
    assert link(at, "pins") == ["layer1.0.conv1~5"]


def test_a_link_may_be_declined(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    study.save_shape(Shape(multiple=4))
    at = open_app(pins="layer1.0.conv1~5")
    next(button for button in at.button if button.label == "Keep the study as it is").click().run()
    assert study.shape == Shape(multiple=4) and "Use what the link asks for" not in buttons(at)
    assert (link(at, "pins"), link(at, "multiple")) == ([], ["4"])


def test_the_address_line_says_what_the_study_is(open_app: OpenApp, studies: Path) -> None:
    Study.open(studies / "demo").save_shape(FULL)
    at = open_app()
    assert link(at, "pins") == pins_text(FULL) and link(at, "multiple") == ["8"]
    again = open_app(pins=pins_text(FULL), multiple="8")
    assert "Use what the link asks for" not in buttons(again)


@pytest.mark.parametrize("text", ["conv1", "nothing~5", "layer1.0.conv1~5000"])
def test_a_link_that_cannot_be_met_is_one_sentence(open_app: OpenApp, studies: Path, text: str) -> None:
    at = open_app(pins=text)
    assert not at.exception and len(at.error) == 1 and "pins in this link" in at.error[0].value
    assert Study.open(studies / "demo").shape == PLAIN and not link(at, "pins")
