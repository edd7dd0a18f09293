"""Whole studies: renamed, duplicated, deleted, noted; no name leads out of the folder, and samples stay as they are."""

from pathlib import Path

import pytest

from legr.errors import StudyError
from legr.study.catalog import delete, duplicate, list_studies, note_of, rename, require_name, save_note
from legr.study.store import Study
from tests.app.demo_study import make_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "studies" / "one")


@pytest.mark.parametrize("name", ["", " ", "../two", "a/b", "..", "-x", "a b", "ä" * 3, "x" * 61, "a\0b", "C:\\x"])
def test_names_stay_in_the_folder(study: Study, name: str) -> None:
    before = sorted(study.path.parent.parent.rglob("*"))
    for act in (lambda: rename(study, name), lambda: duplicate(study, name, study.path.parent)):
        with pytest.raises(StudyError, match="letters, digits, - and _ only"):
            act()
    assert sorted(study.path.parent.parent.rglob("*")) == before


def test_a_renamed_study_is_the_same_under_another_name(study: Study) -> None:
    learned = study.learned
    renamed = rename(study, " two ")
    assert [path.name for path in list_studies(study.path.parent)] == ["two"]
    assert renamed.info.name == "two" and renamed.learned == learned


def test_a_duplicate_goes_its_own_way(study: Study) -> None:
    copy = duplicate(study, "two", study.path.parent)
    save_note(copy, "for the robot")
    assert note_of(copy) == "for the robot" and note_of(study) == ""
    assert copy.points == study.points and copy.info.name == "two"
    with pytest.raises(StudyError, match="already"):
        duplicate(study, "two", study.path.parent)
    delete(study)
    assert [path.name for path in list_studies(copy.path.parent)] == ["two"]
    assert list(copy.path.parent.iterdir()) == [copy.path]


def test_a_sample_can_only_be_copied(tmp_path: Path) -> None:
    sample = make_study(tmp_path / "samples" / "one", sample=True)
    for act in (lambda: rename(sample, "two"), lambda: delete(sample), lambda: save_note(sample, "x")):
        with pytest.raises(StudyError, match="sample"):
            act()
    copy = duplicate(sample, "mine", tmp_path / "studies")
    assert not copy.info.sample and Study.open(sample.path).info.sample


def test_a_note_has_an_end(study: Study) -> None:
    with pytest.raises(StudyError, match="at most 2000"):
        save_note(study, "x" * 2001)
    assert require_name("fine-2", study.path.parent) == "fine-2"
