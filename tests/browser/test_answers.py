"""Switches answer in the browser: Python is told, and sends nothing back that the browser has."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright import sync_api

from legr.charts.measurements import percent_of
from legr.study.catalog import SAMPLES, list_studies
from legr.study.store import Study
from tests.browser.running import server_of
from tests.browser.test_explore import kept_at, wait_for_bars

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TABLE = b"axis_sizes"  # only a message with the table has this word
LAYERS = "document.querySelector('.bd-layers .bd-plot')"


class Tables:
    """Counts the messages that bring the table, and those that are sent."""

    def __init__(self, page: sync_api.Page) -> None:
        self.received: list[int] = []
        self.sent = 0
        page.on("websocket", self._listen)

    def _listen(self, socket: sync_api.WebSocket) -> None:
        socket.on("framereceived", self._note)
        socket.on("framesent", self._count)

    def _note(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes) and TABLE in frame:
            self.received.append(len(frame))

    def _count(self, frame: str | bytes) -> None:
        self.sent += 1


def settle(page: sync_api.Page) -> None:
    """Wait until the server has answered."""
    page.wait_for_timeout(300)
    page.get_by_test_id("stApp").and_(page.locator("[data-test-script-state='notRunning']")).wait_for()
    page.wait_for_timeout(300)


def begin(page: sync_api.Page, app_url: str, tmp_path: Path, query: str = "") -> Tables:
    tables = Tables(page)
    page.goto(f"{app_url}/?study=demo&budget=50{query}")
    wait_for_bars(page, kept_at(tmp_path / "studies", 0.5))
    settle(page)
    assert len(tables.received) == 1
    return tables


def begin_with_a_step(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    """Begin, and choose a lens, which Back takes away again."""
    begin(page, app_url, tmp_path, "&axis=macs")
    choose("lens", "percent")(page)
    page.wait_for_url("**lens=percent**")
    settle(page)


def choose(name: str, value: str) -> Callable[[sync_api.Page], None]:
    def act(page: sync_api.Page) -> None:
        if name == "by":
            page.locator(".bd-by select").select_option(value)
        else:
            page.locator(f".bd-{name} input[value={value}]").locator("xpath=..").click()

    return act


def test_no_switch_brings_a_table(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    tables = begin(page, app_url, tmp_path, "&axis=macs")
    switches = {
        "lens=macs": choose("lens", "macs"),
        "lens=together": choose("lens", "together"),
        "axis=params": choose("axis", "params"),
        "by=size": choose("by", "size"),
        "held=50": lambda page: page.locator(".bd-compare").click(),
    }
    for address, act in switches.items():
        sent = tables.sent
        act(page)
        page.wait_for_url(f"**{address}**")
        settle(page)
        assert (len(tables.received), tables.sent) == (1, sent + 1), address


@pytest.mark.parametrize("path", list_studies(SAMPLES), ids=lambda path: path.name)
def test_a_page_opens_with_few_words_of_the_server(page: sync_api.Page, app_url: str, path: Path) -> None:
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    page.goto(f"{app_url}/?study={path.name}&budget=30")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    settle(page)
    assert 10_000 < sum(received) < 150_000


@contextmanager
def silent(url: str) -> Iterator[None]:
    """The server answers nothing."""
    server = server_of(url)
    server.suspend()
    try:
        yield
    finally:
        server.resume()


def test_switches_answer_while_the_server_is_silent(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    begin(page, app_url, tmp_path)
    curve = Study.open(tmp_path / "studies" / "demo").curve("learned")
    macs, params = curve.table([0.5]).layer_macs[0] / 1e6, int(curve.params[curve.step(macs=0.5)]) / 1e3
    with silent(app_url):
        choose("lens", "macs")(page)
        page.wait_for_function(f"() => {LAYERS}.layout.yaxis.title.text === 'million MACs'")
        assert page.evaluate(f"() => [...{LAYERS}.data[0].y]") == pytest.approx(macs.tolist(), abs=1e-9)
        choose("axis", "params")(page)
        sync_api.expect(page.locator(".bd-frontier")).to_contain_text("thousand parameters")
        choose("by", "params")(page)
        sync_api.expect(page.get_by_role("spinbutton", name="Budget")).to_have_value(f"{params:.2f}")
        page.locator(".bd-compare").click()
        sync_api.expect(page.locator(".bd-compare")).to_contain_text("Held: 50.00 %")
        assert "held" not in page.url
    page.wait_for_url(lambda url: all(part in url for part in ("by=params", "lens=macs", "held=50", "axis=params")))


def test_a_budget_between_two_rows_becomes_one(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    """The network that a job would get, and that a link to this budget opens; no network of the table before."""
    tables = begin(page, app_url, tmp_path)
    study = Study.open(tmp_path / "studies" / "demo")
    curve = study.curve("learned")
    grid = {curve.step(macs=max(curve.floor, percent / 400)) for percent in range(401)}
    step = next(n for n in range(len(curve.macs)) if n not in grid)
    percent = percent_of(curve.macs[step] / curve.original.macs)
    entry = page.get_by_role("spinbutton", name="Budget")
    entry.fill(str(percent))
    entry.press("Enter")
    wait_for_bars(page, curve.kept[:, step].tolist())
    settle(page)
    assert len(tables.received) == 2
    page.locator(".bd-compare").click()
    page.wait_for_url("**held=**")
    settle(page)
    assert len(tables.received) == 2


class Wire:
    """What a page and its server say to each other can be held back, or lost."""

    def __init__(self, page: sync_api.Page) -> None:
        self.is_deaf = False  # the server hears nothing
        self.is_held = False  # the page hears nothing for now
        self._late: list[str | bytes] = []
        page.route_web_socket(re.compile("/_stcore/stream"), self._connect)

    def _connect(self, here: sync_api.WebSocketRoute) -> None:
        self._here, server = here, here.connect_to_server()
        here.on_message(lambda message: None if self.is_deaf else server.send(message))
        server.on_message(lambda message: self._late.append(message) if self.is_held else here.send(message))

    def release(self) -> None:
        self.is_held = False
        for message in self._late:
            self._here.send(message)
        self._late.clear()


def shown(page: sync_api.Page) -> dict[str, str]:
    places = {"lens": ".bd-lens input:checked", "by": ".bd-by select"}
    return {name: page.locator(place).input_value() for name, place in places.items()}


def said(url: str) -> dict[str, str]:
    query = parse_qs(urlsplit(url).query)
    return {"lens": "filters", "by": "macs"} | {name: query[name][0] for name in ("lens", "by") if name in query}


def test_a_choice_in_the_moment_of_back_leaves_page_and_address_the_same(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    """Whichever the server hears first, no earlier choice stays on one side alone."""
    begin_with_a_step(page, app_url, tmp_path)
    page.evaluate(
        """() => {
        history.back();
        const menu = document.querySelector('.bd-by select');
        menu.value = 'params';
        menu.dispatchEvent(new Event('change'));
    }"""
    )
    page.wait_for_timeout(4000)  # a second after Back the dial looks at the address
    settle(page)
    assert shown(page) == said(page.url)


def test_an_answer_that_comes_after_back_does_not_stay_in_the_address(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    wire = Wire(page)
    begin_with_a_step(page, app_url, tmp_path)
    wire.is_held = True
    choose("by", "params")(page)
    page.wait_for_timeout(1000)  # the server has answered by then
    page.evaluate("history.back()")
    page.wait_for_timeout(1000)
    wire.release()
    page.wait_for_url("**by=params**")
    page.wait_for_url(lambda url: said(url) == {"lens": "filters", "by": "macs"})
    settle(page)
    assert shown(page) == said(page.url) == {"lens": "filters", "by": "macs"}


def test_a_choice_that_is_lost_in_the_moment_of_back_is_told_again(
    page: sync_api.Page, app_url: str, tmp_path: Path
) -> None:
    """A server that is about to run the whole page forgets what it was to run of it."""
    wire = Wire(page)
    begin_with_a_step(page, app_url, tmp_path)
    wire.is_deaf = True
    choose("by", "params")(page)
    page.wait_for_timeout(300)
    wire.is_deaf = False
    page.evaluate("history.back()")
    page.wait_for_url(lambda url: said(url) == {"lens": "filters", "by": "params"})
    settle(page)
    assert shown(page) == {"lens": "filters", "by": "params"}


def test_a_choice_that_is_lost_is_told_by_the_next_dial(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    """Where a page runs anew, another dial may take the place of the one that was asked."""
    wire = Wire(page)
    begin(page, app_url, tmp_path, "&axis=macs")
    wire.is_deaf = True
    choose("by", "params")(page)
    page.wait_for_timeout(300)
    wire.is_deaf = False
    links = page.get_by_test_id("stTopNavLink")
    links.filter(has_text="Structure").click()
    page.wait_for_url("**/structure**")
    settle(page)
    links.filter(has_text="Explore").click()
    page.wait_for_url(lambda url: said(url) == {"lens": "filters", "by": "params"})
    assert shown(page) == {"lens": "filters", "by": "params"}
