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
from legr.requests.export import ExportRequest
from legr.study.store import Study, keep_id


@with_options
def export(study: StudyPath, request: ExportRequest, json: Json = False, job: JobId = None) -> None:
    """Write the network at a budget as ONNX and safetensors, checked, with all that a program needs, in one zip."""
    from legr.commands.export import export as run_export
    from legr.commands.network import network_of_run, require_network

    opened = Study.open(study)
    request = replace(request, out=Path(os.path.abspath(request.out)))  # links are not followed yet
    if not (job or request.network or request.run):
        request = _pinned(opened, request)

    def finished() -> ExportResult | None:
        _ = request.images  # what is out of range is said at once
        if request.run:
            network_of_run(opened, request.run)  # and so is what is missing
        else:
            opened.curve(request.ranking, request.budget).step(request.budget)  # and a budget below the floor
        require_network(opened, request.budget, request.ranking, request.network)
        keeps_records = is_writable(opened) and not opened.info.sample
        return None if keeps_records else work(terminal.Echo())

    def work(report: Report) -> ExportResult:
        require_network(opened, request.budget, request.ranking, request.network)
        return run_export(opened, request, report)

    result = as_job(opened, request, "cpu", job, finished, work)
    terminal.result(result, json, sentences.export(result))


def _pinned(study: Study, request: ExportRequest) -> ExportRequest:
    """The request for exactly the network and the weights that it leads to now: it may wait for other jobs."""
    keep = study.curve(request.ranking, request.budget).at(request.budget)
    run = study.best_finetuned(keep) if request.finetuned else None
    if run is not None:
        return replace(request, run=run.key, ranking=request.ranking or study.default_ranking)
    return replace(request, network=keep_id(keep), finetuned=False)
