"""Commands that write what a study knows for others: report, points."""

from datetime import UTC, datetime

from legr.cli import sentences, terminal
from legr.cli.options import Json, StudyPath, with_options
from legr.requests.report import PointsRequest, ReportRequest
from legr.study.store import Study


@with_options
def report(study: StudyPath, request: ReportRequest, json: Json = False) -> None:
    """Write a report on the network at a budget: one HTML page that needs no network, to hand on or to print."""
    from legr.report.write import write_report

    result = write_report(Study.open(study), request, datetime.now(UTC))
    terminal.result(result, json, sentences.report(result.report, result.headline))


@with_options
def points(study: StudyPath, request: PointsRequest, json: Json = False) -> None:
    """Write all measured networks as one table, .csv: a row for each network and each condition it was timed under."""
    from legr.report.write import write_points

    result = write_points(Study.open(study), request)
    terminal.result(result, json, sentences.points(result.table, result.rows))
