"""What a study holds that is damaged, and therefore hidden: single points, runs, comparisons. No torch."""

from contextlib import suppress

from legr.errors import StudyError
from legr.study.along import damaged_along
from legr.study.comparison import damaged_comparisons
from legr.study.heights import HEIGHTS_FILE, read_heights
from legr.study.measured import POINTS, read_points, read_runs
from legr.study.scaled import SCALED, read_scaled
from legr.study.store import Study
from legr.study.supernets import read_supernets

_NAMED = 2  # in a line


def left_out(study: Study) -> list[str]:
    """A sentence for each damaged record; a file of a newer version is said by whoever needs it."""
    damaged: list[str] = []
    with suppress(StudyError):
        damaged += read_points(study.within(POINTS).parent)[1]
    with suppress(StudyError):
        damaged += read_scaled(study.within(SCALED).parent)[1]
    with suppress(StudyError):
        damaged += read_heights(study.within(HEIGHTS_FILE).parent)[1]
    runs = [*read_runs(study.folder)[1], *read_supernets(study.folder)[1]]
    return [*damaged, *runs, *damaged_comparisons(study), *damaged_along(study)]


def left_out_line(study: Study) -> str:
    """The same in one line; "" where nothing is damaged."""
    sentences = left_out(study)
    if not sentences:
        return ""
    more = f"; and {len(sentences) - _NAMED} more" if len(sentences) > _NAMED else ""
    return f"left out, as damaged: {'; '.join(sentences[:_NAMED])}{more}"
