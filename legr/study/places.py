"""Where studies live on this machine: the user's folder, and the samples that ship with the program.

It does not know what is in a study.
"""

import os
from pathlib import Path

from legr.errors import StudyError
from legr.machine import data_folder
from legr.study.store import Study

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def studies_folder(chosen: Path | str | None = None) -> Path:
    """The folder of the user's studies: the one chosen, else LEGR_STUDIES, else the user's data folder."""
    chosen = chosen or os.environ.get("LEGR_STUDIES")
    return Path(chosen).expanduser().resolve() if chosen else data_folder() / "studies"


def list_studies(folder: Path) -> list[Path]:
    """Study folders in `folder`, by name."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if (path / "study.json").is_file() and path.name[0] != ".")


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
