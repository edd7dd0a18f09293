"""A phone, and a projector's window at 150 %: no page scrolls sideways, and nothing lies outside of it or is cut."""

import pytest
from playwright import sync_api

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE, ZOOMED = {"width": 390, "height": 844}, {"width": 853, "height": 480}  # 1280 x 720 at 150 %
#: What a user cannot see without scrolling sideways, but for tables and maps, which show that they scroll.
HIDDEN = """() => {
    const scrolls = '[data-testid=stDataFrame], .bd-pane, .bd-lineage-scroll';
    const name = element => `${element.tagName} ${element.className} ${element.innerText?.slice(0, 60)}`;
    const shown = [...document.querySelectorAll('.stApp *')].filter(element =>
        element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !element.closest(scrolls) &&
        !element.closest('[data-testid=stSidebar], svg') && element.clientWidth > 1 && element.clientHeight > 1);
    const outside = shown.filter(element => {
        const { left, right } = element.getBoundingClientRect();
        return left < -1 || right > innerWidth + 1;
    });
    const cut = shown.filter(element =>
        getComputedStyle(element).overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1 &&
        element.matches(':not(input, select)'));
    return [...outside.map(element => `outside: ${name(element)}`), ...cut.map(element => `cut: ${name(element)}`)];
}"""


@pytest.mark.parametrize("path", ["", "learn", "finetune", "see", "structure", "studies"])
def test_a_small_window_shows_all_of_a_page(page: sync_api.Page, app_url: str, path: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{app_url}/{path}?study=cifar10_resnet56&held=50&axis=latency")
    page.get_by_role("heading").first.wait_for()
    page.get_by_test_id("stApp").and_(page.locator("[data-test-script-state='notRunning']")).wait_for()
    if not path:
        page.wait_for_selector(".bd-frontier .scatterlayer .point")
    page.wait_for_timeout(500)
    assert page.evaluate(HIDDEN) == []
    page.set_viewport_size(ZOOMED)
    page.wait_for_timeout(1000)
    assert page.evaluate(HIDDEN) == []


def test_the_title_of_the_time_axis_is_whole_on_a_phone(page: sync_api.Page, app_url: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{app_url}/?study=cifar10_resnet56&axis=latency")
    title = page.locator(".bd-frontier .xtitle")
    title.wait_for()
    box = title.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    assert "batch 1" in (title.text_content() or "")
