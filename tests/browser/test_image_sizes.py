"""Images of several sizes in a browser: the switch changes costs, time and accuracy; the frontier leads to one."""

import re
from pathlib import Path

import pytest
from playwright import sync_api

from legr.study.store import Study
from tests.app.demo_study import add_sizes
from tests.browser.test_frontier import open_frontier, points_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def sized(app_url: str, tmp_path: Path) -> Study:
    study = Study.open(tmp_path / "studies" / "demo")
    add_sizes(study, (24, 16))
    return study


def test_a_smaller_size_costs_less_at_the_same_budget(page: sync_api.Page, app_url: str, sized: Study) -> None:
    open_frontier(page, app_url, budget=70)
    figures, size = page.locator(".bd-figures"), page.get_by_role("radiogroup", name="Height of the images")
    sync_api.expect(size.get_by_role("radio", checked=True)).to_have_value("32")
    before = figures.inner_text()
    size.get_by_text("24 px").click()
    sync_api.expect(page).to_have_url(re.compile("size=24"))
    headline = page.locator(".bd-headline")
    sync_api.expect(headline).to_contain_text(re.compile(r"^(39|40)\s% of the work: "))  # 0.7 * 0.5625
    sync_api.expect(figures).to_contain_text("Top-1, trained together")
    assert figures.inner_text() != before
    sync_api.expect(page.locator(".bd-note")).to_contain_text("Images are scaled to a height of 24 pixels.")
    entry = page.locator(".bd-entry input")
    entry.fill("20")  # per cent of the original's MACs with its own images
    entry.press("Enter")
    sync_api.expect(page.locator(".bd-headline")).to_contain_text(re.compile(r"^(19|20)\s% of the work: "))
    sync_api.expect(page).to_have_url(re.compile(r"budget=3[45]"))  # the kept set's: 0.2 / 0.5625
    size.get_by_text("32 px").click()
    sync_api.expect(page.locator(".bd-headline")).to_contain_text(re.compile(r"^3[45]\s% of the work: "))
    sync_api.expect(page).not_to_have_url(re.compile("size="))


def test_a_click_on_a_point_of_another_size_opens_budget_and_size(
    page: sync_api.Page, app_url: str, sized: Study
) -> None:
    open_frontier(page, app_url, budget=90)
    x, y = points_of(page, "Learned, trained together, 16 px")[2]  # of 20, 40, 70 and 100 %
    page.mouse.move(x, y)
    told = page.locator(".bd-told")
    sync_api.expect(told).to_contain_text("Learned, trained together, images of 16 pixels, budget")
    page.mouse.click(x, y)
    chosen = page.get_by_role("radiogroup", name="Height of the images").get_by_role("radio", checked=True)
    sync_api.expect(chosen).to_have_value("16")
    headline = page.locator(".bd-headline")
    sync_api.expect(headline).to_contain_text(re.compile(r"^1[78]\s% of the work: "))  # 0.7 / 4
    page.locator(".bd-frontier-tools").get_by_role("button", name="List all networks").click()
    sync_api.expect(page.locator(".bd-list")).to_contain_text("Image height")
    page.go_back()
    sync_api.expect(chosen).to_have_value("32")
