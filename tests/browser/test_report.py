"""The report in a real browser: made on a click, drawn from its file without a network, at night and on paper."""

from pathlib import Path

import pandas as pd
import pytest
from playwright import sync_api

from legr.study.store import Study
from tests.browser.conftest import is_complaint

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTH_OF_A4 = 703  # pixels within its margins: 186 mm


def test_the_button_gives_a_page_that_needs_nobody(
    page: sync_api.Page, browser: sync_api.Browser, app_url: str, tmp_path: Path
) -> None:
    page.goto(f"{app_url}/?study=demo&budget=50")
    with page.expect_download() as download:
        page.get_by_role("button", name="Report").click()
    assert download.value.suggested_filename == "demo-learned-50.html"
    file = tmp_path / "report.html"
    download.value.save_as(file)
    asked: list[str] = []
    complaints: list[str] = []
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}, color_scheme="dark")
    report = context.new_page()
    report.on("request", lambda request: asked.append(request.url))
    report.on("pageerror", lambda error: complaints.append(str(error)))
    report.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
    report.goto(file.as_uri())
    study = Study.open(tmp_path / "studies" / "demo")
    curve = study.curve()
    share = curve.macs[curve.step(macs=0.5)] / curve.original.macs
    latency = 4.0 * (0.2 + 0.8 * share)  # as the study was made
    expected = f"{100 * share:.0f} % of the work: 93.0 % instead of 95.0 %, {latency:.1f} instead of 4.0 ms"
    assert report.locator("h1").inner_text().replace("\u00a0", " ").replace("\n", " ") == expected
    charts = report.locator(".chart .main-svg:first-child")
    assert charts.count() == 2
    bars = report.locator(".chart .barlayer .trace").first.locator(".point path")
    assert bars.count() == len(study.structure.layers)
    picture = tmp_path / "report.png"
    report.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 40_000
    link = report.get_by_role("link", name="Open it in the explorer").get_attribute("href") or ""
    assert link.startswith(f"{app_url}/?study=demo&budget=")
    report.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for chart in charts.all():
        box = chart.bounding_box()
        assert box is not None and 0 < box["width"] <= WIDTH_OF_A4
    assert asked == [file.as_uri()] and not complaints
    context.close()


def test_all_measured_networks_are_one_table(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study=demo&budget=50")
    with page.expect_download() as download:
        page.get_by_role("button", name="Measured networks (CSV)").click()
    assert download.value.suggested_filename == "demo-networks.csv"
    table = pd.read_csv(download.value.path())
    assert set(table["ranking"]) >= {"learned", "identity", "uniform", "original"}
    assert table["top1_trained"].dropna().tolist() == [0.93]
