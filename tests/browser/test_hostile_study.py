"""A study whose every text is an attack, in a real browser: nothing runs, nothing is asked of another host."""

from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright import sync_api

from tests.app.hostile_study import NAME, make_hostile
from tests.browser.conftest import is_complaint

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ATTACK = "<img src=//e.example/i onerror=window.owned=1><script>window.owned=1</script><a href='//e.example/l'>l</a> "
PAGES = ("", "learn", "finetune", "see", "structure", "studies")
ACTIVE = "() => document.querySelectorAll(\"[src*='e.example'], [href*='e.example'], [onerror]\").length"


def test_no_page_runs_or_asks_for_anything_of_it(browser: sync_api.Browser, app_url: str, tmp_path: Path) -> None:
    path = make_hostile(tmp_path / "studies" / "demo")
    for file in path.glob("*.json"):
        file.write_text(file.read_text().replace("![p](", f"{ATTACK}![p]("))
    (path / "note.txt").write_text(ATTACK)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    asked: set[str | None] = set()
    said: list[str] = []
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if is_complaint(message) else None)
    shown = ""
    for name in PAGES:
        page.goto(f"{app_url}/{name}?study={quote(NAME)}&budget=50")
        page.get_by_text("e.example").first.wait_for()
        page.wait_for_timeout(1000)  # what an attack would load has begun by now
        assert page.evaluate(ACTIVE) == 0, name
        assert page.evaluate("() => window.owned") is None, name
        shown += page.locator("body").inner_text()
    assert "onerror=window.owned=1" in shown  # it is shown as it is written
    context.close()
    assert asked - {None} == {"127.0.0.1"} and not said
