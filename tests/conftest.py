"""What every test gets: folders of its own, and the marker `needs_data` for tests that need real images.

It does not know what the tests test.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The real data: CIFAR-10 as parquet files and trained weights. Never part of the repository.
DATA_FOLDER = Path(os.environ.get("LEGR_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")

ALL_SLOW = re.compile(r"^pytestmark = .*\bpytest\.mark\.slow\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files of slow tests alone where these are not asked for: to import them takes seconds as well."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return bool(ALL_SLOW.search(collection_path.read_text(encoding="utf-8"))) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if DATA_FOLDER.is_dir():
        return
    skip = pytest.mark.skip(reason=f"there is no folder {DATA_FOLDER}; LEGR_TEST_DATA names another")
    for item in items:
        if item.get_closest_marker("needs_data"):
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests met real data, so that a run without any is not mistaken for a full one."""

    def count(*outcomes: str) -> int:
        reports = (report for outcome in outcomes for report in terminalreporter.stats.get(outcome, []))
        return len({report.nodeid for report in reports if "needs_data" in getattr(report, "keywords", ())})

    ran = count("passed", "failed", "error", "xfailed", "xpassed")
    terminalreporter.write_line(f"needs_data: {ran} ran, {count('skipped')} skipped")


@pytest.fixture(autouse=True, scope="session")
def folders_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests off this machine's own data, cache and studies; CIFAR-10 is decoded once a run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LEGR_DATA", "LEGR_CACHE", "LEGR_STUDIES"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give one test empty data and cache folders: tmp_path / "data" and tmp_path / "cache"."""
    monkeypatch.setenv("LEGR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LEGR_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real data; only for tests marked needs_data."""
    return DATA_FOLDER


@pytest.fixture(scope="session")
def made_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real study, made once a run: ResNet-8 with random weights on the embedded digits. Do not write to it."""
    from legr.commands.create import ImageSource, NetworkSource, create
    from legr.progress import silent

    path = tmp_path_factory.mktemp("made") / "digits8"
    create(path, NetworkSource("cifar_resnet8"), ImageSource("digits"), silent)
    return path


@pytest.fixture
def study_path(made_study: Path, tmp_path: Path) -> Path:
    """A copy of that study, to write to."""
    path = tmp_path / "digits8"
    shutil.copytree(made_study, path)
    return path


@pytest.fixture
def without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let exports leave network.onnx empty: to write and check it takes seconds, and some tests are not about it."""
    from legr.deploy.export import Agreement
    from legr.deploy.onnx_file import OnnxVersion

    monkeypatch.setattr("legr.commands.export.kept_template", lambda *_: None)
    monkeypatch.setattr("legr.commands.export.export_onnx", lambda model, shape, path: path.touch())
    monkeypatch.setattr("legr.commands.export.hand_out", lambda *_: OnnxVersion(13, 7))
    monkeypatch.setattr("legr.commands.export.check_agreement", lambda *_: Agreement(0.0, 1.0, 1))


def pip(*arguments: str | Path) -> None:
    """Run pip, with the packages that are installed and no others."""
    command = [sys.executable, "-m", "pip", *map(str, arguments), "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run(command, check=True, cwd=ROOT, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
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


def times_of(folder: Path) -> dict[Path, int]:
    """Every file of a folder, and when it was last written to."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
