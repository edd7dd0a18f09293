"""A first visit in a real browser: the steps are told in one line, hidden for good, and leave the dial in view."""

import pytest
from playwright import sync_api

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_steps_leave_the_dial_in_view(page: sync_api.Page, app_url: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(app_url)  # nothing is asked for: the first sample
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    guide = page.locator(".st-key-guide")
    sync_api.expect(guide).to_contain_text("3 · Drag the budget")
    figures = page.locator(".bd-figures").bounding_box()
    assert figures is not None and figures["y"] + figures["height"] < 600
    page.get_by_role("button", name="Hide").click()
    sync_api.expect(guide).to_have_count(0)
    page.reload()
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    assert guide.count() == 0


@pytest.mark.parametrize("path", ["/", "/learn", "/finetune", "/structure", "/studies"])
def test_a_phone_need_not_scroll_sideways(page: sync_api.Page, app_url: str, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{app_url}{path}?study=demo")
    page.get_by_role("heading").first.wait_for()
    page.wait_for_timeout(1500)
    wide, narrow = page.evaluate(
        "() => (main => [main.scrollWidth, main.clientWidth])(document.querySelector('[data-testid=stMain]'))"
    )
    assert wide == narrow
