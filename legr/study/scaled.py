"""Networks that were measured with images of a height that was asked for: `scaled.json`.

A damaged point hides itself and no other. This module must not import torch.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from legr.files import write_json
from legr.record import Record
from legr.schema import Count, Name, Real, Several, Share
from legr.study.json_file import FORMAT, DamagedFileError, read_items
from legr.study.latency import Latency
from legr.study.provenance import UNKNOWN
from legr.study.records import Made, RankingName, Side
from legr.study.store import Study
from legr.study.supernets import supernet_of

SCALED = "scaled.json"


@dataclass(frozen=True)
class ScaledPoint(Record):
    """One network that was measured with images of one height.

    With images of the study's own height there are points of networks of supernets alone; the others are in
    `points.json`.
    """

    ranking: RankingName
    ranking_id: Name  # see `Study.ranking_id`
    keep_id: Name
    height: Side  # of the images
    supernet: Name  # key of the one whose weights it has; "": those of the original, pruned
    macs: Count  # for one image of this height
    params: Count
    macs_fraction: Share  # of the kept set, with images of the study's own height: the budget that leads to it
    top1: Share  # on test images
    loss: Real | None  # None: an output is NaN or infinite
    images: Count
    recalibrated: bool
    calibration: Name  # key of what batch norms are recalibrated on
    latency: Latency
    created: Name = ""
    provenance: Made = UNKNOWN

    @property
    def identity(self) -> tuple[object, ...]:
        """What it is a figure of: of two points with the same, the later one counts."""
        network = self.ranking, self.ranking_id, self.keep_id, self.height, self.supernet
        return *network, self.calibration, self.latency.conditions


@dataclass(frozen=True)
class _Stored(Record):
    points: Several[ScaledPoint]


def read_scaled(folder: Path) -> tuple[list[ScaledPoint], list[str]]:
    """The points of a study, and a sentence for each damaged one, which is left out, or for the whole file.

    Raises:
        StudyError: a newer version wrote it.
    """
    path = folder / SCALED
    if not path.exists():
        return [], []
    try:
        stored, damaged = read_items(path, _Stored, "points")
    except DamagedFileError as error:
        return [], [str(error)]
    return list(stored.points), damaged


def add_scaled(study: Study, points: Sequence[ScaledPoint]) -> None:
    """Store points; others of the same identity are replaced. A file that is damaged is kept beside it.

    Raises:
        StudyError: the study is a sample.
    """
    study.require_writable()
    with study.lock("scaled"):
        path = study.within(SCALED)
        before, damaged = read_scaled(path.parent)
        if damaged:
            shutil.copyfile(path, path.with_name(f"{SCALED}.damaged"))
        new = {point.identity for point in points}
        kept = [point for point in before if point.identity not in new]
        write_json(path, {"format": FORMAT, "points": [point.to_dict() for point in (*kept, *points)]})


def drop_scaled(study: Study, supernet: str) -> None:
    """Remove the points of networks with the weights of a supernet, by its key."""
    study.require_writable()
    with study.lock("scaled"):
        path = study.within(SCALED)
        before, damaged = read_scaled(path.parent)
        kept = [point for point in before if point.supernet != supernet]
        if len(kept) == len(before):
            return
        if damaged:
            shutil.copyfile(path, path.with_name(f"{SCALED}.damaged"))
        write_json(path, {"format": FORMAT, "points": [point.to_dict() for point in kept]})


def scaled_points(study: Study) -> list[ScaledPoint]:
    """The points of the rankings, supernets and recalibration of today, oldest first; damaged ones are left out."""
    points = read_scaled(study.within(SCALED).parent)[0]
    names = {point.ranking for point in points} & set(study.rankings)
    today = {name: (study.ranking_id(name), _weights(study, name)) for name in names}
    return [point for point in points if _is_of_today(point, today) and point.calibration == study.calibration.key]


def _weights(study: Study, ranking: RankingName) -> tuple[str, ...]:
    supernet = supernet_of(study, ranking)
    return ("", supernet.key) if supernet else ("",)


def _is_of_today(point: ScaledPoint, today: Mapping[RankingName, tuple[str, tuple[str, ...]]]) -> bool:
    ranking_id, weights = today.get(point.ranking, ("", ()))
    return point.ranking_id == ranking_id and point.supernet in weights
