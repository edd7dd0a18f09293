"""See it, in a real browser: a picture is dropped and both networks answer; a comparison runs and shows its counts."""

import io
import re
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright import sync_api

from legr.study.store import Study
from tests.browser.running import running_app, server_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LONG_MS = 120_000  # processes that load torch, on a busy machine
BARS = "() => [...document.querySelectorAll('.bd-figure.js-plotly-plot')].map(chart => [...chart.data[0].x])"
SAMPLE = "digits-resnet20"


def drawing() -> bytes:
    """A one, in white on black, with a border that the cut to a square takes away."""
    pixels = np.zeros((40, 60), dtype=np.uint8)
    pixels[6:34, 27:34] = 255
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_a_picture_is_dropped_and_both_answer(page: sync_api.Page, app_url: str) -> None:
    page.goto(f"{app_url}/see?study={SAMPLE}&budget=30")
    page.get_by_text("Drop a picture, or take a test image").wait_for()
    page.locator("input[type=file]").set_input_files(
        {"name": "../drawing.png", "mimeType": "image/png", "buffer": drawing()}
    )
    page.get_by_text(re.compile(r"^They (dis)?agree: ")).wait_for(timeout=LONG_MS)
    sync_api.expect(page.get_by_text("60 x 40 pixels, scaled to 48 x 32, the middle 32 x 32 taken")).to_be_visible()
    page.wait_for_function(f"() => ({BARS})().filter(bars => bars.length).length === 2")  # those before have none
    for shares in page.evaluate(BARS):
        assert len(shares) == 5 and shares == sorted(shares, reverse=True) and 0 < sum(shares) < 100.001
    whole = page.get_by_role("img", name="Your picture")
    width, height = whole.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert width / height == 60 / 40
    sizes = page.get_by_role("img", name="What the networks see").evaluate("image => image.naturalWidth")
    assert sizes >= 600 and sizes % 32 == 0  # every pixel a block
    page.locator("input[type=file]").set_input_files(
        {"name": "text.png", "mimeType": "image/png", "buffer": b"no picture at all"}
    )
    # What was said of the picture before is gone at once, long before the new one is answered.
    sync_api.expect(page.get_by_text(re.compile(r"^They (dis)?agree: "))).to_have_count(0, timeout=2_000)
    page.get_by_text("The file is no PNG, JPEG, WebP or BMP image").wait_for(timeout=LONG_MS)


@pytest.mark.thorough  # what is killed is tested without a browser, in `tests/app/test_networks.py`
def test_networks_stay_loaded_until_they_or_the_server_are_killed(page: sync_api.Page, tmp_path: Path) -> None:
    def drop(name: str) -> None:
        page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": drawing()})

    def networks() -> psutil.Process:
        """The process that has them."""
        (found,) = (child for child in server_of(url).children() if "legr.cli.answering" in child.cmdline())
        return found

    (tmp_path / "studies").mkdir()
    verdict = page.get_by_text(re.compile(r"^They (dis)?agree: "))
    with running_app(tmp_path / "studies") as url:
        page.goto(f"{url}/see?study={SAMPLE}&budget=30")
        drop("a.png")
        verdict.wait_for(timeout=LONG_MS)
        first = networks()
        page.goto(f"{url}/see?study={SAMPLE}&budget=60")  # another session
        drop("b.png")
        verdict.wait_for(timeout=LONG_MS)
        assert networks() == first
        first.kill()
        page.goto(f"{url}/see?study={SAMPLE}&budget=30")
        drop("c.png")
        verdict.wait_for(timeout=LONG_MS)  # one that has ended meanwhile is nobody's affair
        second = networks()
        assert second != first
        page.goto("about:blank")
        server_of(url).kill()
        psutil.wait_procs([second], timeout=20)
        assert not second.is_running()


def test_a_comparison_runs_and_shows_its_counts(page: sync_api.Page, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/?study={SAMPLE}&budget=30")
    page.get_by_role("link", name="Compare on all test images").click()
    page.wait_for_url(re.compile(r"/see\?.*budget=30.*images=all"))
    page.get_by_text("As pruned").click()
    page.get_by_text("as pruned, not fine-tuned").wait_for()
    page.get_by_role("button", name="Compare on all test images").click()
    page.get_by_text("On 359 test images").wait_for(timeout=LONG_MS)
    study = Study.open(tmp_path / "studies" / SAMPLE)  # the sample's copy
    points = {(p.ranking, p.budget, bool(p.finetuned)): p.top1 for p in study.points}
    said = page.get_by_text("On 359 test images").inner_text()
    assert f"the original is right on {100 * points['original', 1.0, False]:.2f} %" in said
    assert f"on {100 * points['learned-ms', 0.3, False]:.2f} %" in said
    sync_api.expect(page.get_by_test_id("stMetricValue")).to_have_count(4, timeout=LONG_MS)
    counts = [int(text) for text in page.get_by_test_id("stMetricValue").all_inner_texts()]
    assert len(counts) == 4 and sum(counts) == 359
    page.get_by_text(f"Images that they classify differently: {counts[1] + counts[2]}").wait_for()
    page.get_by_role("button", name=re.compile("See no. ")).first.click()
    page.get_by_text(re.compile(r"Test image \d+ of 359: \d")).wait_for(timeout=LONG_MS)
    page.get_by_text(re.compile("^They disagree")).wait_for()
    page.reload()
    page.get_by_text("Drop a picture, or take a test image").wait_for(timeout=LONG_MS)
    page.get_by_role("radio", name="All test images").click()
    page.get_by_text("On 359 test images").wait_for()
