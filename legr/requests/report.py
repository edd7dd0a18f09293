"""The requests of commands that write what a study knows into a file for others."""

from dataclasses import MISSING, dataclass
from pathlib import Path

from legr.data.sizes import HEIGHTS
from legr.errors import SettingsError
from legr.ranking.limits import Budget
from legr.requests.options import Request, option
from legr.requests.shared import RANKING, RUN, SIZE, budget_option
from legr.study.records import RankingName

REPLACE = "Replace the file where there is one."


def require_new_file(path: Path, *, replace: bool) -> None:
    """Refuse a place that is no file, and a file that is there already.

    Args:
        replace: a file may be there.

    Raises:
        SettingsError: it is a folder, or there and not to be replaced.
    """
    if str(path) == "-" or path.is_dir():
        raise SettingsError(f"--out takes the name of a file, such as report.html, got {str(path)!r}")
    if path.exists() and not replace:
        raise SettingsError(f"there is a file {path.name} already; give --replace, or another --out")


@dataclass(frozen=True)
class ReportRequest(Request):
    """Which network a report is about, and where it goes."""

    command = "report"

    budget: Budget = budget_option()
    out: Path = option("File to write, .html.", MISSING)
    ranking: RankingName | None = option(RANKING)
    size: int | None = option(SIZE, bounds=HEIGHTS)
    replace: bool = option(REPLACE, False)
    run: str | None = option(RUN, hidden=True)
    device: str = option("Name of the device whose latencies are shown; by default that of most latencies.", "")


@dataclass(frozen=True)
class PointsRequest(Request):
    """Where the table of all measured networks goes."""

    command = "points"

    out: Path = option("File to write, .csv.", MISSING)
    replace: bool = option(REPLACE, False)
