"""How fast the dial follows the hand, in a real browser: a drag of 200 steps on the Explore page.

    python -m benchmarks.drag [--models NAME ...] [--lens filters] [--steps 200] [--out FILE]

For each network (random weights; costs are real) and each step: milliseconds of the page's main thread (event handlers,
the frame's scripts, layout and paint), and from the input event until the frame is handed to the compositor. Then the
words said to the server meanwhile, and the milliseconds from release until the page has changed for the last time.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from app.budget_dial.types import LENSES
from legr.files import write_json
from tests.app.demo_study import make_study
from tests.browser.running import OPTIONS, chromium_path, running_app

MODELS = {"cifar_resnet56": 32, "mobilenet_v2": 224, "resnet50": 224}  # and the side of their images
WATCH = """() => {
    window.seen = [];
    let row = null;
    document.addEventListener('input', event => {
        row = { made: event.timeStamp, begun: performance.now() };
        const mine = row;
        requestAnimationFrame(() => {
            mine.frame = performance.now();
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => { mine.painted = performance.now(); window.seen.push(mine); };
            port2.postMessage(null);
        });
    }, true);
    document.addEventListener('input', () => { row.handled = performance.now(); });
    new MutationObserver(() => { window.changed = performance.now(); })
        .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    document.addEventListener('pointerup', () => { window.released = performance.now(); }, true);
}"""


def main() -> None:
    """Drag on each network, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--lens", default="filters", choices=LENSES, help="what the page shows of each layer")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        studies = Path(folder) / "studies"
        for model in options.models:
            make_study(studies / model, model=model, side=MODELS[model])
        with running_app(studies) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=OPTIONS)
            rows = {}
            for model in options.models:
                page = browser.new_page(viewport={"width": 1280, "height": 1000})
                rows[model] = drag(page, f"{url}/?study={model}&budget=90&lens={options.lens}", options.steps)
                page.close()
                print(model, rows[model], flush=True)
    if options.out:
        write_json(options.out, rows)


def drag(page: Page, url: str, steps: int) -> dict[str, Any]:
    """Drag from 90 % down to the left and back, one step a frame."""
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(1)))
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    start = time.perf_counter()
    page.goto(url)
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    opened = time.perf_counter() - start
    page.wait_for_timeout(1500)
    table, opening = max(received), sum(received)
    page.evaluate(WATCH)
    dial = page.locator(".bd-range")
    box = dial.bounding_box()
    assert box is not None
    y, left, width = box["y"] + box["height"] / 2, box["x"] + 8, box["width"] - 16
    share = int(dial.input_value()) / int(dial.get_attribute("max") or 1)
    page.mouse.move(left + width * share, y)
    page.mouse.down()
    before = len(sent)
    for step in range(1, steps + 1):
        way = share * (1 - 0.9 * np.sin(np.pi * step / steps / 1.25))
        page.mouse.move(left + width * way, y)
        page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
    messages = len(sent) - before
    page.mouse.up()
    page.wait_for_timeout(2500)
    seen = page.evaluate("() => window.seen")
    work = [row["handled"] - row["begun"] + row["painted"] - row["frame"] for row in seen]
    delay = [row["painted"] - row["made"] for row in seen]
    return {
        "steps": len(seen),
        "main_thread_ms": {"median": _round(np.median(work)), "p95": _round(np.percentile(work, 95))},
        "input_to_paint_ms": {"median": _round(np.median(delay)), "p95": _round(np.percentile(delay, 95))},
        "messages_during_drag": messages,
        "release_to_settled_ms": _round(page.evaluate("() => window.changed - window.released")),
        "open_s": _round(opened),
        "largest_message_kb": _round(table / 1000),
        "messages_to_open_kb": _round(opening / 1000),
    }


def _round(value: float) -> float:
    return round(float(value), 1)


if __name__ == "__main__":
    main()
