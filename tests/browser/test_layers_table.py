"""The table of layers in a real browser: an edit keeps its sorting and its place, a refused pin is said beside it."""

from pathlib import Path

import pytest
from playwright import sync_api

from legr.study.store import Study
from tests.app.demo_study import make_study
from tests.browser.conftest import PATIENCE_MS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Rows that the table shows now, as texts of their cells.
ROWS = """() => [...document.querySelectorAll('[data-testid="stDataFrame"] table[role=grid] tbody tr')].map(
    row => [...row.querySelectorAll('td')].map(cell => cell.innerText))"""
SCROLLED = "() => document.querySelector('[data-testid=\"stDataFrame\"] .dvn-scroller').scrollTop"
HEAD_PX, ROW_PX, PIN_AT = 35, 35, 0.75  # of the table: heights, and where its column is


def rows(page: sync_api.Page) -> list[list[str]]:
    found: list[list[str]] = page.evaluate(ROWS)
    return found


def test_edits_keep_the_sorting_and_the_place(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    study = make_study(tmp_path / "studies" / "deep", model="cifar_resnet20")
    page.goto(f"{app_url}/?study=deep&budget=50")
    page.wait_for_selector(".bd-layers .barlayer path", timeout=PATIENCE_MS)
    page.get_by_text("Layers: search, sort, pin").click()
    table = page.get_by_test_id("stDataFrame")
    table.locator("canvas").first.wait_for()
    page.wait_for_function(f"() => ({ROWS})().length > 5")
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, main.scrollHeight)")
    page.wait_for_timeout(1000)  # until nothing moves: a click on a canvas waits for nothing

    def box() -> tuple[float, float, float]:
        place = table.bounding_box()
        assert place
        return place["x"], place["y"], place["width"]

    def pin(value: int, row: int) -> None:
        """Type a pin into a row that is in sight, counted from the table's upper edge."""
        x, y, width = box()
        page.mouse.dblclick(x + PIN_AT * width, y + HEAD_PX + (row + 0.5) * ROW_PX)
        editor = page.locator(".gdg-input")
        editor.fill(str(value))
        editor.press("Enter")

    x, y, width = box()
    names = sorted((layer.name for layer in study.structure.layers), reverse=True)
    for first in (names[-1], names[0]):  # rising, then falling
        page.mouse.click(x + 0.05 * width, y + HEAD_PX / 2)
        page.wait_for_function(f"() => ({ROWS})()[0]?.[0] === '{first}'")
        page.wait_for_timeout(600)  # two clicks, not a double one
    x, y, width = box()
    page.mouse.move(x + width / 2, y + 4 * ROW_PX)
    page.mouse.wheel(0, 4 * ROW_PX)
    page.wait_for_function(f"() => ({SCROLLED})() > 100")
    scrolled = page.evaluate(SCROLLED)

    pin(99, 3)
    error = page.get_by_test_id("stAlertContentError")
    error.wait_for()
    asked = next(row[0] for row in rows(page) if row[4] == "99")
    total = next(layer.total for layer in study.structure.layers if layer.name == asked)
    said = f"The pin of {asked} must be in [1, {total}], the channels it has, got 99."
    assert error.inner_text() == said and Study.open(study.path).constraints.is_plain
    beside, (_, top, _) = error.bounding_box(), box()
    assert beside and 0 < top - beside["y"] < 3 * ROW_PX

    pin(5, 3)
    page.wait_for_function(f"() => ({ROWS})().some(row => row[0] === '{asked}' && row[1] === '5' && row[4] === '5')")
    error.wait_for(state="detached")
    assert dict(Study.open(study.path).constraints.pins) == {asked: 5}
    assert page.evaluate(SCROLLED) == scrolled
    shown = [row[0] for row in rows(page)]
    assert shown == names[names.index(shown[0]) :][: len(shown)]

    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(f"() => ({ROWS})().some(row => row[0] === '{names[-1]}')")  # a new table, in the first order
    page.wait_for_function(f"() => ({ROWS})().every(row => row[4] === '')")
    assert Study.open(study.path).constraints.is_plain
