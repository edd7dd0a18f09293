"""Samples and the user's copies of them: a copy takes the sample's name, and the sample is still there beside it."""

from collections.abc import Iterable
from pathlib import Path

from legr.study.catalog import duplicate, free_name, studies_folder, writable
from legr.study.store import Study

_BESIDE = "sample:"  # no name of a study has a colon


def by_name(samples: Iterable[Path], own: Iterable[Path]) -> dict[str, Path]:
    """Studies by the names that open them: samples first, a copy in its sample's place, then samples beside copies."""
    samples = list(samples)
    studies = {path.name: path for path in (*samples, *own)}
    return studies | {beside_copy(path.name): path for path in samples}


def beside_copy(name: str) -> str:
    """The name that opens a sample itself, also where there is a copy of it."""
    return _BESIDE + name


def copy_of(sample: Study, opened_as: str | None) -> Study:
    """The copy of a sample to work on: the one that is there; a new one of a sample that was opened beside its copy.

    Args:
        opened_as: the name that opened the sample.

    Raises:
        StudyError: the copy cannot be written.
    """
    folder, name = studies_folder(), sample.path.name
    if opened_as != beside_copy(name):
        return writable(sample, folder)
    return duplicate(sample, free_name(name, folder), folder)
