"""The app in a real browser: move the slider, see the bars change; open a page first of all in a fresh server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from legr.study.store import Study

pytestmark = pytest.mark.browser

#: Heights of the bars of kept filters, as Plotly has drawn them.
KEPT = """() => {
    const chart = document.querySelector('.st-key-layers .js-plotly-plot');
    return chart && chart.calcdata ? chart.calcdata[0].map(bar => bar.s) : null;
}"""
PATIENCE_MS = 30_000
PNG = b"\x89PNG"


@pytest.fixture
def page(chromium: str) -> Iterator[sync_api.Page]:
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def kept_at(studies: Path, macs: float) -> list[int]:
    curve = Study.open(studies / "demo").curve("learned")
    return [int(n) for n in curve.kept[:, curve.step(macs=macs)]]


def wait_for_bars(page: sync_api.Page, heights: list[int]) -> None:
    page.wait_for_function(f"() => JSON.stringify(({KEPT})()) === '{json.dumps(heights, separators=(',', ':'))}'")


def is_elsewhere(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))


def test_moving_the_slider_moves_the_bars(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url) if is_elsewhere(request.url) else None)
    page.goto(f"{app_url}/?study=demo")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.5))

    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.45))
    assert page.get_by_test_id("stMetricValue").count() == 5
    page.wait_for_url("**budget=45**")

    picture = tmp_path / "explore.png"
    page.screenshot(path=picture)
    assert picture.read_bytes().startswith(PNG) and picture.stat().st_size > 20_000

    page.reload()
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.45))
    assert not elsewhere, "the app must not call other machines"


def test_every_page_opens_first_of_all_in_a_fresh_server(page: sync_api.Page, app_url: str) -> None:
    page.goto(f"{app_url}/learn?study=demo")
    page.get_by_role("button", name="Search on to 400 passes").wait_for()
    assert page.get_by_role("link", name="Fine-tune & export").count() == 1  # our own list of pages
    page.get_by_role("link", name="Fine-tune & export").click()
    page.get_by_role("button", name="Export at 50 %").wait_for()
    assert "study=demo" in page.url
    page.get_by_role("link", name="Studies").click()
    page.get_by_role("button", name="Make the study").wait_for()
    assert page.get_by_test_id("stException").count() == 0
