"""Pictures of every page in both themes, and of the phone's width: `make screenshots`, then look at them.

    python -m tests.browser.screenshots [--out screenshots] [--study NAME]

They show the sample, unless another study is named. It does not test anything.
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from legr.study.catalog import SAMPLES, list_studies, studies_folder
from tests.browser.running import OPTIONS, chromium_path, running_app

PAGES = {
    "explore": "/?budget=40",
    "compare": "/?budget=30&held=60&lens=macs&axis=macs&by=params",
    "together": "/?budget=40&lens=together",
    "learn": "/learn",
    "finetune": "/finetune?budget=40",
    "see": "/see?budget=30",
    "structure": "/structure",
    "studies": "/studies",
}
WIDTHS = {"": (1280, 1000), "phone-": (390, 1600)}
SETTLE_MS = 2500


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    parser.add_argument("--study", default=list_studies(SAMPLES)[0].name)
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        known = {path.name for path in list_studies(SAMPLES)}
        studies = Path(folder) / "studies" if options.study in known else studies_folder()
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=OPTIONS)
        with running_app(studies) as url:
            for theme in ("light", "dark"):
                for prefix, (width, height) in WIDTHS.items():
                    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
                    for name, path in PAGES.items():
                        page.goto(f"{url}{path}{'&' if '?' in path else '?'}study={options.study}")
                        page.get_by_role("heading").first.wait_for()
                        page.wait_for_timeout(SETTLE_MS)
                        file = options.out / f"{prefix}{name}-{theme}.png"
                        page.screenshot(path=file)
                        print(file, flush=True)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main()
