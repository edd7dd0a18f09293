"""New studies are made beside their place: a killed one keeps no name, and nothing that is there is lost."""

import shutil
from pathlib import Path

import pytest

from legr.errors import StudyError
from legr.study.catalog import delete, duplicate, list_studies, rename, require_name
from legr.study.making import making_study, require_place
from legr.study.store import Study

FIRST_FILES = ("weights.safetensors", "cuts.json", "structure.json", ".weights.safetensors.0a.tmp", ".jobs.lock")


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


def half_made(path: Path, *names: str) -> Path:
    """What a process that was killed has left of a new study."""
    path.mkdir()
    for name in names:
        (path / name).write_text("left")
    return path


@pytest.mark.parametrize("names", [FIRST_FILES[:1], FIRST_FILES, ()], ids=len)
def test_a_half_made_study_keeps_no_name(study: Study, names: tuple[str, ...]) -> None:
    folder = study.path.parent
    for action in ("make", "duplicate", "rename"):
        path = half_made(folder / action, *names)
        assert require_name(action, folder) == action
        assert path not in list_studies(folder)
        if action == "make":
            with making_study(path) as inside:
                (inside / "study.json").write_text("{}")
            assert [file.name for file in path.iterdir()] == ["study.json"]
        else:
            made = duplicate(study, action, folder) if action == "duplicate" else rename(study, action)
            assert made.path == path and made.info.name == action and not (path / "cuts.json").exists()
            assert made.structure.n_units


@pytest.mark.parametrize("name", ["study.json", "mine.txt", "finetuned"])
def test_anything_else_keeps_its_name(study: Study, name: str) -> None:
    folder = study.path.parent
    path = half_made(folder / "mine", *FIRST_FILES)
    (path / name).mkdir() if name == "finetuned" else (path / name).touch()
    with pytest.raises(StudyError, match="there is a study mine already"):
        require_name("mine", folder)
    (folder / "link").symlink_to(folder / "nothing")
    with pytest.raises(StudyError, match="there is a study link already"):
        require_name("link", folder)


def test_a_folder_that_holds_other_things_is_filled_in_its_place(tmp_path: Path) -> None:
    path = half_made(tmp_path / "mine", "mine.txt")
    with making_study(path) as inside:
        (inside / "study.json").touch()
    assert sorted(file.name for file in path.iterdir()) == ["mine.txt", "study.json"]


def test_a_study_that_is_not_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), making_study(tmp_path / "new") as inside:
        (inside / "weights.safetensors").touch()
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    path = half_made(tmp_path / "mine", "weights.safetensors")
    with pytest.raises(ZeroDivisionError), making_study(path):
        raise ZeroDivisionError
    assert (path / "weights.safetensors").read_text() == "left"  # perhaps the file that was given as --weights


def test_of_two_that_make_the_same_study_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "new"
    with pytest.raises(StudyError, match="holds a study already"), making_study(path) as inside:
        (inside / "study.json").touch()
        path.mkdir()
        (path / "study.json").write_text("faster")
    assert (path / "study.json").read_text() == "faster" and [file.name for file in tmp_path.iterdir()] == ["new"]


def test_of_a_link_to_a_study_the_link_is_deleted(study: Study, tmp_path: Path) -> None:
    away = tmp_path / "elsewhere" / "real"
    away.parent.mkdir()
    shutil.move(study.path, away)
    study.path.symlink_to(away)
    delete(Study.open(study.path))
    assert not study.path.is_symlink() and not [f for f in study.path.parent.iterdir() if f.name.endswith(".tmp")]
    assert Study.open(away).structure.n_units


def test_a_place_where_no_study_can_be_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "nowhere").symlink_to(tmp_path / "x" / "y")
    for place in ("file", "file/below", "circle", "circle/below", "nowhere"):
        with pytest.raises(StudyError, match="is there already and is no folder; choose another place"):
            require_place(tmp_path / place)
    with pytest.raises(StudyError, match="/dev/null is there already"):
        require_place(Path("/dev/null"))
    for place in (".", "new", "new/below"):
        require_place(tmp_path / place)
