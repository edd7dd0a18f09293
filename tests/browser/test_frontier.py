"""The frontier in a real browser: what the pointer tells and lists; its switches ask no server."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright import sync_api

from legr.study.store import Study
from tests.browser.test_answers import Tables
from tests.browser.test_explore import NEXT_FRAME

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Where the points of a line are on the screen.
POINTS = """name => {
    const chart = document.querySelector('.bd-frontier .bd-plot');
    const place = chart.data?.findIndex(trace => trace.name === name) ?? -1;
    if (place < 0) return null;
    const { xaxis, yaxis } = chart._fullLayout, box = chart.getBoundingClientRect();
    return chart.calcdata[place].map(({ x, y }) =>
        [box.x + xaxis._offset + xaxis.c2p(x), box.y + yaxis._offset + yaxis.c2p(y)]);
}"""
#: The scale of the accuracy, and which switches are on: whole range, error, uniform.
SHOWN = """() => [
    document.querySelector('.bd-frontier .bd-plot')._fullLayout.yaxis.type,
    ...['whole', 'error', 'uniform'].map(name => document.querySelector(`.bd-frontier-tools [name=${name}]`).checked),
]"""
COLUMN = ".bd-list tbody td:nth-child({})"


def open_frontier(page: sync_api.Page, app_url: str, **view: object) -> None:
    query = "".join(f"&{name}={value}" for name, value in view.items())
    page.goto(f"{app_url}/?study=demo{query}")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    page.locator(".bd-frontier .bd-plot").scroll_into_view_if_needed()


def points_of(page: sync_api.Page, line: str) -> list[tuple[float, float]]:
    places: list[tuple[float, float]] = page.wait_for_function(POINTS, arg=line).json_value()
    return places


def test_points_that_overlap_are_told_in_one_box_and_a_click_goes_there(page: sync_api.Page, app_url: str) -> None:
    page.set_viewport_size({"width": 1000, "height": 640})  # where they overlap
    open_frontier(page, app_url, budget=70)
    tools, told = page.locator(".bd-frontier-tools"), page.locator(".bd-told")
    for name in ("Whole range", "Identity", "Uniform"):
        tools.get_by_label(name).check()
    page.evaluate(NEXT_FRAME)
    x, y = points_of(page, "Identity, as cut")[-2]  # the three rankings lose little at 90 %
    page.mouse.move(x, y)
    for name in ("Learned", "Identity", "Uniform"):
        sync_api.expect(told).to_contain_text(f"{name}, as cut, ")
    page.mouse.move(x, y + 100)
    sync_api.expect(told).to_be_hidden()
    x, y = points_of(page, "Learned, trained")[0]
    page.mouse.move(x + 2, y - 1)
    sync_api.expect(told).to_contain_text("Learned, trained, 49.6 % of the MACs")
    page.mouse.click(x + 2, y - 1)
    sync_api.expect(page.get_by_role("spinbutton", name="Budget")).to_have_value(re.compile(r"^(49\.6|50)"))


def test_switches_of_the_frontier_bring_no_table_and_are_in_the_link(page: sync_api.Page, app_url: str) -> None:
    tables = Tables(page)
    open_frontier(page, app_url, budget=50)
    page.wait_for_timeout(1500)
    lowest = "() => document.querySelector('.bd-frontier .bd-plot')._fullLayout.yaxis.range[0]"
    narrow = page.evaluate(lowest)
    tools = page.locator(".bd-frontier-tools")
    for name in ("Uniform", "Whole range"):
        tools.get_by_label(name).check()
    page.wait_for_function(f"({lowest})() < {narrow} - 10")
    page.wait_for_url(lambda url: "others=uniform" in url and "whole=1" in url)
    page.wait_for_timeout(500)
    tools.get_by_label("Error, log").check()
    page.wait_for_function("() => document.querySelector('.bd-frontier .bd-plot')._fullLayout.yaxis.type === 'log'")
    assert points_of(page, "Uniform, as cut")
    tools.get_by_role("button", name="List all networks").press("Enter")
    sync_api.expect(page.locator(".bd-list")).to_contain_text("16 networks")
    page.wait_for_url(lambda url: all(part in url for part in ("whole=1", "error=1", "others=uniform")))
    assert len(tables.received) == 1

    link = page.context.new_page()
    link.goto(page.url)
    link.wait_for_selector(".bd-frontier .scatterlayer .point")
    assert link.evaluate(SHOWN) == ["log", True, True, True]
    link.close()
    page.wait_for_timeout(500)
    page.go_back()
    page.wait_for_function(f"() => JSON.stringify(({SHOWN})()) === '[\"linear\",true,false,true]'")
    page.go_forward()
    page.wait_for_function(f"() => JSON.stringify(({SHOWN})()) === '[\"log\",true,true,true]'")
    tools.get_by_label("Uniform").uncheck()
    page.wait_for_url(lambda url: "others" not in url and "error=1" in url)


def test_a_switch_keeps_the_focus(page: sync_api.Page, app_url: str) -> None:
    open_frontier(page, app_url, budget=50)
    uniform = page.locator(".bd-frontier-tools").get_by_label("Uniform")
    uniform.focus()
    for others in ("others=uniform", ""):
        page.keyboard.press("Space")
        page.wait_for_url(lambda url, others=others: others in url and (others or "others" not in url))
        page.wait_for_timeout(500)
        sync_api.expect(uniform).to_be_focused()


def test_a_region_is_listed_sorted_and_compared_with(page: sync_api.Page, app_url: str) -> None:
    open_frontier(page, app_url, budget=90)
    places = points_of(page, "Learned, as cut")[-3:]  # 70, 90 and 100 %
    page.mouse.move(places[0][0] - 15, places[0][1] + 15)
    page.mouse.down()
    page.mouse.move(places[-1][0] + 15, places[-1][1] - 15, steps=5)
    page.mouse.up()
    networks = page.locator(".bd-list")
    sync_api.expect(networks).to_contain_text("3 networks in the region")
    budgets = page.locator(COLUMN.format(2))
    assert [float(text.split()[0]) for text in budgets.all_inner_texts()] == pytest.approx([100, 90, 70], abs=4)
    page.get_by_role("button", name="Parameters").last.click()
    page.get_by_role("button", name="Parameters").last.click()  # the smallest first
    assert [float(text.split()[0]) for text in budgets.all_inner_texts()] == pytest.approx([70, 90, 100], abs=4)
    row = networks.locator("tbody tr").first
    assert "points" in row.inner_text() and "−" in row.inner_text()
    row.get_by_role("button", name="Hold").click()
    page.wait_for_url(re.compile(r"held=69\.|held=70"))
    sync_api.expect(networks.locator("tbody tr").last.get_by_role("button", name="Export")).to_be_disabled()
    networks.get_by_role("button", name="Close").click()
    sync_api.expect(networks).to_be_hidden()


def test_a_network_of_the_list_is_opened_on_the_page_that_exports(page: sync_api.Page, app_url: str) -> None:
    open_frontier(page, app_url, budget=90)
    page.get_by_role("button", name="List all networks").click()
    page.get_by_role("button", name="Budget").last.click()
    page.get_by_role("button", name="Budget").last.click()  # the largest first: the original, then those of 90 %
    row = page.locator(".bd-list tbody tr").filter(has_text="Uniform").nth(1)
    percent = float(row.locator("td").nth(1).inner_text().split()[0])
    assert percent == pytest.approx(70, abs=4)
    row.get_by_role("button", name="Export").click()
    page.wait_for_url("**/finetune**ranking=uniform**")
    sync_api.expect(page.get_by_role("spinbutton", name="Budget")).to_have_value(re.compile(f"^{percent:.0f}"[:3]))


#: The list's ends, those of the window's part in which nothing stays, and what lies on the head above the last buttons.
SIGHT = """() => {
    const box = selector => document.querySelector(selector).getBoundingClientRect();
    const { top, bottom } = box('.bd-list'), head = box('.bd-list thead td');
    const list = document.querySelector('.bd-list .bd-pane');
    const button = list.querySelector('tbody button:disabled');
    list.scrollTop += button.getBoundingClientRect().top - head.top - 4;
    const { left, width } = button.getBoundingClientRect(), over = box('.bd-list thead td');
    const met = document.elementFromPoint(left + width / 2, over.top + over.height / 2);
    return [top, bottom, box('.bd-top').bottom, box('[data-testid=stBottom]').top, met.closest('thead') !== null];
}"""


def test_the_list_comes_into_sight_and_its_head_covers_what_scrolls_below_it(page: sync_api.Page, app_url: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.emulate_media(reduced_motion="reduce")
    open_frontier(page, app_url, budget=50, axis="latency")
    page.get_by_role("button", name="List all networks").press("Enter")
    sync_api.expect(page.locator(".bd-list").get_by_role("button", name="Close")).to_be_focused()
    top, bottom, above, below, is_covered = page.evaluate(SIGHT)
    assert above <= top < bottom <= below
    assert is_covered
    device = page.locator(".bd-device")
    sync_api.expect(device).to_have_attribute("title", re.compile("2 threads, PyTorch"))


def test_another_device_is_chosen_by_name(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    study = Study.open(tmp_path / "studies" / "demo")
    board = {"machine": "Orin", "threads": 6, "milliseconds": 30.0}
    few = [p for p in study.points if not p.finetuned][:2]
    study.save_points([*study.points, *(replace(p, latency=p.latency and replace(p.latency, **board)) for p in few)])
    open_frontier(page, app_url, budget=100)
    menu = page.get_by_label("Device whose latencies are shown")
    sync_api.expect(page.locator(".bd-figures")).to_contain_text("4.00 ms")
    menu.select_option("Orin, 6 threads, PyTorch 2.14.1")
    sync_api.expect(page.locator(".bd-figures")).to_contain_text("30.0 ms")
    page.wait_for_url("**device=Orin**")
    menu.select_option("add")
    sync_api.expect(page.get_by_role("group", name="Add a device")).to_contain_text(
        "python -m legr measure --study demo"
    )
    sync_api.expect(menu).to_have_value("Orin, 6 threads, PyTorch 2.14.1")


def rings(page: sync_api.Page) -> list[tuple[float, float]]:
    boxes: list[tuple[float, float]] = page.evaluate(
        """() => [...document.querySelectorAll('.bd-light')].map(ring => {
            const { x, y, width, height } = ring.getBoundingClientRect();
            return [x + width / 2, y + height / 2];
        })"""
    )
    return boxes


def test_a_row_lights_up_its_points_and_a_point_marks_its_row(page: sync_api.Page, app_url: str) -> None:
    page.set_viewport_size({"width": 1400, "height": 1300})
    open_frontier(page, app_url, budget=90)
    page.get_by_role("button", name="List all networks").click()
    rows = page.locator(".bd-list tbody tr")
    trained = rows.filter(has_text="Learned").filter(has_text="49.6 %").first
    trained.hover()
    (x, y) = points_of(page, "Learned, trained")[0]
    assert any(ring == pytest.approx((x, y), abs=1.5) for ring in rings(page))
    page.mouse.move(5, 5)
    assert rings(page) == []
    rows.first.get_by_role("button", name="Go there").focus()
    assert rings(page) or "Original" in rows.first.inner_text()
    page.mouse.move(x + 2, y)
    sync_api.expect(page.locator(".bd-list .bd-met")).to_have_count(1)
    sync_api.expect(page.locator(".bd-list .bd-met")).to_contain_text("Learned")
    row, pane = page.locator(".bd-list .bd-met").bounding_box(), page.locator(".bd-list .bd-pane").bounding_box()
    assert row and pane and pane["y"] <= row["y"] and row["y"] + row["height"] <= pane["y"] + pane["height"] + 1
    page.mouse.move(5, 5)
    sync_api.expect(page.locator(".bd-list .bd-met")).to_have_count(0)


#: Labels outside of the chart's axes; "none" where there is none, "overlap" where two meet.
OUTSIDE = """() => {
    const chart = document.querySelector('.bd-frontier .bd-plot'), { xaxis, yaxis } = chart._fullLayout;
    const box = chart.getBoundingClientRect();
    const [left, top] = [box.x + xaxis._offset, box.y + yaxis._offset];
    const texts = [...chart.querySelectorAll('.textpoint text')].filter(text => text.textContent);
    if (!texts.length) return ['none'];
    const boxes = texts.map(text => text.getBoundingClientRect());
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
    if (boxes.some((a, n) => boxes.slice(n + 1).some(b => meet(a, b)))) return ['overlap'];
    return texts.filter(text => {
        const at = text.getBoundingClientRect();
        return at.top < top - 1 || at.bottom > top + yaxis._length + 1 || at.left < left - 1
            || at.right > left + xaxis._length + 1;
    }).map(text => text.textContent);
}"""


@pytest.mark.parametrize("view", [{}, {"error": 1}, {"whole": 1, "others": "identity.uniform"}])
def test_labels_lie_within_the_chart(page: sync_api.Page, app_url: str, view: dict[str, object]) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    open_frontier(page, app_url, budget=30, **view)
    page.wait_for_timeout(500)
    assert page.evaluate(OUTSIDE) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(1000)
    assert page.evaluate(OUTSIDE) == []
