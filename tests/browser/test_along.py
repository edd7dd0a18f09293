"""Along the slider, in a browser: classes and test images follow a drag, and the server is asked for nothing."""

from pathlib import Path

import pytest
from playwright import sync_api

from legr.study.along import load_along
from legr.study.store import Study
from tests.browser.test_explore import NEXT_FRAME

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SAMPLE = "digits-resnet20"


def test_classes_and_images_follow_a_drag(page: sync_api.Page, app_url: str) -> None:
    study = Study.open(Path("samples") / SAMPLE)
    along = load_along(study, study.default_ranking)
    assert along is not None
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    page.goto(f"{app_url}/see?study={SAMPLE}&images=along&budget=100")
    said = page.locator(".bd-along-which")
    sync_api.expect(said).to_contain_text(f"The original: right on {100 * along.top1[0]:.2f} %")
    page.get_by_text("First to change").click()
    answers = page.locator(".bd-along-answer")
    sync_api.expect(answers).to_have_count(len(along.changing))
    page.wait_for_timeout(1500)
    slider, before = page.get_by_role("slider", name="Budget"), len(received)
    slider.focus()
    slider.evaluate("range => { range.value = range.min; range.dispatchEvent(new Event('input')); }")
    page.evaluate(NEXT_FRAME)
    last = len(along.about.networks) - 1
    sync_api.expect(said).to_contain_text("No network as small was asked.")  # the slider goes below the smallest
    sync_api.expect(said).to_contain_text(f"right on {100 * along.top1[last]:.2f} % of all test images")
    shown = [text.split()[1] for text in answers.all_inner_texts()]
    assert shown == [study.info.classes[along.classes[last, number]] for number in along.changing]
    wrong = page.locator(".bd-along-wrong").count()
    assert wrong == int((~along.right[last, along.changing]).sum()) > 0
    assert len(received) == before, "a drag must not ask the server"
    lines = page.locator(".bd-along-classes li")
    assert lines.count() == 10
    assert "−" in lines.first.inner_text()
