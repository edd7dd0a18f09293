"""What was measured and fine-tuned in a study: `points.json` and the records in `finetuned/`.

A damaged record hides itself and no other. This module must not import torch.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from legr.errors import StudyError
from legr.files import write_json
from legr.record import Record
from legr.schema import MEGABYTE, Several
from legr.study.folder import files_in
from legr.study.json_file import FORMAT, REMEDY, DamagedFileError, damaged_file, read_items, read_record
from legr.study.records import FineTuned, Point

POINTS, _LARGEST_RUN = "points.json", 16 * MEGABYTE


@dataclass(frozen=True)
class _StoredPoints(Record):
    points: Several[Point]


def read_points(folder: Path) -> tuple[list[Point], list[str]]:
    """The measured points of a study, and a sentence for each damaged one, which is left out, or for the whole file.

    Raises:
        StudyError: a newer version wrote it.
    """
    path = folder / POINTS
    if not path.exists():
        return [], []
    try:
        stored, damaged = read_items(path, _StoredPoints, "points")
    except DamagedFileError as error:
        return [], [str(error)]
    return list(stored.points), damaged


def write_points(folder: Path, points: Sequence[Point]) -> None:
    """Replace the measured points; a file that is damaged, or some of them, is kept beside it."""
    path = folder / POINTS
    if read_points(folder)[1]:
        shutil.copyfile(path, path.with_name(f"{POINTS}.damaged"))
    write_json(path, {"format": FORMAT, "points": [point.to_dict() for point in points]})


def read_runs(folder: Path) -> tuple[list[FineTuned], list[str]]:
    """The fine-tuning runs of a study, and a sentence for each damaged record, which is left out."""
    runs, damaged = [], []
    for path in files_in(folder, "finetuned", "*.json"):
        try:
            run = read_record(path, FineTuned, largest=_LARGEST_RUN)
            if run.key != path.stem:
                raise damaged_file(path, f"it is the record of another run, {run.key}", REMEDY)
            runs.append(run)
        except StudyError as error:
            damaged.append(str(error))
    return runs, damaged
