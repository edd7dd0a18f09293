"""The product's frame: titles of tabs, the icon, and no complaints, neither in a browser nor in the terminal."""

from pathlib import Path

import pytest
from playwright import sync_api

from tests.browser.running import running_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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
    icon = next(answer for answer in answers if answer.url == f"{app_url}/icon.svg")
    assert icon.headers["content-type"] == "image/svg+xml"


def test_the_terminal_says_where_the_explorer_is_and_warns_of_nothing(page: sync_api.Page, tmp_path: Path) -> None:
    with running_app(tmp_path / "studies") as url:  # a first start: the folder of studies is not there yet
        page.goto(url)
        page.get_by_role("heading", name="ResNet-56 on CIFAR-10").wait_for()
        page.goto("about:blank")  # before the server ends
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert f"LeGR explorer: {url.replace('127.0.0.1', 'localhost')}" in log
    assert not any(word in log.lower() for word in ("warning", "error", "traceback", "deprecat")), log
