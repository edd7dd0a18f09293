"""A first visit in a real browser: all that moves with the dial is in sight, and what to do is said in one line."""

import pytest
from playwright import sync_api

pytestmark = [pytest.mark.browser, pytest.mark.slow]


ONE_SCREEN = (".bd-bar", ".bd-questions", ".bd-headline", ".bd-range", ".bd-figures", ".bd-frontier", ".bd-layers")


@pytest.mark.parametrize("size", [(1280, 720), (1440, 900)])
def test_the_answer_the_dial_its_figures_and_both_charts_are_one_screen(
    page: sync_api.Page, app_url: str, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(app_url)  # nothing is asked for: the first sample
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    page.wait_for_selector(".bd-layers .barlayer .point")
    foot = page.get_by_test_id("stBottom").bounding_box()
    assert foot is not None and foot["y"] + foot["height"] == size[1]
    for part in (*ONE_SCREEN[:-2], ".bd-frontier .bd-plot", ".bd-layers .bd-plot"):
        box = page.locator(part).first.bounding_box()
        assert box is not None and box["y"] >= 56 and box["y"] + box["height"] <= foot["y"] + 1, part
    frontier, layers = (page.locator(f"{part} .bd-plot").bounding_box() for part in ONE_SCREEN[-2:])
    assert frontier and layers and min(frontier["height"], layers["height"]) > 300
    ends = [box["y"] + box["height"] for box in (frontier, layers)]
    assert abs(ends[0] - ends[1]) < 1, "both charts end in the same line"
    sync_api.expect(page.get_by_role("heading", name="ResNet-56 on CIFAR-10")).to_be_visible()


def test_what_a_newcomer_can_do_is_said_until_it_is_hidden(page: sync_api.Page, app_url: str) -> None:
    page.goto(app_url)
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    help_line, dial = page.get_by_text("New here?"), page.locator(".bd-range")
    sync_api.expect(help_line).to_be_visible()
    before = dial.bounding_box()
    page.get_by_role("button", name="Hide", exact=True).click()
    sync_api.expect(help_line).to_have_count(0)
    assert dial.bounding_box() == before
    page.reload()
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    assert help_line.count() == 0


@pytest.mark.parametrize("path", ["", "finetune", "see"])
def test_headline_and_slider_stay_in_sight_while_one_scrolls(page: sync_api.Page, app_url: str, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 600})
    page.goto(f"{app_url}/{path}?study=demo&budget=50")
    page.locator(".bd-headline").get_by_text("of the work").wait_for()
    page.wait_for_timeout(1000)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 10000)")
    for part in (".bd-headline", ".bd-range"):
        box = page.locator(part).bounding_box()
        assert box is not None and 50 <= box["y"] < 200, part
