"""The supernets of a study, in `supernets/`: weights for every network of a ranking, and how good some of them are.

A damaged record hides itself and no other. This module must not import torch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationError, WrapValidator

from legr.errors import SettingsError, StudyError
from legr.files import write_json
from legr.record import Record
from legr.schema import MEGABYTE, Count, Name, Real, Several, Share
from legr.study.folder import files_in
from legr.study.json_file import FORMAT, REMEDY, damaged_file, read_record
from legr.study.provenance import UNKNOWN
from legr.study.records import Epoch, Key, Learned, Made, RankingName, Seconds, Side
from legr.study.store import Study
from legr.training.supernet_settings import SupernetSettings
from legr.words import plural

FOLDER, _LARGEST = "supernets", 16 * MEGABYTE


def _known(data: Any, build: Any) -> SupernetSettings | None:
    """Settings of a run; None where another version had others."""
    try:
        found: SupernetSettings = build(data)
    except (ValidationError, SettingsError):
        return None
    return found


@dataclass(frozen=True)
class SupernetPoint(Record):
    """One network of a supernet on the test images, without any further training."""

    keep_id: Name
    macs: Count  # with inputs of this side
    params: Count
    macs_fraction: Share  # of the kept set: of the original's MACs, both with inputs of the same side
    side: Side  # height of the inputs
    top1: Share
    loss: Real | None  # None: an output is NaN or infinite
    images: Count
    heldout_top1: Share | None = None  # None: not measured, as with other inputs than the own, and in earlier versions


@dataclass(frozen=True)
class SupernetRun(Record):
    """One finished training of a supernet; its weights, and statistics of the networks of its points, lie beside it."""

    key: Key  # file name without ending
    ranking: RankingName
    ranking_id: Name  # see `Study.ranking_id`; another one today means that it follows a former order
    smallest: Share  # fraction of MACs of its smallest network
    settings: Annotated[SupernetSettings | None, WrapValidator(_known)]  # None: of another version
    heldout_top1: Share  # mean of some of its networks
    epochs: Annotated[Count, Field(ge=1)]  # that were run
    seconds: Seconds
    calibration: Name  # key of what batch norms are recalibrated on
    points: Annotated[Several[SupernetPoint], Field(min_length=1)]  # of the largest first; its own height before others
    curve: Several[Epoch] = ()
    created: Name = ""
    provenance: Made = UNKNOWN
    relearned: Learned | None = None  # the map that its training ended with, where it learned the ranking again
    half: bool = False  # its weights were rounded to float16 before they were scored
    between: Several[SupernetPoint] = ()  # networks between those of its points, at random; () in earlier versions
    name: Name = ""  # that the user gave it; "": none

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, without a name that nobody gave it."""
        data = super().to_dict()
        return {key: value for key, value in data.items() if key != "name" or value}


@dataclass(frozen=True, slots=True)
class OffTheLine:
    """How far networks between the points of a supernet lie from the line between these.

    Attributes:
        networks: that were measured to know it.
        mean: of the distances, in top-1 of [0, 1].
        most: the largest of them.
    """

    networks: int
    mean: float
    most: float

    @property
    def words(self) -> str:
        """In points, such as "8 networks between them lay 0.14 points off the line, at most 0.40"."""
        return (
            f"{plural(self.networks, 'network')} between them lay {100 * self.mean:.2f} points off the line, "
            f"at most {100 * self.most:.2f}"
        )


def off_the_line(points: Iterable[SupernetPoint], between: Iterable[SupernetPoint]) -> OffTheLine | None:
    """How far networks lie from what is read between measured ones; None where none lies between two.

    Args:
        points: the measured ones, with inputs of one size.
        between: the others; those with inputs of another size are left out.
    """
    line = sorted(points, key=lambda point: point.macs)
    if not line:
        return None
    macs, top1s = [point.macs for point in line], [point.top1 for point in line]
    inside = [p for p in between if p.side == line[0].side and macs[0] < p.macs < macs[-1] and p.macs not in macs]
    distances = [abs(p.top1 - float(np.interp(p.macs, macs, top1s))) for p in inside]
    return OffTheLine(len(distances), sum(distances) / len(distances), max(distances)) if distances else None


def weights_path(study: Study, key: str) -> Path:
    """Where the weights of a supernet lie."""
    return study.within(FOLDER, f"{key}.safetensors")


def statistics_path(study: Study, key: str) -> Path:
    """Where the batch-norm statistics of the networks of its points lie."""
    return study.within(FOLDER, f"{key}-statistics.safetensors")


def statistics_name(keep: str, side: int, name: str) -> str:
    """Name of a tensor of statistics in the file of a supernet.

    Args:
        keep: name of the kept set.
        name: of the buffer in the network.
    """
    return f"{keep}@{side}/{name}"


def save_supernet(study: Study, run: SupernetRun) -> None:
    """Store the record of a supernet; its weights are there already."""
    study.require_writable()
    write_json(study.within(FOLDER, f"{run.key}.json"), {"format": FORMAT, **run.to_dict()})


def read_supernets(folder: Path) -> tuple[list[SupernetRun], list[str]]:
    """The supernets of a study whose weights are there, oldest first, and a sentence for each damaged record."""
    runs, damaged = [], []
    for path in files_in(folder, FOLDER, "*.json"):
        try:
            run = read_record(path, SupernetRun, largest=_LARGEST)
            if run.key != path.stem:
                raise damaged_file(path, f"it is the record of another run, {run.key}", REMEDY)
            if path.with_suffix(".safetensors").is_file():
                runs.append(run)
        except StudyError as error:
            damaged.append(str(error))
    return sorted(runs, key=lambda run: run.created), damaged


def supernets(study: Study) -> list[SupernetRun]:
    """The supernets of a study, oldest first; damaged records are left out."""
    return read_supernets(study.folder)[0]


def supernet_run(study: Study, key: str) -> SupernetRun | None:
    """The supernet of a key, or None."""
    return next((run for run in supernets(study) if run.key == key), None)


def supernet_of(study: Study, ranking: RankingName) -> SupernetRun | None:
    """The best supernet of a ranking as it is now, on held-out images; None where it has none."""
    ranking_id = study.ranking_id(ranking)
    runs = (run for run in supernets(study) if (run.ranking, run.ranking_id) == (ranking, ranking_id))
    return max(runs, key=lambda run: run.heldout_top1, default=None)


def smallest_macs(run: SupernetRun, whole: int) -> int:
    """MACs of the smallest network that a supernet has trained.

    Args:
        run: without points it is one of which no network is known; it says where it ends itself then.
        whole: MACs of the original.
    """
    return round(min((point.macs_fraction for point in run.points), default=run.smallest) * whole)


def points_by_network(run: SupernetRun, side: int) -> Mapping[str, SupernetPoint]:
    """Its points for inputs of one side, by kept set."""
    return {point.keep_id: point for point in run.points if point.side == side}
