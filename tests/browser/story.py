"""The sixty-second story of docs/story.md as ten pictures: `python -m tests.browser.story [--out docs/pictures/story]`.

It is told on a projector's 1280x720, on the samples, by what a presenter would click, drag and type. It does not test
anything.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.running import OPTIONS, chromium_path, running_app

FLAGSHIP, DIGITS = "study=cifar10_resnet56", "study=digits-resnet20"
PATIENCE_MS, SETTLE_MS = 180_000, 1500
COLOURS = 128  # of a picture: a third of the bytes, and nothing to be seen of it
Frame = Callable[[Page, str], None]


def opened(page: Page, url: str) -> None:
    """What a newcomer sees first."""
    page.goto(f"{url}/?{FLAGSHIP}")
    page.wait_for_selector(".bd-frontier .scatterlayer .point")


def dragged(page: Page, url: str) -> None:
    """The slider is dragged to the tick at 48 %."""
    ticks = page.locator(".bd-tick")
    box, tick = page.get_by_role("slider").bounding_box(), ticks.last.bounding_box()
    assert box and tick
    value = int(page.get_by_role("slider").input_value()) / 10_000
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8 + (box["width"] - 16) * value, middle)
    page.mouse.down()
    page.mouse.move(tick["x"] + 1, middle, steps=20)
    page.mouse.up()


def without_loss(page: Page, url: str) -> None:
    """How far without losing more than half a point?"""
    page.get_by_role("link", name="Lose at most 0.5 points").click()


def needed(page: Page, url: str) -> None:
    """What does it take to process 1500 images a second?"""
    page.get_by_role("button", name="I need … frames a second").click()
    page.get_by_role("spinbutton", name="Budget").fill("1500")
    page.keyboard.press("Enter")


def out_of_reach(page: Page, url: str) -> None:
    """And 100,000?"""
    page.get_by_role("spinbutton", name="Budget").fill("100000")
    page.keyboard.press("Enter")


def beside_uniform(page: Page, url: str) -> None:
    """The learned order beside one that takes the same share of every layer."""
    page.locator(".bd-by select").select_option("macs")
    page.get_by_role("link", name="Go to balanced").click()
    page.get_by_text("Uniform", exact=True).last.click()


def held(page: Page, url: str) -> None:
    """One network is held, another is dragged beside it."""
    page.get_by_text("Uniform", exact=True).last.click()
    page.get_by_role("button", name="Hold").click()
    page.get_by_role("spinbutton", name="Budget").fill("48.3")
    page.keyboard.press("Enter")


def together(page: Page, url: str) -> None:
    """Which filters leave together: the lanes."""
    page.goto(f"{url}/?{FLAGSHIP}&budget=48.3&lens=together")
    page.wait_for_selector(".bd-map svg")


def compared(page: Page, url: str) -> None:
    """Who is right, on every test image: on the digits, whose images every machine has."""
    page.goto(f"{url}/?{DIGITS}&budget=30")
    page.get_by_role("link", name="Compare on all test images").click()
    page.get_by_role("button", name="Compare on all test images").click()
    page.get_by_text("On 359 test images").wait_for(timeout=PATIENCE_MS)


def taken_along(page: Page, url: str) -> None:
    """The network is exported on the next page."""
    page.goto(f"{url}/finetune?{FLAGSHIP}&budget=48.3")
    page.get_by_role("button", name="Export at 48.3 %").wait_for()


FRAMES: list[Frame] = [
    opened,
    dragged,
    without_loss,
    needed,
    out_of_reach,
    beside_uniform,
    held,
    together,
    compared,
    taken_along,
]


def main() -> None:
    """Take the pictures, one after the other, in one tab."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/story"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=OPTIONS)
        with running_app(Path(folder) / "studies") as url:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(PATIENCE_MS)
            for number, frame in enumerate(FRAMES, 1):
                frame(page, url)
                page.mouse.move(1, 1)
                page.wait_for_timeout(SETTLE_MS)
                file = options.out / f"{number:02d}.png"
                page.screenshot(path=file)
                Image.open(file).convert("RGB").quantize(COLOURS).save(file, optimize=True)
                print(file, flush=True)
        browser.close()


if __name__ == "__main__":
    main()
