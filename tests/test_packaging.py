"""The version, the changelog and the locked versions agree with what is installed."""

import re
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import legr
from tests.cli.processes import COMMAND

ROOT = Path(__file__).resolve().parents[1]


def lines_of(name: str) -> list[str]:
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


LOCKED = dict(line.split("==") for line in lines_of("requirements-lock.txt"))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-rl.txt", "requirements-dev.txt"])
def test_the_lock_has_a_version_of_every_requirement(name: str) -> None:
    for requirement in map(Requirement, (line for line in lines_of(name) if line[0] != "-")):
        version = LOCKED[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}: run `make lock`"


def test_the_lock_can_be_installed_anywhere() -> None:
    for name, version in LOCKED.items():
        assert re.fullmatch(r"[a-z0-9-]+", name), name
        assert re.fullmatch(r"[0-9a-z.!]+", version), f"{name}=={version}: no path, no build of this machine"


def test_the_changelog_begins_with_this_version() -> None:
    releases = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert releases[:2] == ["Unreleased", legr.__version__]


def test_the_command_line_says_its_version() -> None:
    said = subprocess.run([*COMMAND, "--version"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert said.stdout == f"legr {legr.__version__}\n"
