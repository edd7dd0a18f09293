"""Where networks came from, in a real browser: a click opens exactly that network; a run is named and removed."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from playwright import sync_api

from legr.charts.measurements import percent_of
from legr.study.catalog import SAMPLES
from legr.study.store import Study
from legr.study.supernets import supernets

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def wait_for(page: sync_api.Page, **expected: str | None) -> None:
    """Wait until the address says so; None: does not name it."""
    for name, value in expected.items():
        page.wait_for_function(
            "([name, value]) => new URL(location.href).searchParams.get(name) === value", arg=[name, value]
        )


def test_a_step_opens_exactly_its_network(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    study = Study.open(SAMPLES / "digits-resnet20").copy_to((tmp_path / "studies").resolve() / "digits")
    best = max(study.finetuned, key=lambda run: run.macs_fraction)
    other = replace(best, key=f"{best.keep_id}-00000000", heldout_top1=0.1, name="the worse one")
    study.save_finetuned(other)
    shutil.copyfile(study.finetuned_weights(best.key), study.finetuned_weights(other.key))
    page.goto(f"{app_url}/finetune?study=digits&budget=50")
    origins = page.locator(".bd-lineage button")
    origins.first.wait_for()
    (supernet,) = supernets(study)
    assert origins.count() == 1 + 1 + len({run.keep_id for run in study.finetuned}) + len(study.finetuned) + 1

    page.locator(f'.bd-lineage button[data-key="run:{other.key}"]').click()
    wait_for(page, run=other.key)
    assert page.locator('.bd-lineage button[aria-pressed="true"] b').inner_text() == "the worse one"
    page.locator(f'.bd-lineage button[data-key="run:{best.key}"]').click()
    wait_for(page, run=None, budget=f"{percent_of(best.macs_fraction):g}", weights="finetuned")
    least = min(study.finetuned, key=lambda run: run.macs_fraction)  # the supernet's weights are handed out there
    page.locator(f'.bd-lineage button[data-key="run:{least.key}"]').click()
    wait_for(page, run=least.key)
    page.locator(f'.bd-lineage button[data-key="supernet:{supernet.key}"]').click()
    wait_for(page, weights="together")
    page.locator('.bd-lineage button[data-key="original"]').click()
    wait_for(page, budget="100")

    # A box is reached by keyboard, and keeps the focus when the map is drawn anew.
    box = page.locator(f'.bd-lineage button[data-key="run:{other.key}"]')
    box.focus()
    page.keyboard.press("Enter")
    wait_for(page, run=other.key)
    sync_api.expect(page.get_by_label("Name of this training")).to_have_count(1)  # that of another run has gone
    page.get_by_test_id("stApp").and_(page.locator("[data-test-script-state='notRunning']")).wait_for()
    page.get_by_label("Name of this training").fill("for the robot")
    page.get_by_role("button", name="Save the name").click()
    sync_api.expect(box.locator("b")).to_have_text("for the robot", timeout=30_000)
    assert Study.open(study.path).finetuned_run(other.key).name == "for the robot"  # type: ignore[union-attr]

    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Remove for good").click()
    sync_api.expect(box).to_have_count(0, timeout=30_000)
    assert [run.key for run in Study.open(study.path).finetuned].count(other.key) == 0
    wait_for(page, run=None)


def test_runs_of_a_sample_stay(page: sync_api.Page, app_url: str) -> None:
    page.goto(f"{app_url}/finetune?study=digits-resnet20&budget=50")
    page.locator('.bd-lineage button[data-key^="run:"]').first.click()
    page.get_by_text("The runs of a sample stay as they are").wait_for()
    sync_api.expect(page.get_by_label("Name of this training")).to_have_count(0)
