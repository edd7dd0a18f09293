"""The wheel: what is in it, and that it works away from the checkout, without a file written beside its code."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright import sync_api

from tests.browser.running import OPTIONS, chromium_path, running_app

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ("cifar10_resnet56", "digits-resnet20")


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", *map(str, arguments), "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run(command, check=True, cwd=ROOT, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with the packages that are installed."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel alone is installed."""
    folder = tmp_path_factory.mktemp("site")
    pip("install", "--target", folder, wheel)
    return folder


@pytest.fixture
def elsewhere(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, where Python finds the installed wheel first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(site))
    for name in ("CACHE", "DATA", "STUDIES"):
        monkeypatch.setenv(f"LEGR_{name}", str(tmp_path / name.lower()))
    return tmp_path


def legr(site: Path, *arguments: str | Path) -> str:
    """What the installed command prints."""
    command = [sys.executable, site / "bin" / "legr", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def files_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *folders], check=True, cwd=ROOT, capture_output=True, text=True)
    return set(listed.stdout.splitlines())


def test_the_wheel_has_the_engine_and_the_explorer_and_no_more(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    about = next(name for name in names if name.endswith("/METADATA")).split("/")[0]
    code = {name for name in names if not name.startswith(f"{about}/")}
    explorer = tracked("app", "pages", "streamlit_app.py", ".streamlit", *(f"samples/{name}" for name in SAMPLES))
    assert code == tracked("legr") | {f"legr/_explorer/{name}" for name in explorer}
    assert {"legr/py.typed", "legr/_explorer/app/budget_dial/frontend/style.css"} <= code
    assert f"{about}/licenses/LICENSE" in names


def test_the_wheel_says_what_it_needs_and_gives_a_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    text = {Path(name).name: archive.read(name).decode() for name in archive.namelist() if ".dist-info/" in name}
    needed = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", text["METADATA"], re.MULTILINE)
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(needed) == sorted(re.split(r"[=<>]", line)[0] for line in lines if line[0] != "#")
    assert re.findall(r"^Provides-Extra: (\w+)$", text["METADATA"], re.MULTILINE) == ["dev", "docs", "timm"]
    assert "License-Expression: Apache-2.0" in text["METADATA"]
    assert "legr = legr.cli:main" in text["entry_points.txt"]


def test_the_installed_command_runs_in_another_folder(site: Path, elsewhere: Path) -> None:
    before = files_of(site)
    assert legr(site, "--help").startswith("Usage: legr ")
    for name in SAMPLES:
        said = legr(site, "show", "--study", site / "legr" / "_explorer" / "samples" / name, "--macs", "0.5")
        assert "learned ranking" in said
    assert files_of(site) == before, "nothing is written beside the code"


@pytest.mark.browser
def test_the_installed_explorer_draws_the_flagship(site: Path, elsewhere: Path) -> None:
    chromium, before = chromium_path(), files_of(site)
    if chromium is None:
        pytest.skip("no Chromium is installed: none is on the PATH, and CHROMIUM names none")
    with running_app(elsewhere / "studies", folder=elsewhere) as url, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(url)
        charts = page.locator(".budget-dial .js-plotly-plot .main-svg")
        sync_api.expect(charts.first).to_be_visible(timeout=60_000)
        sync_api.expect(page.get_by_text(SAMPLES[0]).first).to_be_visible()
        page.screenshot(path=elsewhere / "installed.png")
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "15px", "its own settings hold"
        browser.close()
    assert files_of(site) == before, "nothing is written beside the code"
