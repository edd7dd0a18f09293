"""What the user holds stays in the hand, whatever happens meanwhile; and the address line leads back to each view."""

import os
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from playwright import sync_api

from legr.jobs import records
from legr.jobs.records import Job
from legr.requests.measure import MeasureRequest
from legr.study.store import Study

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def dial(page: sync_api.Page) -> sync_api.Locator:
    return page.get_by_role("slider", name="Budget")


def entry(page: sync_api.Page) -> sync_api.Locator:
    return page.get_by_role("spinbutton", name="Budget", exact=True)


def running_measurement(study: Study) -> Job:
    """A job whose process is there: this one."""
    alive = {"pid": os.getpid(), "pid_started": records.process_start(psutil.Process())}
    job = Job("measure-1", MeasureRequest(), "cpu", "running", time.time(), stage="point", done=1, total=13, **alive)
    records.save(study, job)
    return job


@pytest.mark.parametrize("path", ["", "finetune", "see"])
def test_a_job_that_ends_takes_nothing_out_of_the_hand(
    page: sync_api.Page, app_url: str, tmp_path: Path, path: str
) -> None:
    study = Study.open(tmp_path / "studies" / "demo")
    job = running_measurement(study)
    page.goto(f"{app_url}/{path}?study=demo&budget=80")
    page.get_by_text("Measured network 1 of 13").wait_for()
    sync_api.expect(entry(page)).to_have_value("80.00")
    page.wait_for_timeout(500)
    box = dial(page).bounding_box()
    assert box is not None

    def place(value: float) -> float:
        return box["x"] + 8 + (box["width"] - 16) * value / 10_000  # of the range element

    middle, start = box["y"] + box["height"] / 2, int(dial(page).input_value())
    page.evaluate("document.querySelector('.bd-range').dataset.held = 'yes'")
    page.mouse.move(place(start), middle)
    page.mouse.down()
    page.mouse.move(place(start * 2 // 3), middle)
    dragged = dial(page).input_value()
    assert int(dragged) < start

    measured = next(point for point in study.points if point.ranking == "learned")
    study.add_point(replace(measured, top1=measured.top1 / 2))
    records.save(study, replace(job, state="done", done=13))
    page.get_by_test_id("stToast").filter(has_text="The measurement has finished.").wait_for()
    page.get_by_text("Measured network 1 of 13").wait_for(state="detached")
    sync_api.expect(dial(page)).to_have_value(dragged)
    assert dial(page).get_attribute("data-held") == "yes", "the dial was built anew"
    assert dial(page).bounding_box() == box

    page.mouse.move(place(start // 2), middle)
    budget = entry(page).input_value()
    assert float(budget) < 80
    page.mouse.up()
    page.wait_for_url(f"**budget={float(budget):g}**")
    sync_api.expect(entry(page)).to_have_value(budget)
    page.reload()
    sync_api.expect(entry(page)).to_have_value(budget)


def shown(page: sync_api.Page) -> dict[str, str]:
    """What the page shows of the view: not what the address line says."""
    return {
        "budget": entry(page).input_value(),
        "place": dial(page).input_value(),
        "held": page.locator(".bd-compare").inner_text(),
        "by": page.locator(".bd-by select").input_value(),
        "axis": page.locator(".bd-axis input:checked").input_value(),
        "ranking": page.locator(".bd-ranking select").input_value(),
    }


def wait_until_shown(page: sync_api.Page, expected: dict[str, str]) -> None:
    deadline = time.monotonic() + 15
    while (now := shown(page)) != expected and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert now == expected


def test_back_shows_the_view_before_and_its_link_opens_the_same(page: sync_api.Page, app_url: str) -> None:
    page.goto(f"{app_url}/?study=demo&budget=50&axis=macs")
    sync_api.expect(entry(page)).to_have_value("50.00")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    views = [(page.url, shown(page))]

    def then(name: str, value: str) -> None:
        page.wait_for_url(f"**{name}={value}**")
        page.wait_for_timeout(500)
        views.append((page.url, shown(page)))

    entry(page).fill("30")
    entry(page).press("Enter")
    then("budget", "30")
    page.locator(".bd-compare").click()
    then("held", "30")
    entry(page).fill("60")
    entry(page).press("Enter")
    then("budget", "60")
    page.locator(".bd-ranking select").select_option("uniform")
    then("ranking", "uniform")
    page.locator(".bd-axis").get_by_text("Parameters").click()
    then("axis", "params")
    page.locator(".bd-by select").select_option("size")
    then("by", "size")
    assert len({str(view) for _, view in views}) == len(views)

    for place, (url, view) in reversed([*enumerate(views[:-1])]):
        page.go_back()
        page.wait_for_url(url)
        wait_until_shown(page, view)
        if place == len(views) - 2:  # where everything has been chosen but the last
            other = page.context.new_page()
            other.goto(url)
            other.wait_for_selector(".bd-frontier .scatterlayer .point")
            wait_until_shown(other, view)
            other.close()
    page.go_forward()
    page.wait_for_url(views[1][0])
    wait_until_shown(page, views[1][1])


def test_back_to_another_page_shows_the_budget_that_its_address_says(page: sync_api.Page, app_url: str) -> None:
    page.goto(f"{app_url}/?study=demo&budget=50")
    sync_api.expect(entry(page)).to_have_value("50.00")
    page.get_by_role("link", name="See it").first.click()
    page.wait_for_url("**/see?**budget=50**")
    sync_api.expect(entry(page)).to_have_value("50.00")
    entry(page).fill("30")
    entry(page).press("Enter")
    page.wait_for_url("**budget=30**")
    page.go_back()
    page.wait_for_url("**budget=50**")
    sync_api.expect(entry(page)).to_have_value("50.00")
    presses = 0
    while "/see" in page.url:
        page.go_back()
        page.wait_for_timeout(1500)
        presses += 1
    assert presses == 1, "one step leads to the page before"
    sync_api.expect(entry(page)).to_have_value("50.00")


def test_the_name_of_the_study_stands_in_one_place_on_all_pages(page: sync_api.Page, app_url: str) -> None:
    places = []
    for path in ("", "learn", "finetune", "see", "structure"):
        page.goto(f"{app_url}/{path}?study=demo")
        name = page.get_by_role("heading", name="ResNet-8 on digits · demo", level=1)
        name.wait_for()
        places.append(
            name.evaluate(
                """heading => {
                const range = document.createRange();
                range.selectNodeContents(heading.querySelector("span") ?? heading);
                const { x, y } = range.getBoundingClientRect();
                return [Math.round(x), Math.round(y), getComputedStyle(heading).fontSize];
            }"""
            )
        )
    assert places == 5 * places[:1]
