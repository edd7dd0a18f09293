"""Where studies are, and what can be done with a whole one: list, copy, rename, duplicate, delete, write a note.

The caller makes sure that no job of the study is running. Names come from people and browsers, and are checked: none
leads out of the folder.
"""

import os
import re
import shutil
from collections.abc import Container
from itertools import chain, count
from pathlib import Path

from legr.errors import StudyError
from legr.files import temporary_beside, write_text
from legr.paths import data_folder, explorer_folder
from legr.schema import MEGABYTE, SchemaError, read_bytes
from legr.study.folder import INFO
from legr.study.making import is_half_made, remove_half_made
from legr.study.store import Study

SAMPLES = explorer_folder() / "samples"
LONGEST_NOTE = 2000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,59}")
_NOTE = "note.txt"


def studies_folder(chosen: Path | str | None = None) -> Path:
    """The folder of the user's studies: the one chosen, else LEGR_STUDIES, else the user's data folder."""
    chosen = chosen or os.environ.get("LEGR_STUDIES")
    return Path(os.path.realpath(os.path.expanduser(chosen))) if chosen else data_folder() / "studies"


def list_studies(folder: Path) -> list[Path]:
    """Study folders in `folder`, by name."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if (path / INFO).is_file() and path.name[0] != ".")


def writable(study: Study, folder: Path) -> Study:
    """Return a study that may be written: itself, or the copy of a sample in the user's folder."""
    if not study.info.sample:
        return study
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return study.copy_to(folder / study.path.name)
    except OSError as error:
        raise StudyError(
            f"{study.path.name} is a sample and cannot be copied to {folder} ({error.strerror}); "
            "choose another folder with --studies"
        ) from error


def require_name(name: str, folder: Path) -> str:
    """Check a name for a new study of a folder; return it without spaces around it.

    Raises:
        StudyError: it has other characters than letters, digits, - and _, or is taken.
    """
    name = name.strip()
    if not name:
        raise StudyError("a study needs a name: letters, digits, - and _ only; type one")
    if not _NAME.fullmatch(name):
        raise StudyError(
            f"a study's name has letters, digits, - and _ only, 60 at most, and begins with no -; got {name[:60]!r}"
        )
    if os.path.lexists(folder / name) and not is_half_made(folder / name):
        raise StudyError(f"there is a study {name} already; choose another name")
    return name


def free_name(name: str, folder: Path, taken: Container[str] = ()) -> str:
    """The name itself where a folder has no study of it, else the first of name-2, name-3, … that is free.

    Args:
        taken: names that are not free either.
    """
    numbered = (f"{name}-{number}" for number in count(2))
    return next(n for n in chain([name], numbered) if n not in taken and not os.path.lexists(folder / n))


def rename(study: Study, name: str) -> Study:
    """Give a study another name.

    Raises:
        StudyError: the name is invalid or taken, or the study is a sample.
    """
    study.require_writable()
    path = study.path.with_name(require_name(name, study.path.parent))
    remove_half_made(path)
    study.path.rename(path)
    return Study.open(path).with_info(name=path.name)


def duplicate(study: Study, name: str, folder: Path) -> Study:
    """Copy a study, with everything that was learned and measured, into a folder.

    Raises:
        StudyError: the name is invalid or taken.
    """
    path = folder / require_name(name, folder)
    folder.mkdir(parents=True, exist_ok=True)
    return study.copy_to(path).with_info(name=path.name)


def delete(study: Study) -> None:
    """Remove a study for good; it is moved aside first, so that none is ever half removed.

    Of a link to a study only the link is removed.

    Raises:
        StudyError: it is a sample.
    """
    if study.path.is_symlink():
        study.path.unlink()
        return
    study.require_writable()
    aside = temporary_beside(study.path)
    study.path.rename(aside)
    (aside / INFO).unlink(missing_ok=True)  # it is no study from now on: what still writes into it stops
    shutil.rmtree(aside, ignore_errors=True)


def note_of(study: Study) -> str:
    """The note of a study; "" where there is none, or none that can be read."""
    try:
        content = read_bytes(study.within(_NOTE), MEGABYTE)
    except (OSError, SchemaError):
        return ""
    return content.decode(errors="replace")[:LONGEST_NOTE]


def save_note(study: Study, text: str) -> None:
    """Replace the note of a study.

    Raises:
        StudyError: it is a sample, or the note is too long.
    """
    study.require_writable()
    text = text.strip()
    if len(text) > LONGEST_NOTE:
        raise StudyError(f"a note has at most {LONGEST_NOTE} characters, this one has {len(text)}; shorten it")
    write_text(study.within(_NOTE), text)
