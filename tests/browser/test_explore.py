"""The app in a real browser: the dial follows the hand without a word to the server; pages open in a fresh server."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright import sync_api

from app.browser_files import DIAL
from app.budget_dial.table import dial_table
from app.joined_script import joined_script
from legr.charts.measurements import Measurements, measurements_of
from legr.ranking.constraints import Constraints
from legr.structure.cost import original_layer_macs
from legr.study.catalog import SAMPLES, list_studies
from legr.study.kept_sets import unpacked
from legr.study.records import FineTuned
from legr.study.store import Study
from tests.browser.running import running_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Filters kept of each layer, as the bars are drawn at this moment.
DRAWN = """() => {
    const chart = document.querySelector('.bd-layers .bd-plot');
    if (!chart?._fullLayout) return null;
    const edge = path => Number(path.getAttribute('d').match(/V(-?[0-9.]+)/)[1]);
    const bars = [...chart.querySelector('.barlayer .trace').querySelectorAll('.point path')];
    return bars.map(path => Math.round(chart._fullLayout.yaxis.p2l(edge(path))));
}"""
#: Where the first point of a series is on the screen.
PLACE = """name => {
    const chart = document.querySelector('.bd-frontier .bd-plot');
    const { xaxis, yaxis } = chart._fullLayout, { x, y } = chart.getBoundingClientRect();
    const [point] = chart.calcdata[chart.data.findIndex(trace => trace.name === name)];
    return [x + xaxis._offset + xaxis.l2p(point.x), y + yaxis._offset + yaxis.l2p(point.y)];
}"""
NEXT_FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
PNG = b"\x89PNG"


def kept_at(studies: Path, macs: float, ranking: str = "learned") -> list[int]:
    curve = Study.open(studies / "demo").curve(ranking)  # type: ignore[arg-type]
    return [int(n) for n in curve.kept[:, curve.step(macs=macs)]]


def kept_of(study: Study, run: FineTuned) -> list[np.ndarray]:
    """For every layer, which of its filters the network of a run keeps."""
    keep = unpacked(run.kept, study.structure.n_units)
    return [keep.kept(layer.labels) for layer in study.structure.layers]


def wait_for_bars(page: sync_api.Page, heights: list[int]) -> None:
    page.wait_for_function(f"() => JSON.stringify(({DRAWN})()) === '{json.dumps(heights, separators=(',', ':'))}'")


def is_elsewhere(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))


def test_a_drag_moves_every_bar_and_tells_the_server_only_at_its_end(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    elsewhere: list[str] = []
    sent: list[object] = []
    page.on("request", lambda request: elsewhere.append(request.url) if is_elsewhere(request.url) else None)
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{app_url}/?study=demo&budget=50")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.5))

    dial, entry = page.get_by_role("slider", name="Budget"), page.get_by_role("spinbutton", name="Budget")
    box = dial.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    thumb = 8 + (box["width"] - 16) * int(dial.input_value()) / int(dial.get_attribute("max") or 0)
    page.wait_for_timeout(500)
    page.mouse.move(box["x"] + thumb, middle)
    page.mouse.down()
    before, seen = len(sent), {}
    for part in range(1, 21):
        page.mouse.move(box["x"] + thumb * (1 - part / 24), middle)
        page.evaluate(NEXT_FRAME)
        seen[float(entry.input_value())] = page.evaluate(DRAWN)
    assert len(sent) == before, "the server must not be asked while the hand moves"
    assert len(seen) == 20
    for budget, heights in seen.items():
        assert heights == kept_at(tmp_path / "studies", budget / 100)
    last = list(seen)[-1]
    page.mouse.up()
    page.wait_for_url(f"**budget={last:g}**")

    picture = tmp_path / "explore.png"
    page.screenshot(path=picture)
    assert picture.read_bytes().startswith(PNG) and picture.stat().st_size > 20_000
    page.reload()
    wait_for_bars(page, seen[last])
    assert not elsewhere, "the app must not call other machines"


def test_keys_move_the_dial(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study=demo&budget=50")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.5))
    dial = page.get_by_role("slider", name="Budget")
    dial.focus()
    study = Study.open(tmp_path / "studies" / "demo")
    table = dial_table(study.curve(), "learned", measurements_of(study, study.curve), start=0.5)
    start, end = table["start"], len(table["macs"]) - 1
    entry = page.get_by_role("spinbutton", name="Budget")
    for key, expected in (
        ("ArrowLeft", start - 1),
        ("PageDown", start - 1 - round(end / 20)),
        ("Home", 0),
        ("End", end),
    ):
        page.keyboard.press(key)
        sync_api.expect(entry).to_have_value(f"{table['percent'][expected]:.2f}")
    page.wait_for_url("**budget=100**")
    wait_for_bars(page, kept_at(tmp_path / "studies", 1.0))
    assert "100\u00a0% of the work" in (dial.get_attribute("aria-valuetext") or "")


def test_a_frame_rate_finds_its_network_or_is_out_of_reach(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study=demo&budget=100")
    page.locator(".bd-by select").select_option("fps")
    entry = page.get_by_role("spinbutton", name="Budget")
    entry.fill("430")  # the trained network reaches 419
    entry.press("Enter")
    study = Study.open(tmp_path / "studies" / "demo")
    table = dial_table(study.curve(), "learned", Measurements(study.points), start=1.0)
    slowest = max(ms for ms in table["latency"] if ms is not None and 1000 / ms >= 430)
    sync_api.expect(page.locator(".bd-figures")).to_contain_text(f"~{slowest:.2f} ms")
    page.wait_for_url("**by=fps**")
    entry.fill("4000")
    entry.press("Enter")
    sync_api.expect(page.locator(".bd-answer")).to_contain_text("Out of reach: at least 4000 frames a second.")
    sync_api.expect(entry).to_have_value("4000")
    sync_api.expect(entry).to_have_attribute("aria-invalid", "true")


def test_choices_that_follow_each_other_closely_all_reach_the_link(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    """The server hears the last of several words only."""
    page.goto(f"{app_url}/?study=demo&budget=50")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.5))
    choices = (".bd-lens [value=macs]", ".bd-compare", ".bd-axis [value=params]")
    page.evaluate(
        """async (choices) => {
        const menu = document.querySelector('.bd-by select');
        menu.value = 'params';
        menu.dispatchEvent(new Event('change'));
        for (const choice of choices) {
            document.querySelector(choice).click();
            await new Promise(done => setTimeout(done, 15));
        }
    }""",
        choices,
    )
    page.wait_for_url(lambda url: all(part in url for part in ("by=params", "lens=macs", "held=50", "axis=params")))


def test_a_view_is_a_link(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study=demo&budget=30")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.3))
    charts = page.locator(".bd-charts")
    charts.locator(".bd-lens").get_by_text("MACs").click()
    sync_api.expect(charts.locator(".bd-layers")).to_contain_text("million MACs")
    charts.locator(".bd-axis").get_by_text("Parameters").click()
    sync_api.expect(charts.locator(".bd-frontier")).to_contain_text("thousand parameters")
    page.wait_for_url("**axis=params**")
    page.goto(page.url)
    sync_api.expect(charts.locator(".bd-layers")).to_contain_text("million MACs")
    sync_api.expect(charts.locator(".bd-frontier")).to_contain_text("thousand parameters")
    sync_api.expect(page.get_by_role("spinbutton", name="Budget")).to_have_value("30.00")


#: The middle of a network's mark on the frontier, by its line and number; null until it is drawn.
MARK = """([line, number]) => {
    const chart = document.querySelector('.bd-frontier .bd-plot');
    const trace = chart.data?.findIndex(trace => trace.name === line) ?? -1;
    if (trace < 0) return null;
    const mark = chart.calcdata[trace][number];
    const { xaxis, yaxis } = chart._fullLayout;
    const box = chart.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.c2p(mark.x), box.y + yaxis._offset + yaxis.c2p(mark.y)];
}"""


def test_a_click_on_a_measured_network_leads_there(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study=demo&budget=70")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.7))
    tools = page.locator(".bd-frontier-tools")
    tools.get_by_label("Whole range").check()
    tools.get_by_label("Uniform").check()
    for line, number, ranking, budget in (
        ("Original", 0, "learned", 1.0),
        ("Learned, as cut", 1, "learned", 0.3),
        ("Learned, trained", 0, "learned", 0.5),
        ("Uniform, as cut", 1, "uniform", 0.3),
    ):
        point = page.wait_for_function(MARK, arg=[line, number]).json_value()
        page.mouse.move(*point)
        page.wait_for_timeout(200)
        page.mouse.click(*point)
        wait_for_bars(page, kept_at(tmp_path / "studies", budget, ranking))


def test_two_budgets_stand_side_by_side(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study=demo&budget=50")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.5))
    page.get_by_role("button", name="Hold").click()
    page.wait_for_url("**held=50**")
    entry = page.get_by_role("spinbutton", name="Budget")
    entry.fill("30")
    entry.press("Enter")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.3))
    ticks = "document.querySelector('.bd-layers .bd-plot').data[2]?.y"
    assert page.evaluate(f"() => {ticks}") == kept_at(tmp_path / "studies", 0.5)
    curve = Study.open(tmp_path / "studies" / "demo").curve("learned")
    fewer = 100 * (1 - curve.macs[curve.step(macs=0.3)] / curve.macs[curve.step(macs=0.5)])
    sync_api.expect(page.locator(".bd-figures > div").nth(1)).to_contain_text(f"−{fewer:.1f} %")
    page.get_by_role("button", name="Held: 50.00 %").click()
    page.wait_for_function(f"() => !({ticks})")
    page.get_by_role("button", name="Hold").click()
    page.wait_for_url("**held=30**")
    page.locator(".bd-ranking select").select_option("uniform")  # which does not lead to the network that is held
    page.wait_for_url(lambda url: "ranking=uniform" in url and "held=" not in url)
    sync_api.expect(page.get_by_role("button", name="Hold")).to_be_visible()


def test_a_pinned_layer_keeps_its_count_at_the_same_budget(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study=demo&budget=50")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.5))
    study = Study.open(tmp_path / "studies" / "demo")
    study.save_constraints(
        Constraints(pins={"layer1.0.conv1": 5})
    )  # the canvas of the table cannot be typed into by name
    page.reload()
    pinned = kept_at(tmp_path / "studies", 0.5)
    names = [layer.name for layer in study.structure.layers]
    assert pinned[names.index("layer1.0.conv1")] == 5
    wait_for_bars(page, pinned)
    page.get_by_role("button", name="Clear all").click()
    page.wait_for_function(f"() => JSON.stringify(({DRAWN})()) !== '{json.dumps(pinned, separators=(',', ':'))}'")
    assert study.constraints.is_plain
    page.get_by_role("button", name="Undo").click()
    wait_for_bars(page, pinned)
    assert study.constraints.pins == {"layer1.0.conv1": 5}


def test_charts_are_files_as_well(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study=demo&budget=50&axis=macs")
    kept = kept_at(tmp_path / "studies", 0.5)
    wait_for_bars(page, kept)
    files = {}
    for chart, form in (("layers", "CSV"), ("layers", "PNG"), ("frontier", "SVG")):
        with page.expect_download() as download:
            page.locator(f".bd-{chart}").get_by_role("button", name=form).click()
        assert download.value.suggested_filename == f"demo-{chart}-50.{form.lower()}"
        files[chart, form] = download.value.path().read_bytes()
    assert pd.read_csv(io.BytesIO(files["layers", "CSV"]))["kept"].tolist() == kept
    assert page.locator(".bd-frontier .bd-files").get_by_role("button", name="CSV").count() == 0  # the page has a table
    assert files["layers", "PNG"].startswith(PNG)
    assert files["frontier", "SVG"].startswith(b"<svg")
    assert "ResNet-8 on digits · demo · learned ranking · 50 % of the MACs · 20" in files["frontier", "SVG"].decode()


def test_a_limit_that_is_typed_finds_the_network_that_the_engine_finds(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    study = Study.open(tmp_path / "studies" / "demo")
    script = joined_script(DIAL / "quantities.js") + joined_script(DIAL / "decode.js")
    for shape in (Constraints(), Constraints(pins={"layer1.0.conv1": 4})):
        study.save_constraints(shape)
        curve = study.curve()
        sent = dial_table(curve, "learned", Measurements(study.points), start=0.5)
        asked = [percent for percent in range(1, 101) if percent >= 100 * curve.floor]
        places, least, below = page.evaluate(
            f"""([sent, original, asked]) => {{
                {script}
                const table = decodeTable(sent, original);
                const within = percent => rowWithin(table, 'macs', percent);
                return [asked.map(within), within(Number(QUANTITIES.macs.show(table.percent[0]))), within(0.1)];
            }}""",
            [sent, curve.original.macs, asked],
        )
        found = [sent["macs"][place] for place in places]
        assert found == [curve.macs[curve.step(macs=percent / 100)] for percent in asked]
        assert least == 0 and below is None


@pytest.mark.parametrize("path", list_studies(SAMPLES), ids=lambda path: path.name)
def test_the_browser_reads_every_cell_of_a_table_as_the_engine_counts_it(page: sync_api.Page, path: Path) -> None:
    study = Study.open(path)
    for ranking in study.rankings:
        curve = study.curve(ranking)
        sent = dial_table(curve, ranking, Measurements(study.points), start=0.5)
        networks = curve.table([percent / 100 for percent in sent["percent"]])
        read = page.evaluate(
            f"""([sent, original]) => {{
                {joined_script(DIAL / "decode.js")}
                const table = decodeTable(sent, original);
                const plain = value => ArrayBuffer.isView(value) ? [...value] : value;
                const lists = Object.entries(table).map(([name, value]) => [name, plain(value)?.map?.(plain) ?? value]);
                return Object.fromEntries(lists);
            }}""",
            [sent, curve.original.macs],
        )
        assert read["kept"] == networks.kept.tolist()
        assert read["layer_macs"] == networks.layer_macs.tolist()
        assert read["layer_params"] == networks.layer_params.tolist()
        assert read["totals"] == [layer.total for layer in curve.structure.layers]
        whole = original_layer_macs(curve.structure)
        assert read["original_macs"] == [whole[layer.parameter] for layer in curve.structure.layers]
        assert read["macs_percent"] == [100 * macs / curve.original.macs for macs in sent["macs"]]
        measured = [row for row, known in enumerate(read["before_measured"]) if known]
        assert measured == sent["before_measured"] != []


def test_every_page_opens_first_of_all_in_a_fresh_server(
    page: sync_api.Page, finished_study: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished_study, tmp_path / "studies" / "demo")
    with running_app(tmp_path / "studies") as url:
        page.goto(f"{url}/learn?study=demo")
        page.get_by_role("button", name="Continue to 400 passes").wait_for()
        assert page.get_by_role("link", name="Fine-tune & export").count() == 1  # our own list of pages
        page.get_by_role("link", name="Fine-tune & export").click()
        page.get_by_role("button", name="Export at 50 %").wait_for()
        assert "study=demo" in page.url
        page.get_by_role("link", name="Studies").click()
        page.get_by_role("button", name="Make the study").wait_for()
        assert page.get_by_test_id("stException").count() == 0


def test_a_network_of_an_earlier_ranking_is_opened_by_a_click_and_left_by_the_slider(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    study = Study.open(tmp_path / "studies" / "demo")
    learned, (run,) = study.learned, study.finetuned
    assert learned is not None
    old = next(p for p in study.points if p.finetuned)
    study.save_learned(replace(learned, alpha=learned.alpha[::-1], kappa=learned.kappa[::-1]))
    page.goto(f"{app_url}/?study=demo&budget=30&axis=macs&held=70")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    sync_api.expect(page.locator(".bd-held")).to_be_visible()
    x, y = page.evaluate(PLACE, "Of an earlier ranking")
    page.mouse.move(x, y)
    sync_api.expect(page.locator(".bd-told")).to_contain_text("Of an earlier ranking, trained")
    page.mouse.click(x, y)
    page.wait_for_url(f"**run={run.key}**")
    figures, note = page.locator(".bd-figures"), page.locator(".bd-note")
    sync_api.expect(figures).to_contain_text(f"{100 * run.top1:.1f} %")
    sync_api.expect(figures).to_contain_text(f"{old.params / 1e3:.2f} k")
    sync_api.expect(note).to_contain_text("it lies off the present order")
    wait_for_bars(page, [int(keep.sum()) for keep in kept_of(study, run)])
    page.get_by_role("slider", name="Budget").press("ArrowLeft")
    sync_api.expect(note).not_to_contain_text("off the present order")
    page.wait_for_url(lambda url: "run=" not in url)
    sync_api.expect(figures).to_contain_text("not fine-tuned")
