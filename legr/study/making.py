"""How a study folder comes to be: filled beside its place, then moved there whole. No half-made one keeps a name.

Earlier versions filled it in its place, and a killed one may have left a part there.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from legr.errors import StudyError
from legr.files import creating_folder
from legr.held import leads_out
from legr.study.folder import INFO

_FIRST_FILES = re.compile(r"weights\.safetensors|cuts\.json|structure\.json|shape\.json|\..+\.(tmp|lock)")


@contextmanager
def making_study(path: Path) -> Iterator[Path]:
    """Yield the folder to fill with a new study, whose place is `path`; on an error nothing is left.

    A folder that holds other things already is filled in its place.

    Raises:
        StudyError: there is a study by then.
        OSError: it cannot be written.
    """
    if path.is_dir() and not is_half_made(path):
        yield path
        return
    try:
        with creating_folder(path) as folder:
            yield folder
            remove_half_made(path)
    except OSError as error:
        if (path / INFO).exists():  # another process was faster
            raise StudyError(f"{path} holds a study already; open it, or choose another folder") from error
        raise


def require_place(path: Path) -> None:
    """Refuse a place where no study can be made, before any work is done.

    Raises:
        StudyError: there is a study already, or something that is no folder, there or above.
    """
    if (path / INFO).exists():
        raise StudyError(f"{path} holds a study already; open it, or choose another folder")
    there = next((place for place in (path, *path.absolute().parents) if os.path.lexists(place)), None)
    if there is not None and not there.is_dir():
        raise StudyError(f"{there} is there already and is no folder; choose another place for the study")


def is_half_made(path: Path) -> bool:
    """Whether a folder holds nothing but the first files of a study that was never finished."""
    if path.is_symlink() or not path.is_dir():
        return False
    return all(_FIRST_FILES.fullmatch(entry.name) and entry.is_file() for entry in path.iterdir())


def remove_half_made(path: Path) -> None:
    """Remove the first files of a study that was never finished; anything else stays."""
    if is_half_made(path):
        shutil.rmtree(path)


def left_out_of_copies(folder: str, names: list[str]) -> set[str]:
    """For `shutil.copytree`: what a copy of a study has none of. Links that lead out of it are not followed."""
    ignored = shutil.ignore_patterns("jobs", "*.lock", ".*.tmp", ".*.kept")(folder, names)
    here = [Path(folder) / name for name in names]
    return set(ignored) | {path.name for path in here if leads_out(path, _study_of(path)) or not _is_plain(path)}


def _study_of(path: Path) -> Path:
    """The nearest folder above that is a study."""
    return next((folder for folder in path.parents if (folder / INFO).is_file()), path.parent)


def _is_plain(path: Path) -> bool:
    """Whether it is a file or a folder; no pipe, socket or device, and no link to nothing."""
    return path.is_file() or path.is_dir()
