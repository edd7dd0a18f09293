"""The picture that stands for the explorer where it is linked to, of Explore as it is: `make social-picture`.

    python -m tests.browser.social_picture [--out docs/pictures/social.png]

It does not test anything.
"""

import argparse
import tempfile
from base64 import b64encode
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.front_page import ABOUT, ICON, TITLE
from tests.browser.running import OPTIONS, ROOT, chromium_path, running_app

SIZE = {"width": 1280, "height": 640}  # as the places that show such pictures ask for
EXPLORE = "/?study=cifar10_resnet56&budget=48.3&guide=off"
_SEEN = {"width": 1180, "height": 760}
_PAGE = """
<style>
  @font-face {{ font-family: Own; src: url(data:font/woff2;base64,{font}); font-weight: 200 900; }}
  body {{ margin: 0; height: 640px; overflow: hidden; font-family: Own; color: #1c2430; background: #f3f5f8; }}
  header {{ position: absolute; left: 64px; top: 150px; width: 330px; }}
  h1 {{ margin: 28px 0 16px; font-size: 58px; font-weight: 700; line-height: 1; }}
  p {{ margin: 0; font-size: 28px; line-height: 1.35; }}
  .screen {{
    position: absolute; left: 440px; top: 56px; width: 1000px; border-radius: 14px;
    box-shadow: 0 8px 40px rgb(28 36 48 / 25%);
  }}
</style>
<header><img src="data:image/svg+xml;base64,{icon}" width="88" height="88"><h1>{title}</h1><p>{about}</p></header>
<img class="screen" src="data:image/png;base64,{screen}">
"""


def screen_of(browser: Browser, address: str) -> bytes:
    """Explore as a user sees it, as a PNG of twice its size."""
    page = browser.new_page(viewport=_SEEN, device_scale_factor=2)  # type: ignore[arg-type]
    page.goto(address)
    page.wait_for_selector(".bd-frontier .scatterlayer .point")
    page.wait_for_selector(".bd-layers .barlayer .point")
    page.wait_for_timeout(2000)
    return page.screenshot(clip={"x": 0, "y": 0, "width": _SEEN["width"], "height": _SEEN["height"] - 30})


def main() -> None:
    """Take it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures" / "social.png")
    options = parser.parse_args()
    fonts = files("streamlit").joinpath("static/static/media").iterdir()
    font = next(file for file in fonts if file.name.startswith("SourceSansVF-Upright")).read_bytes()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=OPTIONS)
        with running_app(Path(folder) / "studies") as url:
            screen = screen_of(browser, url + EXPLORE)
        pictures = {"font": font, "icon": ICON.read_bytes(), "screen": screen}
        encoded = {name: b64encode(data).decode() for name, data in pictures.items()}
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        page.set_content(_PAGE.format(title=TITLE, about=ABOUT, **encoded))
        page.evaluate("document.fonts.ready")
        page.screenshot(path=options.out)
        browser.close()


if __name__ == "__main__":
    main()
