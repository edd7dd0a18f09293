"""The product's frame: titles of tabs, the icon, and no complaints, neither in a browser nor in the terminal."""

from pathlib import Path

import pytest
from playwright import sync_api

from legr.study.catalog import SAMPLES
from legr.study.store import Study
from tests.browser.running import running_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Which maps a replay shows from now on.
WATCH = """chart => {
    window.seen = [];
    const note = () => {
        const shown = [...chart.querySelectorAll('text')].find(({ textContent }) => /^map \\d+$/.test(textContent));
        if (shown && shown.textContent !== seen.at(-1)) seen.push(shown.textContent);
    };
    new MutationObserver(note).observe(chart, { subtree: true, childList: true, characterData: true });
}"""

#: Whether the status bar has a line exactly when it has words. The page's styles may come after its last words.
NOTHING_DRAWN_WHERE_NOTHING_IS_SAID = """foot =>
    (getComputedStyle(foot).borderTopColor === 'rgba(0, 0, 0, 0)') === !foot.innerText.trim()"""


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("", "Explore · ResNet-8 on digits · demo"),
        ("learn", "Learn · ResNet-8 on digits · demo"),
        ("finetune", "Fine-tune & export · ResNet-8 on digits · demo"),
        ("see", "See it · ResNet-8 on digits · demo"),
        ("structure", "Structure · ResNet-8 on digits · demo"),
        ("studies", "Studies · LeGR explorer"),
    ],
)
def test_a_page_that_is_opened_directly_has_its_title_and_asks_for_nothing_in_vain(
    page: sync_api.Page, app_url: str, path: str, title: str
) -> None:
    answers: list[sync_api.Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{app_url}/{path}?study=demo")
    page.get_by_role("heading").first.wait_for()
    sync_api.expect(page).to_have_title(title)
    page.wait_for_timeout(500)
    assert [answer.url for answer in answers if answer.status >= 400] == []
    icon = page.request.get(page.evaluate("document.querySelector('link[rel=icon]').href"))  # a browser may keep it
    assert icon.ok and icon.headers["content-type"] == "image/svg+xml"
    foot = page.get_by_test_id("stBottom")
    sync_api.expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.wait_for_function(NOTHING_DRAWN_WHERE_NOTHING_IS_SAID, arg=foot.element_handle(), timeout=10_000)


def test_the_terminal_says_where_the_explorer_is_and_warns_of_nothing(page: sync_api.Page, tmp_path: Path) -> None:
    with running_app(tmp_path / "studies") as url:  # a first start: the folder of studies is not there yet
        page.goto(url)
        page.get_by_role("heading", name="ResNet-56 on CIFAR-10").wait_for()
        page.goto("about:blank")  # before the server ends
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert f"LeGR explorer: {url.replace('127.0.0.1', 'localhost')}" in log
    assert not any(word in log.lower() for word in ("warning", "error", "traceback", "deprecat")), log


def test_all_pages_draw_with_one_copy_of_plotly(page: sync_api.Page, app_url: str) -> None:
    scripts: list[str] = []
    page.on("response", lambda answer: scripts.append(answer.url))
    page.goto(f"{app_url}/?study=cifar10_resnet56")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    page.get_by_role("link", name="Learn").click()
    replay, charts = page.get_by_role("group", name="Loss of the best"), page.locator(".bd-figure")
    replay.locator(".barlayer .point").first.wait_for()
    charts.last.locator(".scatterlayer .point").first.wait_for()
    learned = Study.open(SAMPLES / "cifar10_resnet56").learned
    assert learned and replay.evaluate("chart => chart._transitionData._frames.length") == learned.candidates
    replay.evaluate(WATCH)
    replay.get_by_text("Play").click()
    page.wait_for_function(f"() => seen.length > 2 && seen.at(-1) === 'map {learned.candidates - 1}'")
    assert "map 0" in page.evaluate("seen")[:2]  # it starts again
    copies = [url for url in scripts if "plotly" in url.lower() and "/dial-" not in url]
    assert len(copies) == 1 and copies[0].endswith(".min.js")
