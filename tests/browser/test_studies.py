"""The Studies page in a real browser: what deletes for good is red, and asked about once."""

from pathlib import Path

import pytest
from playwright import sync_api

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COLOUR = "button => getComputedStyle(button).backgroundColor"


def test_delete_is_red_and_asked_once(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/studies?study=demo")
    page.get_by_role("heading", name="ResNet-8 on digits · demo").wait_for()
    page.get_by_role("button", name="More").click()
    page.get_by_role("tab", name="Delete").click()
    button = page.get_by_role("button", name="Delete this study")
    page.get_by_text("is deleted for good").wait_for()
    for _ in range(50):  # the page's own colours come once its styles are there
        red, green, blue = (int(n) for n in button.evaluate(COLOUR).removeprefix("rgb(").removesuffix(")").split(","))
        if red > 3 * max(green, blue):
            break
        page.wait_for_timeout(100)
    assert red > 3 * max(green, blue)
    assert (tmp_path / "studies" / "demo").is_dir()
    button.click()
    sync_api.expect(page.get_by_role("heading", name="ResNet-8 on digits · demo")).to_have_count(0)
    page.get_by_text("None yet: make one below").wait_for()
    assert not (tmp_path / "studies" / "demo").exists()
