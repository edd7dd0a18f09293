"""The wheel: what is in it, and that it works away from the checkout, without a file written beside its code."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from legr.study.store import Study
from tests.conftest import times_of

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ("cifar10_resnet56", "digits-resnet20")


def legr(site: Path, *arguments: str | Path) -> str:
    """What the installed command prints."""
    command = [sys.executable, site / "bin" / "legr", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


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
    assert re.findall(r"^Provides-Extra: (\w+)$", text["METADATA"], re.MULTILINE) == ["dev", "docs", "rl", "timm"]
    assert "License-Expression: Apache-2.0" in text["METADATA"]
    assert "legr = legr.cli:main" in text["entry_points.txt"]


def test_the_installed_command_runs_in_another_folder(site: Path, elsewhere: Path) -> None:
    before = times_of(site)
    assert legr(site, "--help").startswith("Usage: legr ")
    for name in SAMPLES:
        said = legr(site, "show", "--study", site / "legr" / "_explorer" / "samples" / name, "--macs", "0.5")
        assert said.startswith(f"{Study.open(ROOT / 'samples' / name).default_ranking} ranking, ")
    assert times_of(site) == before, "nothing is written beside the code"
