"""axe-core finds nothing on any page, in either theme, but what Streamlit's own widgets do; each of that is listed."""

from collections.abc import Callable

import pytest
from playwright import sync_api

from tests.browser.running import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: `make check-js` installs it"),
]

#: What is wrong: the rule, Streamlit's name of the widget that it is in, and how it reads.
CHECK = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'], elementRef: true });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ element, html, failureSummary }) =>
        [id, element?.closest('[data-testid]')?.dataset.testid ?? '', `${html}\\n${failureSummary}`]));
}"""
FLAGSHIP, DIGITS = "cifar10_resnet56", "digits-resnet20"
#: Streamlit gives its drop zone a name and the role of something that has none. Its button, beside it, is right.
DROP_ZONE = ("presentation-role-conflict", "stFileUploaderDropzone")


def run(page: sync_api.Page) -> dict[tuple[str, str], str]:
    """What axe-core finds on a page in both themes."""
    found = {}
    for theme, background in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 22, 29)")):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        sync_api.expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
        page.wait_for_timeout(300)  # Streamlit's colours fade
        found |= {(rule, widget): f"{theme}: {what}" for rule, widget, what in page.evaluate(CHECK)}
    return found


def open_page(page: sync_api.Page, address: str) -> None:
    page.add_init_script(path=AXE)
    page.goto(address)
    page.get_by_role("heading").first.wait_for()
    page.get_by_test_id("stApp").and_(page.locator("[data-test-script-state='notRunning']")).wait_for()
    page.wait_for_timeout(500)


def open_settings(page: sync_api.Page) -> None:
    page.get_by_text("More settings").click()


def open_menu(page: sync_api.Page) -> None:
    page.get_by_role("button", name="More").click()  # of the one that is the user's
    page.get_by_role("tab", name="Delete").click()
    page.get_by_role("button", name="Delete this study").wait_for()


def look(page: sync_api.Page) -> None:
    """Nothing is opened."""


@pytest.mark.parametrize(
    ("path", "study", "act", "known"),
    [
        ("learn", DIGITS, open_settings, set()),
        ("finetune", FLAGSHIP, look, set()),  # its images are missing
        ("see", DIGITS, look, {DROP_ZONE}),
        ("structure", FLAGSHIP, look, set()),
        ("studies", FLAGSHIP, open_menu, {DROP_ZONE}),
    ],
)
def test_a_page_has_no_fault_but_those_of_streamlits_widgets(
    page: sync_api.Page,
    app_url: str,
    path: str,
    study: str,
    act: Callable[[sync_api.Page], None],
    known: set[tuple[str, str]],
) -> None:
    open_page(page, f"{app_url}/{path}?study={study}&budget=30")
    act(page)
    found = run(page)
    assert set(found) == known, "\n".join(found.values())


@pytest.mark.parametrize("study", [FLAGSHIP, DIGITS])
def test_explore_has_no_fault_whatever_is_open(page: sync_api.Page, app_url: str, study: str) -> None:
    open_page(page, f"{app_url}/?study={study}&budget=30&axis=latency&ask=fps:100000")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    page.locator(".bd-device").select_option("add")  # the steps
    page.locator(".bd-name").focus()  # the facts
    found = run(page)
    page.get_by_role("button", name="List all networks").click()
    page.get_by_role("region", name="Networks").get_by_role("button", name="Hold", disabled=False).nth(1).click()
    page.locator(".bd-layers .bd-plot").focus()
    page.keyboard.press("ArrowRight")  # the card of the first layer
    page.get_by_text("Score =").wait_for()
    found |= run(page)
    page.keyboard.press("Escape")
    page.locator(".bd-lens").get_by_text("Together").click()
    page.get_by_text("The same as a list").click()
    page.get_by_text("Layers: search").click()
    page.get_by_test_id("stDataFrame").wait_for()
    found |= run(page)
    assert not found, "\n".join(found.values())
