"""The card of a layer in a browser: a click in a chart opens it, a drag moves it, and it asks the server for little."""

import re
from pathlib import Path

import pytest
from playwright import sync_api

from legr.study.store import Study
from tests.browser.test_explore import DRAWN, NEXT_FRAME, kept_at, wait_for_bars

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: How many bars of the card are drawn as left, and in all.
BARS = """() => [...document.querySelectorAll('.bd-card-chart path')].slice(0, 3)
    .map(path => (path.getAttribute('d').match(/V/g) ?? []).length / 2)"""
#: The middle of a layer's column on the screen.
COLUMN = """layer => {
    const chart = document.querySelector('.bd-layers .bd-plot'), { xaxis, yaxis } = chart._fullLayout;
    const { x, y } = chart.getBoundingClientRect();
    return [x + xaxis._offset + xaxis.c2p(layer), y + yaxis._offset + 10];
}"""


def test_a_click_on_a_layer_opens_its_card_and_a_drag_moves_it(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    study, received = Study.open(tmp_path / "studies" / "demo"), [0]

    def count(frame: str | bytes) -> None:
        received[0] += len(frame)

    page.on("websocket", lambda socket: socket.on("framereceived", count))
    page.goto(f"{app_url}/?study=demo&budget=50")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.5))
    page.wait_for_timeout(1000)
    before = received[0]
    number, layer = 2, study.structure.layers[2]
    page.mouse.click(*page.evaluate(COLUMN, number))
    card = page.get_by_role("region", name="A layer and its filters")
    sync_api.expect(card.get_by_role("heading")).to_have_text(layer.name)
    sync_api.expect(card).to_contain_text("Score =")
    page.wait_for_url(f"**layer={layer.name}**")
    page.wait_for_timeout(500)
    assert received[0] - before < 60_000, "a card must not send the dial's table again"
    sync_api.expect(page.locator(".bd-frontier")).to_be_hidden()

    slider = page.get_by_role("slider", name="Budget")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("PageDown")
        page.evaluate(NEXT_FRAME)
        left, kept, next_to_go = page.evaluate(BARS)
        assert left + kept + next_to_go == layer.total
        assert kept + next_to_go == page.evaluate(DRAWN)[number]

    with page.expect_download() as saved:
        card.get_by_role("button", name="All filters of the layer as a table").click()
    lines = saved.value.path().read_text().splitlines()
    assert saved.value.suggested_filename == f"demo-learned-{layer.name}.csv" and len(lines) == 1 + layer.total
    card.get_by_role("button", name="The next layer").click()
    sync_api.expect(card.get_by_role("heading")).to_have_text(study.structure.layers[number + 1].name)
    page.wait_for_url(f"**layer={study.structure.layers[number + 1].name}**")
    page.go_back()
    sync_api.expect(card.get_by_role("heading")).to_have_text(layer.name)
    card.get_by_role("button", name="Close the card").click()
    sync_api.expect(card).to_be_hidden()
    sync_api.expect(page.locator(".bd-frontier .bd-plot")).to_be_visible()
    sync_api.expect(page.locator(".bd-frontier .scatterlayer .point").first).to_be_visible()


def test_a_link_opens_a_card_and_the_keyboard_goes_through_the_layers(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    layers = [layer.name for layer in Study.open(tmp_path / "studies" / "demo").structure.layers]
    page.goto(f"{app_url}/?study=demo&budget=50&layer={layers[1]}")
    card = page.get_by_role("region", name="A layer and its filters")
    sync_api.expect(card).to_contain_text("Score =")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.5))
    page.locator(".bd-layers .bd-plot").focus()
    page.keyboard.press("ArrowRight")
    sync_api.expect(card.get_by_role("heading")).to_have_text(layers[2])
    sync_api.expect(card).to_have_attribute("aria-busy", "false")
    page.locator(".bd-card-chart svg").hover()
    sync_api.expect(card.locator(".bd-tip")).to_contain_text("Filter ")
    page.get_by_role("combobox", name="Ranking").select_option("uniform")
    sync_api.expect(card).to_contain_text("Score: the share of its group")
    page.locator(".bd-layers .bd-plot").focus()
    page.keyboard.press("Escape")
    sync_api.expect(card).to_be_hidden()


def test_a_click_in_the_lane_map_opens_the_card_of_that_layer(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    layers = [layer.name for layer in Study.open(tmp_path / "studies" / "demo").structure.layers]
    page.goto(f"{app_url}/?study=demo&budget=50&lens=together")
    marks = page.locator(".bd-pane svg circle")
    marks.nth(2).click()  # the first explains the marks, and layers follow
    card = page.get_by_role("region", name="A layer and its filters")
    sync_api.expect(card.get_by_role("heading")).to_have_text(re.compile("|".join(map(re.escape, layers))))
    name = card.get_by_role("heading").text_content()
    sync_api.expect(card).to_contain_text("Score =")
    page.mouse.move(0, 0)  # else the arrow keys begin at the lane below the pointer
    page.locator(".bd-pane").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    sync_api.expect(card.get_by_role("heading")).to_have_text(layers[0])
    assert name in layers


def test_another_number_of_filters_is_tried_and_pinned(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    study = Study.open(tmp_path / "studies" / "demo")
    layer = study.structure.layers[2]
    own = kept_at(tmp_path / "studies", 0.5)[2]
    page.goto(f"{app_url}/?study=demo&budget=50&layer={layer.name}")
    card = page.get_by_role("region", name="A layer and its filters")
    tried = card.get_by_role("slider", name="Filters that the layer would keep")
    sync_api.expect(card).to_contain_text(f"It keeps {own}.")
    pin = card.get_by_role("button", name="Pin here")
    sync_api.expect(pin).to_be_disabled()
    tried.focus()
    page.keyboard.press("ArrowLeft")
    sync_api.expect(card).to_contain_text(f"{own - 1} instead of {own} filters, all else as it is: −")
    page.get_by_role("slider", name="Budget").focus()
    page.keyboard.press("PageDown")
    page.evaluate(NEXT_FRAME)
    sync_api.expect(tried).to_be_hidden()  # it was tried for another network
    sync_api.expect(tried).to_be_visible()  # Python has heard of the new one
    sync_api.expect(card).to_contain_text("What if it kept another number?")
    tried.focus()
    page.keyboard.press("ArrowLeft")
    number = int((tried.get_attribute("aria-valuetext") or "").split()[0])
    pin.click()
    page.wait_for_url(f"**pins={layer.name}**")
    sync_api.expect(card).to_contain_text(f"{number} of {layer.total} filters")
    assert Study.open(study.path).constraints.pins == {layer.name: number}
