"""Explore by keyboard alone: all of it is reached, shows its focus, and answers. Nothing moves by itself."""

import re

import pytest
from playwright import sync_api

from tests.browser.test_explore import NEXT_FRAME

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Whether the focus can be seen: a line of 2 px around the element, or around what stands for it.
RING = """() => {
    const focused = document.activeElement;
    const shown = [focused, focused.nextElementSibling, focused.parentElement].filter(Boolean);
    return shown.map(getComputedStyle).some(s => s.outlineStyle === 'solid' && parseFloat(s.outlineWidth) >= 2);
}"""
FOCUSED = """() => {
    const { tagName, type, id, className, ariaLabel, innerText } = document.activeElement;
    return [tagName, type, id, className, ariaLabel, innerText].join(' ');
}"""
MOST_STEPS = 60
#: Whether the dial says what the headline says.
SAYS_THE_HEADLINE = "([dial, headline]) => dial.getAttribute('aria-valuetext') === headline.innerText"


def tab_to(page: sync_api.Page, wanted: sync_api.Locator) -> None:
    """Press Tab until an element has the focus; on the way, whatever has it shows it."""
    for _ in range(MOST_STEPS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
        assert page.evaluate(RING), f"no ring: {page.evaluate(FOCUSED)}"
    raise AssertionError("it is not reached")


def press(page: sync_api.Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_explore_is_used_by_keyboard_alone(page: sync_api.Page, app_url: str) -> None:
    page.goto(f"{app_url}/?study=demo&budget=90")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    page.wait_for_timeout(500)
    headline, answer = page.locator(".bd-headline"), page.locator(".bd-answer")
    entry = page.get_by_role("spinbutton", name="Budget")

    tab_to(page, page.locator(".bd-name"))
    sync_api.expect(page.locator(".bd-facts")).to_be_visible()
    press(page, "Escape")
    sync_api.expect(page.locator(".bd-facts")).to_be_hidden()
    tab_to(page, page.get_by_role("combobox", name="Ranking"))
    press(page, "ArrowDown")  # Identity
    page.wait_for_url("**ranking=identity**")
    press(page, "ArrowUp")
    page.wait_for_url("**ranking=learned**")

    tab_to(page, page.get_by_role("button", name="I need … frames a second"))
    press(page, "Enter")
    sync_api.expect(entry).to_be_focused()
    page.keyboard.type("1")
    press(page, "Enter")
    sync_api.expect(answer).to_contain_text("already")
    tab_to(page, page.get_by_role("link", name="Go to nearest"))
    press(page, "Enter")
    sync_api.expect(answer).to_contain_text("Nearest to the original")

    dial = page.get_by_role("slider", name="Budget")
    tab_to(page, dial)
    press(page, "Home")
    least = headline.inner_text()
    press(page, "End")
    sync_api.expect(headline).to_contain_text("The original")
    press(page, "PageDown", "ArrowLeft")
    sync_api.expect(headline).to_contain_text("of the work")
    assert headline.inner_text() != least
    page.wait_for_function(SAYS_THE_HEADLINE, arg=[dial.element_handle(), headline.element_handle()])  # a frame later
    tab_to(page, page.get_by_label("Whole range"))
    press(page, "Space")
    sync_api.expect(page.get_by_label("Whole range")).to_be_checked()


def test_the_frontier_and_its_list_are_used_by_keyboard_alone(page: sync_api.Page, app_url: str) -> None:
    page.goto(f"{app_url}/?study=demo&budget=90")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    page.wait_for_timeout(500)
    entry, chart = page.get_by_role("spinbutton", name="Budget"), page.locator(".bd-frontier .bd-plot")
    told = page.locator(".bd-told")
    page.get_by_role("slider", name="Budget").focus()
    tab_to(page, page.locator(".bd-axis input:checked"))
    press(page, "ArrowRight")
    sync_api.expect(page.get_by_role("radio", name="Parameters").first).to_be_checked()
    press(page, "ArrowLeft")

    tab_to(page, page.get_by_role("button", name="List all networks"))
    press(page, "Enter")
    networks = page.get_by_role("region", name="Networks")
    close = networks.get_by_role("button", name="Close")
    sync_api.expect(close).to_be_focused()
    tab_to(page, networks.get_by_role("button", name=re.compile(r"^Go there: Learned, 49\.6")).first)
    press(page, "Enter")
    sync_api.expect(entry).to_have_value(re.compile(r"^(49\.6|50)"))
    close.focus()
    press(page, "Enter")
    sync_api.expect(page.get_by_role("button", name="List all networks")).to_be_focused()

    tab_to(page, chart)
    press(page, "End", "ArrowLeft")
    sync_api.expect(told).to_contain_text("of the MACs")
    first = told.inner_text()
    press(page, "ArrowLeft", "ArrowLeft", "ArrowLeft")
    assert told.inner_text() != first
    percent = re.search(r"([\d.]+)\s% of the MACs", told.inner_text())
    assert percent
    press(page, "Enter")
    sync_api.expect(entry).to_have_value(re.compile(rf"^{float(percent[1]):.0f}"[:3]))
    press(page, "Escape")
    sync_api.expect(told).to_be_hidden()

    tab_to(page, page.locator(".bd-lens input:checked"))
    press(page, *["ArrowRight"] * 4)
    lanes = page.get_by_role("group", name="Lanes")
    tab_to(page, lanes)
    press(page, "ArrowRight")
    sync_api.expect(page.locator(".bd-map .bd-tip")).to_be_visible()


def test_the_steps_to_add_a_device_give_the_focus_back(page: sync_api.Page, app_url: str) -> None:
    page.goto(f"{app_url}/?study=demo&axis=latency")
    menu = page.get_by_label("Device whose latencies are shown")
    menu.focus()
    menu.select_option("add")
    sync_api.expect(page.get_by_role("group", name="Add a device")).to_be_focused()
    press(page, "Escape")
    sync_api.expect(menu).to_be_focused()


def test_where_less_motion_is_asked_for_nothing_of_ours_moves(page: sync_api.Page, app_url: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{app_url}/?study=demo&budget=90")
    page.wait_for_selector(".bd-layers .barlayer .point")
    moving = """() => document.getAnimations()
        .map(animation => animation.effect.target)
        .filter(element => element.closest('.budget-dial, .bd-bar, .bd-top, .bd-below, [data-testid=stBottom]'))
        .map(element => element.outerHTML.slice(0, 100))"""
    page.get_by_role("slider", name="Budget").focus()
    for key in ("PageDown", "Home", "End"):
        press(page, key)
        assert page.evaluate(moving) == []
    for switch in (page.get_by_label("Whole range"), page.locator(".bd-lens").get_by_text("Per cent")):
        switch.click()
        assert page.evaluate(moving) == []
        page.evaluate(NEXT_FRAME)
        assert page.evaluate(moving) == []
