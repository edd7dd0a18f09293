"""A tour for a stage, in a real browser: P plays it, any touch stops it, and a room sees the answer alone."""

import pytest
from playwright import sync_api

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def budget(page: sync_api.Page) -> float:
    return float(page.get_by_role("spinbutton", name="Budget").input_value())


def open_stage(page: sync_api.Page, address: str) -> None:
    page.goto(address)
    page.locator(".bd-layers .barlayer").wait_for(state="attached")


def test_p_plays_and_a_touch_stops(page: sync_api.Page, app_url: str) -> None:
    open_stage(page, f"{app_url}/?study=demo&budget=70&present=1")
    for hidden in (page.get_by_test_id("stHeader"), page.locator(".bd-questions"), page.locator(".bd-note")):
        sync_api.expect(hidden.first).to_be_hidden()
    sync_api.expect(page.locator(".bd-headline")).to_be_visible()
    page.keyboard.press("p")
    page.wait_for_function("() => Number(document.querySelector('.bd-entry input').value) > 99")  # the original
    page.wait_for_function("() => Number(document.querySelector('.bd-entry input').value) < 90", timeout=20_000)
    page.mouse.click(640, 500)
    page.wait_for_timeout(300)
    rest = budget(page)
    page.wait_for_timeout(1200)
    assert budget(page) == rest < 90
    page.wait_for_url(f"**budget={rest:g}**")
    assert "present=1" in page.url


def test_without_the_word_in_the_address_nothing_plays(page: sync_api.Page, app_url: str) -> None:
    open_stage(page, f"{app_url}/?study=demo&budget=70")
    sync_api.expect(page.get_by_test_id("stHeader")).to_be_visible()
    page.keyboard.press("p")
    page.wait_for_timeout(1500)
    assert budget(page) == 70
