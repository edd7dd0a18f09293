"""Fixtures for tests of the pages: a folder of small finished studies, and the app without a browser."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.demo_study import add_finetuned, make_study

ROOT = Path(__file__).resolve().parents[2]
OpenApp = Callable[..., AppTest]


@pytest.fixture(scope="session")
def finished_studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with studies of every kind; made once, never written to."""
    folder = tmp_path_factory.mktemp("finished")
    add_finetuned(make_study(folder / "demo"))
    make_study(folder / "plain", learned=False)
    make_study(folder / "elsewhere", data="cifar10")
    make_study(folder / "shown", sample=True)
    return folder


@pytest.fixture
def studies(finished_studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A studies folder with "demo", "plain" and "elsewhere" (whose images are missing), and the sample "shown"."""
    own, samples = tmp_path / "studies", tmp_path / "samples"
    for name in ("demo", "plain", "elsewhere"):
        shutil.copytree(finished_studies / name, own / name)
    shutil.copytree(finished_studies / "shown", samples / "shown")
    monkeypatch.setenv("LEGR_STUDIES", str(own))
    monkeypatch.setenv("LEGR_DATA", str(tmp_path / "data"))
    for place in ("legr.study.catalog.SAMPLES", "app.state.SAMPLES"):
        monkeypatch.setattr(place, samples)
    return own


@pytest.fixture
def open_app(studies: Path) -> OpenApp:
    """Open a page on a study, as a browser would that follows a link to it."""

    def open_page(page: str = "explore", study: str | None = "demo", **query: str | list[str]) -> AppTest:
        at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
        if study:
            at.query_params["study"] = study
        for name, value in query.items():
            at.query_params[name] = value
        at.run()
        if page != "explore":
            at.switch_page(f"pages/{page}.py").run()
        return at

    return open_page
