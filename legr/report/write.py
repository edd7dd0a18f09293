"""Write a report, or the table of all measured networks, into a file."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from legr.charts.cells import csv_of
from legr.charts.measurements import Measurements, measurements_of
from legr.charts.networks import networks_table
from legr.errors import SettingsError
from legr.files import in_words, write_text
from legr.held import shown
from legr.record import Record
from legr.report.headline import headline
from legr.report.network import network_of
from legr.report.page import page_of
from legr.requests.report import PointsRequest, ReportRequest, require_new_file
from legr.study.records import RankingName
from legr.study.store import Study


@dataclass(frozen=True)
class ReportResult(Record):
    """`report`: what the page says, in short."""

    report: str  # file
    bytes: int
    headline: str
    ranking: RankingName
    keep_id: str  # kept set
    run: str | None  # key of the fine-tuning run whose weights it has; None: those of the original
    macs_fraction: float  # of the original's
    top1: float | None  # in [0, 1]; None: neither measured nor between two measured networks, as all that follow
    top1_measured: bool  # at this very network
    top1_original: float | None
    latency_ms: float | None
    latency_measured: bool
    latency_ms_original: float | None
    height: int | None = None  # of the images that it takes, pixels; None: the study's own


@dataclass(frozen=True)
class PointsResult(Record):
    """`points`: the table of all measured networks."""

    table: str  # file
    rows: int  # one a network and condition


def write_report(study: Study, request: ReportRequest, made: datetime) -> ReportResult:
    """Write the report on the network of a budget.

    Args:
        made: the date that the page shows.

    Raises:
        BudgetError: the budget is below the floor.
        SettingsError: the file is there already or cannot be written, nothing was timed on that device, or nothing
            was measured with images of that height.
        StudyError: the study is damaged, or has not learned the ranking that is asked for.
    """
    require_new_file(request.out, replace=request.replace)
    network = network_of(
        study, request.budget, request.ranking, run=request.run, device=request.device, height=request.size
    )
    _require_device(network.measured, request.device)
    page = page_of(network, made)
    _write(request.out, page)
    top1, latency = network.top1, network.latency
    return ReportResult(
        report=shown(str(request.out)),
        bytes=len(page.encode()),
        headline=headline(network),
        ranking=network.ranking,
        keep_id=network.keep_id,
        run=network.run.key if network.run else None,
        macs_fraction=network.macs_fraction,
        top1=top1.value if top1 else None,
        top1_measured=bool(top1 and top1.measured),
        top1_original=network.original_top1,
        latency_ms=latency.value if latency else None,
        latency_measured=bool(latency and latency.measured),
        latency_ms_original=network.original_ms,
        height=network.height,
    )


def _require_device(measured: Measurements, name: str) -> None:
    names = list(measured.devices)
    if name and name not in names:
        rule = f"must be one of {'; '.join(map(repr, names))}" if names else "is for studies with a measured latency"
        raise SettingsError(f"--device {rule}, got {name!r}")


def write_points(study: Study, request: PointsRequest) -> PointsResult:
    """Write every measured network of a study as CSV; errors as for `write_report`."""
    require_new_file(request.out, replace=request.replace)
    curves = {name: study.curve(name) for name in study.rankings}
    table = networks_table(study, measurements_of(study, curves.__getitem__))
    _write(request.out, csv_of(table))
    return PointsResult(shown(str(request.out)), len(table))


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be written: {in_words(error)}") from error
