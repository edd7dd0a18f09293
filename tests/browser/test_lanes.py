"""The map of which layers go together, in a real browser: its colours are the engine's shares all along a drag."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright import sync_api

from app.budget_dial.lanes import lay_out_lanes
from legr.study.store import Study

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Of every lane that can be cut: the share that its line is thick, its colour, and how often it was touched since last.
DRAWN = """() => [...document.querySelectorAll('.bd-lane')].filter(lane => lane.querySelector('circle')).map(lane => {
    const [whole, core] = [...lane.querySelectorAll('line')].map(line => Number(line.getAttribute('stroke-width')));
    const marks = [...lane.querySelectorAll('circle')].map(mark => getComputedStyle(mark).fill);
    const touched = lane.touched ?? 0;
    lane.touched = 0;
    return { share: core / whole, colour: getComputedStyle(lane).color, marks, touched };
})"""
WATCH = """() => document.querySelectorAll('.bd-lane').forEach(lane => {
    const count = changes => { lane.touched = (lane.touched ?? 0) + changes.length; };
    new MutationObserver(count).observe(lane, { subtree: true, attributes: true });
})"""
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
SHADES = [(0xE5, 0x8A, 0x1F), (0xD9, 0x67, 0x5A), (0xB0, 0x56, 0x8F), (0x74, 0x56, 0xAE), (0x2A, 0x56, 0xBD)]


def shares_at(study: Study, percent: float) -> list[float]:
    """The share of filters kept of every lane that can be cut, by the kept units themselves."""
    keep = study.curve("learned").at(macs=percent / 100)
    layout, layers = lay_out_lanes(study.structure), {layer.name: layer for layer in study.structure.layers}
    lanes = [[layers[layout.columns[n]] for n in lane.writers] for lane in layout.lanes if not lane.fixed]
    return [float(np.concatenate([keep.kept(layer.labels) for layer in lane]).mean()) for lane in lanes]


def assert_colour(colour: str, share: float) -> None:
    expected = [np.interp(share, np.linspace(0, 1, len(SHADES)), part) for part in zip(*SHADES, strict=True)]
    assert [int(part) for part in re.findall(r"\d+", colour)] == pytest.approx(expected, abs=0.51)


def assert_drawn(drawn: list[dict[str, Any]], shares: list[float]) -> None:
    assert [lane["share"] for lane in drawn] == pytest.approx(shares, abs=1e-9)
    for lane, share in zip(drawn, shares, strict=True):
        for colour in (lane["colour"], *lane["marks"]):
            assert_colour(colour, share)


def open_map(page: sync_api.Page, address: str) -> None:
    page.goto(address)
    page.locator(".bd-lane").first.wait_for(state="attached")
    page.wait_for_timeout(500)


def test_a_drag_colours_every_lane_and_touches_no_other(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    open_map(page, f"{app_url}/?study=demo&budget=90&lens=together")
    study = Study.open(tmp_path / "studies" / "demo")
    assert_drawn(page.evaluate(DRAWN), shares_at(study, 90))

    dial, entry = page.get_by_role("slider", name="Budget"), page.get_by_role("spinbutton", name="Budget")
    box = dial.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    thumb = 8 + (box["width"] - 16) * int(dial.input_value()) / int(dial.get_attribute("max") or 0)
    page.mouse.move(box["x"] + thumb, middle)
    page.mouse.down()
    page.evaluate(WATCH)
    before, seen, last = len(sent), [], shares_at(study, 90)
    for part in range(1, 21):
        page.mouse.move(box["x"] + thumb * (1 - part / 24), middle)
        page.evaluate(TWO_FRAMES)
        seen.append((float(entry.input_value()), page.evaluate(DRAWN)))
    assert len(sent) == before, "the server must not be asked while the hand moves"
    assert len({budget for budget, _ in seen}) == 20
    for budget, drawn in seen:
        shares = shares_at(study, budget)
        assert_drawn(drawn, shares)
        for lane, now, then in zip(drawn, shares, last, strict=True):
            assert (lane["touched"] > 0) == (now != then)
        last = shares
    page.mouse.up()
    page.wait_for_url(f"**budget={seen[-1][0]:g}**")
    page.wait_for_timeout(500)
    assert_drawn(page.evaluate(DRAWN), last)


def test_the_map_is_a_link_and_says_what_goes_together(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study=demo&budget=50&held=90")
    page.locator(".bd-layers .barlayer").wait_for(state="attached")
    before = page.locator(".bd-lens").bounding_box(), page.locator(".bd-frontier").bounding_box()
    page.locator(".bd-lens").get_by_text("Together").click()
    page.wait_for_url("**lens=together**")
    page.locator(".bd-map").wait_for(state="visible")
    after = page.locator(".bd-lens").bounding_box(), page.locator(".bd-frontier").bounding_box()
    assert after == before  # the switch stays where it was clicked, and the frontier beside it
    open_map(page, page.url)
    study = Study.open(tmp_path / "studies" / "demo")
    names = [layer.name for layer in study.structure.layers]
    kept = [study.curve().kept[names.index("conv1"), study.curve().step(macs=macs)] for macs in (0.5, 0.9)]
    now, then = [f"{n} of 16 filters in each ({100 * n / 16:.0f} %)" for n in kept]
    tip = page.locator(".bd-map > .bd-tip")
    sync_api.expect(tip).to_be_hidden()

    first = page.locator(".bd-lane").first
    first.locator("circle").last.hover()
    lines = [
        "2 layers whose filters leave together",
        f"Kept: {now}",
        f"Compared: {then}",
        "Layers: conv1, layer1.0.conv2",
        "Read by: layer1.0.conv1, layer2.0.conv1, layer2.0.shortcut",
    ]
    sync_api.expect(tip.locator("div")).to_have_text(lines)
    tip_box, lane_box = tip.bounding_box(), first.bounding_box()
    assert tip_box and lane_box and tip_box["y"] > lane_box["y"] + lane_box["height"]  # it does not cover its lane
    page.mouse.move(5, 5)
    sync_api.expect(tip).to_be_hidden()

    pane = page.locator(".bd-pane")
    pane.focus()
    for key, expected in (("ArrowRight", lines[0]), ("ArrowRight", "layer1.0.conv1"), ("ArrowLeft", lines[0])):
        page.keyboard.press(key)
        sync_api.expect(tip.locator("div").first).to_have_text(expected)
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    sync_api.expect(tip).to_contain_text("it cannot be cut")

    page.locator(".bd-map summary").click()
    items = page.locator(".bd-map li")
    sync_api.expect(items.first).to_have_text(". ".join(lines))
    sync_api.expect(items).to_have_count(len(lay_out_lanes(study.structure).lanes))
    counts = [
        f"{sum(study.curve().kept[:, study.curve().step(macs=0.5)])} of {sum(x.total for x in study.structure.layers)}"
    ]
    label = page.locator(".bd-pane svg").get_attribute("aria-label") or ""
    assert all(part in label for part in ("6 lanes", "1 of them of several layers", "1 layer cannot be cut", *counts))

    page.locator(".bd-lens").get_by_text("Per cent").click()
    page.locator(".bd-layers .barlayer").wait_for(state="visible")
    sync_api.expect(page.locator(".bd-map")).to_be_hidden()


def test_the_map_is_a_file_as_well(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    open_map(page, f"{app_url}/?study=demo&budget=50&lens=together")
    files = {}
    for form in ("CSV", "PNG", "SVG"):
        with page.expect_download() as download:
            page.locator(".bd-layers").get_by_role("button", name=form).click()
        assert download.value.suggested_filename == f"demo-lanes-50.{form.lower()}"
        files[form] = download.value.path().read_bytes()

    svg = page.locator(".bd-pane svg")
    size = [int(svg.get_attribute(name) or 0) for name in ("width", "height")]
    assert files["PNG"].startswith(b"\x89PNG")
    width, height = (int.from_bytes(files["PNG"][at : at + 4], "big") for at in (16, 20))
    assert (width, height) == (2 * size[0], 2 * (size[1] + 26))  # a title stands above the map

    title = page.locator(".bd-name > span").first.inner_text()  # the study as people say it
    text = files["SVG"].decode()
    assert text.startswith("<svg") and "var(" not in text and text.count("<circle") == 8
    assert f">{title} · learned ranking · 50 % of the MACs · {datetime.now(UTC):%Y-%m-%d}</text>" in text

    table = pd.read_csv(io.BytesIO(files["CSV"]))
    shares = shares_at(Study.open(tmp_path / "studies" / "demo"), 50)
    assert (table["kept"] / table["total"]).tolist() == pytest.approx(shares)
    assert table["layers"][0] == "conv1 layer1.0.conv2"
    assert table["read_by"][0] == "layer1.0.conv1 layer2.0.conv1 layer2.0.shortcut"


def test_structure_has_the_map_of_the_chosen_budget_and_a_click_opens_a_card(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    study = Study.open(tmp_path / "studies" / "demo")
    open_map(page, f"{app_url}/structure?study=demo&budget=40")
    assert_drawn(page.evaluate(DRAWN), shares_at(study, 40))
    page.get_by_text("The same as a list").click()
    sync_api.expect(page.locator(".bd-map li")).to_have_count(len(lay_out_lanes(study.structure).lanes))
    page.locator(".bd-pane svg .bd-lane circle").nth(2).click()
    card = page.get_by_role("region", name="A layer and its filters")
    sync_api.expect(card.get_by_role("heading")).to_be_visible()
    assert card.get_by_role("heading").text_content() in {layer.name for layer in study.structure.layers}
