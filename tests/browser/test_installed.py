"""The explorer of an installed wheel, away from the checkout."""

from pathlib import Path

import pytest
from playwright import sync_api

from tests.browser.running import running_app
from tests.conftest import times_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_it_opens_on_the_flagship_and_draws_the_dial(site: Path, elsewhere: Path, page: sync_api.Page) -> None:
    before = times_of(site)
    with running_app(elsewhere / "studies", folder=elsewhere) as url:
        page.goto(url)
        charts = page.locator(".budget-dial .js-plotly-plot .main-svg")
        sync_api.expect(charts.first).to_be_visible(timeout=60_000)
        sync_api.expect(page.get_by_role("heading", name="ResNet-56 on CIFAR-10")).to_be_visible()
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "15px", "its own settings hold"
        page.goto("about:blank")  # before the server ends
    assert times_of(site) == before, "nothing is written beside the code"
