"""How calm and fast the pages are, in a real browser: from the start of the program, and from page to page.

    python -m benchmarks.pages [--repeats 3] [--out FILE]

For the digits sample and a ResNet-56 (random weights; costs are real): seconds from the start of the process until the
Explore page can be used (dial and charts are drawn), seconds to open it again, and milliseconds from a click in the
navigation until the page has changed for the last time. Then whether the server has torch in its memory.
"""

import argparse
import re
import statistics
import tempfile
import time
from itertools import permutations
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from legr.files import write_json
from legr.study.catalog import SAMPLES
from tests.app.demo_study import add_finetuned, make_study
from tests.browser.running import OPTIONS, chromium_path, running_app, server_of

SAMPLE, LARGE = "digits-resnet20", "resnet56"
#: Name in the navigation, and what is there once a page can be used.
PAGES = {
    "Explore": ".bd-frontier .scatterlayer .point",
    "Learn": ".st-key-replay .js-plotly-plot, .js-plotly-plot .scatterlayer",
    "Fine-tune & export": ".st-key-export button",
    "See it": "[data-testid=stFileUploader]",
    "Structure": "[data-testid=stDataFrame] canvas",
    "Studies": "[data-testid=stFileUploader]",
}
QUIET_MS = 400  # without a change, a page is settled
WATCH = """() => {
    const seen = rows => rows.some(({ target }) => !target.closest?.('canvas')); // inside: for screen readers
    new MutationObserver(rows => { if (seen(rows)) window.changed = performance.now(); })
        .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    document.addEventListener('click', () => { window.clicked = window.changed = performance.now(); }, true);
}"""
SETTLED = f"""selector => {{
    const app = document.querySelector('[data-testid=stApp]');
    return app?.dataset.testScriptState === 'notRunning' && document.querySelector(selector)
        && performance.now() - window.changed > {QUIET_MS};
}}"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        studies = Path(folder) / "studies"
        add_finetuned(make_study(studies / LARGE, model="cifar_resnet56"))
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=OPTIONS)
        for study in (SAMPLE, LARGE):
            if study == LARGE or (SAMPLES / study).is_dir():
                rows[study] = measured(browser, studies, study, options.repeats)
                print(study, rows[study], flush=True)
        browser.close()
    if options.out:
        write_json(options.out, rows)


def measured(browser: Browser, studies: Path, study: str, repeats: int) -> dict[str, Any]:
    """Of one study: medians over some starts of the program."""
    cold, warm, torch = [], [], []
    switches: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeats):
        start = time.perf_counter()
        with running_app(studies) as url:
            answers = time.perf_counter() - start
            page = opened(browser, url, study)
            cold.append((answers, time.perf_counter() - start))
            page.close()
            start = time.perf_counter()
            page = opened(browser, url, study)
            warm.append(time.perf_counter() - start)
            for pair, milliseconds in switched(page).items():
                switches.setdefault(pair, []).append(milliseconds)
            page.close()
            torch.append(has_torch(url))
    between = {pair: statistics.median(times) for pair, times in switches.items()}
    return {
        "server_answers_s": round(statistics.median(first for first, _ in cold), 2),
        "cold_start_s": round(statistics.median(usable for _, usable in cold), 2),
        "warm_open_s": round(statistics.median(warm), 2),
        "switch_ms": {
            name: round(statistics.median(ms for (_, to), ms in between.items() if to == name)) for name in PAGES
        },
        "switch_worst_ms": round(max(between.values())),
        "torch_in_server": any(torch),
    }


def opened(browser: Browser, url: str, study: str) -> Page:
    """A fresh browser profile in which the Explore page can be used."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{url}/?study={study}")
    page.wait_for_selector(".bd-layers .barlayer .point path")
    page.wait_for_selector(PAGES["Explore"])
    return page


def switched(page: Page) -> dict[tuple[str, str], float]:
    """Milliseconds from a click until a page has changed for the last time, for every way from page to page."""
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    here, times = "Explore", {}
    visit(page, "Learn")  # twice on every page: files and curves are read once
    for name in (*PAGES, *PAGES):
        visit(page, name)
    here = list(PAGES)[-1]
    for start, end in permutations(PAGES, 2):
        if here != start:
            visit(page, start)
        times[start, end], here = visit(page, end), end
    return times


def visit(page: Page, name: str) -> float:
    """Go to a page; milliseconds until it is settled."""
    page.get_by_role("navigation").get_by_role("link", name=re.compile(f"^{re.escape(name)}( ✓)?$")).click()
    page.wait_for_function(SETTLED, arg=PAGES[name])
    return float(page.evaluate("() => window.changed - window.clicked"))


def has_torch(url: str) -> bool:
    """Whether the process that serves the pages has a library of torch in its memory."""
    return any("torch" in region.path for region in server_of(url).memory_maps())


if __name__ == "__main__":
    main()
