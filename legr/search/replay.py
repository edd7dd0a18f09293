"""A search as it happened, read from its journal: also while another process writes it.

The file is neither mended nor locked.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from legr.ranking.types import Affine
from legr.search.journal import read_candidates
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
    return study.within("searches", f"{settings.key}.journal")


def newest_journal(study: Study, since: float) -> Path | None:
    """The journal that was written to last, if that was after a time (seconds since 1970): of a search at work."""
    files = [(file.stat().st_mtime, file) for file in study.files("searches", "*.journal")]
    return max(((time, file) for time, file in files if time >= since), default=(0.0, None))[1]


def frames(path: Path, n_layers: int | None = None) -> list[Frame]:
    """A frame for every candidate of a journal, in order; [] where there is no file or it is something else.

    A line that is not whole yet, or is none of a search, ends it.

    Args:
        n_layers: of the network; a journal of another one has no frames. None takes any.
    """
    result: list[Frame] = []
    passes = seconds = 0.0
    with suppress(OSError, ValueError):
        for candidate in read_candidates(path):
            if n_layers not in (None, len(candidate.affine.alpha)):
                return []
            passes, seconds = passes + candidate.passes, seconds + candidate.seconds
            value = None if candidate.stopped else candidate.value
            if not result or (value is not None and value < result[-1].best):
                best, affine = candidate.value, candidate.affine
            else:
                best, affine = result[-1].best, result[-1].affine
            result.append(Frame(len(result), passes, seconds, value, best, affine))
    return result
