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
from legr.study.supernets import SupernetRun
from legr.study.trained import chosen_network


@with_options
def export(study: StudyPath, request: ExportRequest, json: Json = False, job: JobId = None) -> None:
    """Write the network at a budget as ONNX and safetensors, checked, with all that a program needs, in one zip."""
    from legr.commands.export import export as run_export
    from legr.commands.network import require_network

    opened = Study.open(study)
    request = replace(request, out=Path(os.path.abspath(request.out)))  # links are not followed yet
    if not (job or request.network or request.run):
        request = _pinned(opened, request)

    def finished() -> ExportResult | None:
        _ = request.images  # what is out of range is said at once
        chosen_network(opened, request.budget, request.ranking, run=request.run)  # and so is what is missing
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
    ranking = request.ranking or study.default_ranking
    chosen = chosen_network(study, request.budget, ranking, trained=request.finetuned, height=request.size)
    if chosen.run is None:
        return replace(request, network=keep_id(chosen.keep), finetuned=False)
    network = keep_id(chosen.keep) if isinstance(chosen.run, SupernetRun) else None
    return replace(request, run=chosen.run.key, ranking=ranking, network=network)
