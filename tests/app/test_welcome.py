"""Guidance for a first visit: the four steps with their links, and hints where something is missing."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.navigation import open_study, steps_done, tab_title, titles
from legr.study.store import Study
from tests.app.conftest import ROOT, OpenApp

STEPS = ["1 · Choose a study", "2 · Learn the ranking", "3 · Drag the budget", "4 · Fine-tune and export"]


def doors(at: AppTest) -> dict[str, bool]:
    """Links to pages, by what they say, and whether each can be taken."""
    return {link.proto.label: not link.proto.disabled for link in at.get("page_link")}


def guided(at: AppTest) -> bool:
    assert not at.exception and not at.error
    return any("New here?" in text.value for text in at.caption)


@pytest.mark.parametrize("page", ["explore", "learn", "finetune", "structure"])
def test_without_any_study_the_first_step_is_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, studies: Path, page: str
) -> None:
    monkeypatch.setenv("LEGR_STUDIES", str(tmp_path / "none"))
    for place in ("legr.study.catalog.SAMPLES", "app.state.SAMPLES"):
        monkeypatch.setattr(place, tmp_path / "none either")
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30).run()
    if page != "explore":
        at.switch_page(f"pages/{page}.py").run()
    assert not at.exception and not at.error
    assert [f"**{step}**" for step in STEPS] == [text.value for text in at.markdown if " · " in text.value]
    assert doors(at) == {"Studies": True, "Learn": False, "Explore": False, "Fine-tune & export": False}


def test_a_sample_says_what_to_do_until_that_is_hidden(open_app: OpenApp) -> None:
    at = open_app(study="shown")
    assert guided(at) and set(doors(at)) == {"Then fine-tune and export it", "Make a study of your own network"}
    next(button for button in at.button if button.label == "Hide").click().run()
    assert not guided(at)
    assert at.query_params["guide"] in ("off", ["off"])  # so that a reload does not bring them back
    at.switch_page("pages/studies.py").run()
    at.switch_page("pages/explore.py").run()
    assert not guided(at)
    assert not guided(open_app(study="shown", guide="off"))


def test_nobody_who_works_is_told_what_to_do(open_app: OpenApp, studies: Path) -> None:
    assert not guided(open_app(study="demo"))
    sample = Study.open(studies.parent / "samples" / "shown")
    assert guided(open_app(study="shown"))
    sample.copy_to(studies / "shown")
    assert not guided(open_app(study="shown"))


@pytest.mark.parametrize(
    ("study", "done"),
    [
        ("demo", {"pages/learn.py", "pages/finetune.py"}),
        ("elsewhere", {"pages/learn.py"}),
        ("plain", set()),
        ("gone", set()),
    ],
)
def test_steps_that_are_done_have_a_check_mark(
    monkeypatch: pytest.MonkeyPatch, studies: Path, study: str, done: set[str]
) -> None:
    monkeypatch.setattr("app.state.open_name", lambda: study)
    assert steps_done(open_study()) == done
    assert {path for path, title in titles(open_study()).items() if title.endswith(" ✓")} == done


def test_a_study_that_cannot_be_read_has_no_check_marks(monkeypatch: pytest.MonkeyPatch, studies: Path) -> None:
    (studies / "demo" / "ranking.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr("app.state.open_name", lambda: "demo")
    assert steps_done(open_study()) == set()


def test_a_tab_says_its_page_and_its_study(monkeypatch: pytest.MonkeyPatch, studies: Path) -> None:
    monkeypatch.setattr("app.state.open_name", lambda: "demo")
    assert tab_title("Learn ✓", open_study()) == "Learn · ResNet-8 on digits · demo"
    monkeypatch.setattr("app.state.open_name", lambda: "gone")
    assert tab_title("Studies", open_study()) == "Studies · LeGR explorer"


@pytest.mark.slow
@pytest.mark.parametrize("page", ["explore", "finetune"])
def test_where_nothing_is_learned_the_way_there_is_shown(open_app: OpenApp, page: str) -> None:
    assert "Learn the ranking" in doors(open_app(page, study="plain"))
    assert "Learn the ranking" not in doors(open_app(page, study="demo"))


@pytest.mark.parametrize(
    ("page", "label"),
    [
        ("explore", "Measure the frontier"),
        ("learn", "Continue to 400 passes"),
        ("finetune", "Fine-tune at 50 %"),
    ],
)
def test_a_button_that_needs_images_says_so(open_app: OpenApp, page: str, label: str) -> None:
    at = open_app(page, study="elsewhere")
    button = next(button for button in at.button if button.label == label)
    assert button.disabled and "name their folder" in button.help


def test_a_study_that_is_gone_leads_to_the_others(open_app: OpenApp) -> None:
    at = open_app(study="gone")
    assert len(at.error) == 1
    assert doors(at) == {"Open another study": True}
