"""The command export."""

import os
from dataclasses import replace
from pathlib import Path

from legr.cli import sentences, terminal
from legr.cli.jobs import as_job
from legr.cli.open_study import is_writable
from legr.cli.options import JobId, Json, StudyPath, with_options
from legr.commands.results import ExportResult
from legr.progress import Report
from legr.requests.types import ExportRequest
from legr.study.store import Study


@with_options
def export(study: StudyPath, request: ExportRequest, json: Json = False, job: JobId = None) -> None:
    """Write the network at a budget as ONNX and safetensors, checked, in one zip."""
    from legr.commands.export import export as run_export
    from legr.commands.network import network_id, network_of_run, require_network

    opened = Study.open(study)
    request = replace(request, out=Path(os.path.abspath(request.out)))  # links are not followed yet
    if not (job or request.network or request.run):
        request = replace(request, network=network_id(opened, request.budget, request.ranking))

    def finished() -> ExportResult | None:
        if request.run:
            network_of_run(opened, request.run)  # what is missing is said at once
        else:
            opened.curve(request.ranking).step(request.budget)  # and so is a budget below the floor
        require_network(opened, request.budget, request.ranking, request.network)
        keeps_records = is_writable(opened) and not opened.info.sample
        return None if keeps_records else work(terminal.Echo())

    def work(report: Report) -> ExportResult:
        require_network(opened, request.budget, request.ranking, request.network)
        return run_export(opened, request.budget, request.out, report, request.run, request.ranking)

    result = as_job(opened, request, "cpu", job, finished, work)
    terminal.result(result, json, sentences.export(result))
