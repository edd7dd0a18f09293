"""Questions in a real browser: each is a link, answered without the server; the slider feels what it is pulled to."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright import sync_api

from legr.study.store import Study
from tests.browser.test_stillness import dial, entry, running_measurement
from tests.browser.test_stillness import records as jobs

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOPS = """() => ['.bd-bar', '.bd-questions', '.bd-headline', '.bd-range', '.bd-figures', '.bd-frontier'].map(
    name => document.querySelector(name).getBoundingClientRect().y)"""


def answer(page: sync_api.Page) -> sync_api.Locator:
    return page.locator(".bd-answer")


def open_demo(page: sync_api.Page, app_url: str, view: str) -> None:
    page.goto(f"{app_url}/?study=demo&{view}")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")


def test_a_question_that_is_clicked_becomes_a_link_with_the_same_answer(page: sync_api.Page, app_url: str) -> None:
    open_demo(page, app_url, "budget=80")
    link = page.get_by_role("link", name="nearest")
    assert "ask=nearest" in (link.get_attribute("href") or "")
    link.click()
    # the one network that is fine-tuned has 50 % of the MACs and 93 %, the original 95 %
    sync_api.expect(answer(page)).to_contain_text("93.0 %, 2.0 points lost")
    page.wait_for_url("**ask=nearest**")
    said, budget = answer(page).inner_text(), entry(page).input_value()
    assert abs(float(budget) - 50) < 0.5
    other = page.context.new_page()
    other.goto(page.url)
    sync_api.expect(answer(other)).to_have_text(said)
    sync_api.expect(entry(other)).to_have_value(budget)
    for asked in (page, other):
        sync_api.expect(asked.locator(".bd-questions [aria-current=true]")).to_have_text("nearest")
    dial(page).press("ArrowLeft")
    sync_api.expect(answer(page)).to_have_text("")
    page.wait_for_url(lambda url: "ask=" not in url)
    sync_api.expect(page.locator(".bd-questions [aria-current]")).to_have_count(0)


def test_what_the_original_does_already_is_said_and_what_was_typed_stays(page: sync_api.Page, app_url: str) -> None:
    open_demo(page, app_url, "budget=30")
    page.get_by_role("button", name="… frames a second").click()
    sync_api.expect(entry(page)).to_be_focused()
    entry(page).fill("30")
    entry(page).press("Enter")
    # 4 ms an image: 250 a second
    sync_api.expect(answer(page)).to_have_text(
        "The original already reaches 250 frames a second (cpu, 2 threads, PyTorch 2.14.1), 220 more than you asked."
    )
    sync_api.expect(entry(page)).to_have_value("30")
    page.wait_for_url("**ask=fps**30**")
    page.reload()
    sync_api.expect(answer(page)).to_contain_text("already reaches 250")
    sync_api.expect(entry(page)).to_have_value("30")


def test_a_link_may_ask_for_what_is_out_of_reach(page: sync_api.Page, app_url: str) -> None:
    open_demo(page, app_url, "budget=40&ask=loss:0.5")
    sync_api.expect(answer(page)).to_contain_text("No trained network is within 0.5 points of the original")
    sync_api.expect(entry(page)).to_have_value("40.00")
    open_demo(page, app_url, "budget=40&ask=%3Cscript%3E:1")
    sync_api.expect(answer(page)).to_have_text("")


def test_the_headline_follows_the_hand_and_a_tick_attracts_it(page: sync_api.Page, app_url: str) -> None:
    open_demo(page, app_url, "budget=80")
    box, tick = dial(page).bounding_box(), page.locator(".bd-tick").bounding_box()
    assert box and tick
    middle, at = box["y"] + box["height"] / 2, tick["x"] + 1
    thumb = box["x"] + 8 + (box["width"] - 16) * int(dial(page).input_value()) / 10_000
    page.mouse.move(thumb, middle)
    page.mouse.down()
    seen = set()
    for away in (60, 5, 0, -5, -60):
        page.mouse.move(at + away, middle)
        page.wait_for_timeout(60)
        seen.add((away, page.locator(".bd-headline").inner_text().replace("\u00a0", " ")))
    page.mouse.up()
    said = dict(seen)
    assert said[5] == said[0] == said[-5] and "93.0 % instead of 95.0 %" in said[0]
    assert "not trained" in said[60] and "not trained" in said[-60]


def test_the_thumb_stays_where_it_is_when_the_ranking_changes(page: sync_api.Page, app_url: str) -> None:
    open_demo(page, app_url, "budget=50")
    before = int(dial(page).input_value())
    page.locator(".bd-ranking select").select_option("uniform")
    page.wait_for_url("**ranking=uniform**")
    page.wait_for_function("() => document.querySelectorAll('.bd-tick').length === 0")  # nothing of it is fine-tuned
    assert abs(int(dial(page).input_value()) - before) < 60  # of 10,000: the next network of this ranking


def test_nothing_moves_when_a_job_starts_and_ends(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    study = Study.open(tmp_path / "studies" / "demo")
    open_demo(page, app_url, "budget=80")
    page.wait_for_timeout(500)
    before = page.evaluate(TOPS)
    job = running_measurement(study)
    page.locator(".bd-ranking select").select_option("identity")  # the page runs again, and finds the job
    page.reload()
    page.get_by_text("Measured network 1 of 13").wait_for()
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    assert page.evaluate(TOPS) == before
    foot = page.get_by_test_id("stBottom").bounding_box()
    assert foot and foot["height"] < 60 and foot["y"] + foot["height"] == 900
    jobs.save(study, replace(job, state="done", done=13))
    page.get_by_text("Measured network 1 of 13").wait_for(state="detached")
    assert page.evaluate(TOPS) == before
