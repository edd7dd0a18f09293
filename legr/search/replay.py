"""A search as it happened, read from its journal without disturbing it: also while another process writes it.

It does not know how candidates are proposed or scored, and neither mends nor locks the file.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legr.ranking.types import Affine
from legr.study.records import SearchSettings
from legr.study.store import Study


@dataclass(frozen=True)
class Frame:
    """Where a search stood after one candidate."""

    candidate: int
    passes: float  # over the images, since the start
    seconds: float  # since the start
    value: float | None  # of this candidate; None where it was stopped before the end
    best: float  # so far
    affine: Affine  # map of the best so far


def journal_path(study: Study, settings: SearchSettings) -> Path:
    """Where the candidates of a search lie."""
    return study.path / "searches" / f"{settings.key}.journal"


def newest_journal(study: Study, since: float) -> Path | None:
    """The journal that was written to last, if that was after a time (seconds since 1970): of a search at work."""
    files = [(file.stat().st_mtime, file) for file in (study.path / "searches").glob("*.journal")]
    return max(((time, file) for time, file in files if time >= since), default=(0.0, None))[1]


def moments(path: Path) -> list[Frame]:
    """Every candidate of a journal, in order; [] where there is none. A line that is not whole yet ends it."""
    found: list[Frame] = []
    passes = seconds = 0.0
    for value, facts in _candidates(path):
        passes, seconds = passes + facts["passes"], seconds + facts["seconds"]
        known = None if facts["stopped"] else value
        better = not found or (known is not None and known < found[-1].best)
        best = value if better else found[-1].best
        affine = Affine.of(facts["alpha"], facts["kappa"]) if better else found[-1].affine
        found.append(Frame(len(found), passes, seconds, known, best, affine))
    return found


def _candidates(path: Path) -> Iterator[tuple[float, dict[str, Any]]]:
    if not path.exists():
        return
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            entry = json.loads(line)
            attributes = entry.get("user_attrs", {}) if line.endswith(b"\n") else {}
            if "candidate" in attributes:
                yield float(entry["value"]), attributes["candidate"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return
