"""The Studies page: what can be done with a study as a whole, and what is refused while a job is at work."""

import shutil
from pathlib import Path

from legr.jobs import records
from legr.ranking.constraints import Constraints
from legr.requests.export import ExportRequest
from legr.study.catalog import LONGEST_NOTE, save_note
from legr.study.store import Study
from tests.app.conftest import OpenApp
from tests.app.test_explore_page import dial
from tests.app.test_job_panel import alive, write_job
from tests.app.test_starting_jobs import Started, started  # noqa: F401


def names(studies: Path) -> list[str]:
    return sorted(path.name for path in studies.iterdir() if path.name[0] != ".")


def test_a_study_is_duplicated_and_renamed(open_app: OpenApp, studies: Path) -> None:
    at = open_app("studies")
    for label, expected in (("Duplicate", {"demo", "mine"}), ("Rename", {"yours", "mine"})):
        at.text_input(key=f"{label}:demo:name").set_value("mine" if label == "Duplicate" else "yours")
        at.button(key=f"FormSubmitter:{label}:demo-{label}").click().run()
        assert not at.exception and not at.error
        assert expected <= set(names(studies))
    assert "demo" not in names(studies)
    at.switch_page("pages/explore.py").run()
    assert "yours" in dial(at)["title"] and dial(at)["facts"][0] == "yours"


def test_a_study_is_deleted_and_another_is_open(open_app: OpenApp, studies: Path) -> None:
    at = open_app("studies").button(key="delete:demo").click().run()
    assert not at.exception and not at.error
    assert "demo" not in names(studies)
    at.switch_page("pages/explore.py").run()
    assert not at.exception and not at.error


def test_nothing_is_moved_away_under_a_job(open_app: OpenApp, studies: Path) -> None:
    write_job(studies / "demo", "learn", state="running", stage="pass", done=3, total=64, **alive())
    at = open_app("studies")
    assert any("The search runs in the background. Pass 3 of 64" in text.value for text in at.markdown)
    at.button(key="delete:demo").click().run()
    assert "is running; cancel it" in at.error[0].value
    assert Study.open(studies / "demo").learned


def test_a_sample_and_its_copy_stand_side_by_side(open_app: OpenApp, studies: Path) -> None:
    sample = Study.open(studies.parent / "samples" / "shown")
    sample.copy_to(studies / "shown")
    at = open_app("studies")
    assert not at.exception
    at.text_input(key="Rename:demo:name").set_value("elsewhere")
    at.button(key="FormSubmitter:Rename:demo-Rename").click().run()
    assert "There is a study elsewhere already" in at.error[0].value


def test_a_renamed_study_finds_its_files_again(open_app: OpenApp, studies: Path) -> None:
    old = studies / "demo"
    write_job(
        old,
        "export",
        state="done",
        arguments=("--macs", "0.5", "--out", str(old / "exports" / "a")),
        result={"zip": str(old / "a.zip")},
    )
    at = open_app("studies")
    at.text_input(key="Rename:demo:name").set_value("new")
    at.button(key="FormSubmitter:Rename:demo-Rename").click().run()
    job = records.latest(Study.open(studies / "new"), "export")
    assert job is not None and job.result["zip"] == str(studies / "new" / "a.zip")
    assert isinstance(job.request, ExportRequest) and job.request.out == studies / "new" / "exports" / "a"


def test_a_note_is_shown_as_it_was_written(open_app: OpenApp, studies: Path) -> None:
    save_note(Study.open(studies / "demo"), "for the **robot**\n\nsecond :red[line]")
    assert any(text.value == "for the **robot**\n\nsecond :red[line]" for text in open_app("studies").text)


def test_a_note_cannot_be_typed_too_long(open_app: OpenApp) -> None:
    at = open_app("studies")
    assert {area.proto.max_chars for area in at.text_area} == {LONGEST_NOTE}


def test_a_name_that_cannot_be_taken_is_answered_as_people_would(open_app: OpenApp, studies: Path) -> None:
    for given, answer in (("", "A study needs a name: "), ("demo", "It is called demo already; type another name.")):
        at = open_app("studies")
        assert at.text_input(key="Rename:demo:name").value == "demo"
        at.text_input(key="Rename:demo:name").set_value(given)
        at.button(key="FormSubmitter:Rename:demo-Rename").click().run()
        assert [error.value[: len(answer)] for error in at.error] == [answer]
    assert names(studies) == ["demo", "elsewhere", "plain"]


def test_a_duplicate_begins_with_a_name_that_is_free(open_app: OpenApp, studies: Path) -> None:
    assert open_app("studies").text_input(key="Duplicate:demo:name").value == "demo-2"
    shutil.copytree(studies / "demo", studies / "demo-2")
    at = open_app("studies")
    assert at.text_input(key="Duplicate:demo:name").value == "demo-3"
    assert at.text_input(key="Duplicate:shown:name").value == "shown-2"  # a sample


def test_a_sample_that_has_a_copy_can_still_be_opened_and_is_copied_anew(
    open_app: OpenApp,
    studies: Path,
    started: Started,  # noqa: F811
) -> None:
    sample = Study.open(studies.parent / "samples" / "shown")
    sample.copy_to(studies / "shown").save_constraints(Constraints(multiple=4))
    at = open_app("studies", study="shown")
    at.button(key="open-sample:shown").click().run()
    assert not at.exception and at.query_params["study"] in ("sample:shown", ["sample:shown"])
    assert "sample, read-only" in dial(at)["facts"] and "Constraints" not in dial(at)["note"]
    at.switch_page("pages/finetune.py").run()
    next(b for b in at.button if b.label == "Export at 50 %").click().run()
    assert [path for path, *_ in started] == [studies / "shown-2"]  # the copy that was there stays as it is
    assert at.query_params["study"] in ("shown-2", ["shown-2"])
    assert Study.open(studies / "shown").constraints.multiple == 4 and sample.info.sample
