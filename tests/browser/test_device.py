"""A device that has a profile: its predicted latency beside the slider, and rounding in one click."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from legr.ranking.constraints import UNCONSTRAINED
from legr.study.store import Study
from tests.app.profiled import add_profile


def test_filters_are_rounded_in_one_click_and_the_milliseconds_follow(page: Page, app_url: str, tmp_path: Path) -> None:
    study = Study.open(tmp_path / "studies" / "demo")
    add_profile(study)
    page.goto(f"{app_url}/?study=demo&budget=60&lens=time")
    headline, offer = page.locator(".bd-headline"), page.locator(".bd-advice button")
    expect(headline).to_contain_text("ms predicted")
    expect(page.locator(".bd-title")).to_have_text("Time of each layer")
    expect(page.locator(".bd-axis input:checked")).to_have_value("latency")
    expect(offer).to_contain_text(re.compile(r"^Round to 8: −\d+\s% time, at \d+\s% of the MACs$"))
    before = headline.inner_text()
    offer.click()
    expect(page).to_have_url(re.compile("multiple=8"))
    expect(offer).to_be_hidden()
    expect(headline).not_to_have_text(before)
    assert Study.open(study.path).constraints.multiple == 8
    page.get_by_role("button", name="Undo").click()
    expect(headline).to_have_text(before)
    assert Study.open(study.path).constraints == UNCONSTRAINED
