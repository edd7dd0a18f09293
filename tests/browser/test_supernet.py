"""A study with a supernet in a browser: the dial says what was trained together, the frontier has a line of it."""

from pathlib import Path

import pytest
from playwright import sync_api

from legr.study.store import Study
from tests.app.demo_study import add_supernet
from tests.browser.test_explore import NEXT_FRAME
from tests.browser.test_frontier import open_frontier, points_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_drag_shows_the_accuracy_of_every_budget_that_was_trained_together(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    run = add_supernet(Study.open(tmp_path / "studies" / "demo"), budgets=(1.0, 0.7, 0.4, 0.2))
    open_frontier(page, app_url, budget=70)
    figure = page.locator(".bd-figures > div").first
    sync_api.expect(figure).to_contain_text(f"Top-1, trained together{100 * run.points[1].top1:.1f} %")
    dial = page.get_by_role("slider", name="Budget")
    box = dial.bounding_box()
    assert box is not None
    middle, places = box["y"] + box["height"] / 2, int(dial.get_attribute("max") or 0)
    thumb = 8 + (box["width"] - 16) * int(dial.input_value()) / places
    page.mouse.move(box["x"] + thumb, middle)
    page.mouse.down()
    seen = []
    for part in range(1, 13):
        page.mouse.move(box["x"] + thumb * (1 - part / 18), middle)
        page.evaluate(NEXT_FRAME)
        seen.append(figure.inner_text().split("\n")[:2])
    page.mouse.up()
    together = [float(value.strip("~ %")) for name, value in seen if name == "Top-1, trained together"]
    assert len(together) >= 8 and together == sorted(together, reverse=True)
    assert any(value.startswith("~") for _, value in seen)
    page.goto(f"{app_url}/?study=demo&budget=50")  # which has a run of its own
    sync_api.expect(figure).to_contain_text("Top-1, trained93.0 %")


def test_a_click_on_the_line_of_networks_that_were_trained_together_opens_the_budget(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    run = add_supernet(Study.open(tmp_path / "studies" / "demo"), budgets=(1.0, 0.7, 0.4, 0.2))
    open_frontier(page, app_url, budget=90)
    x, y = points_of(page, "Learned, trained together")[1]  # of 20, 40 and 70 %
    page.mouse.move(x, y)
    share = 100 * run.points[2].macs_fraction
    sync_api.expect(page.locator(".bd-told")).to_contain_text(f"Learned, trained together, {share:.1f} % of the MACs")
    page.mouse.click(x, y)
    sync_api.expect(page.get_by_text(f"{share:.0f} % of the work: ")).to_be_visible()
    sync_api.expect(page.locator(".bd-figures > div").first).to_contain_text("Top-1, trained together")
    tools = page.locator(".bd-frontier-tools")
    tools.get_by_role("button", name="List all networks").click()
    sync_api.expect(page.locator(".bd-list")).to_contain_text("Top-1 trained together")
