"""The command export."""

from dataclasses import replace
from typing import Any

from legr.cli import terminal
from legr.cli.jobs import as_job
from legr.cli.options import JobId, Json, StudyPath, with_options
from legr.progress import Report
from legr.requests.types import ExportRequest
from legr.study.store import Study


@with_options
def export(study: StudyPath, request: ExportRequest, json: Json = False, job: JobId = None) -> None:
    """Write the network at a budget as ONNX and safetensors, checked, in one zip."""
    from legr.commands.export import export as run_export
    from legr.commands.network import network_id, require_network

    opened = Study.open(study)
    request = replace(request, out=request.out.resolve())
    if not (job or request.network):
        request = replace(request, network=network_id(opened, request.budget))

    def finished() -> dict[str, Any] | None:
        opened.curve().step(request.budget)  # a budget below the floor is said at once
        require_network(opened, request.budget, None, request.network)
        return work(terminal.Echo()) if opened.info.sample else None  # a sample keeps no record of jobs

    def work(report: Report) -> dict[str, Any]:
        require_network(opened, request.budget, None, request.network)
        return run_export(opened, request.budget, request.out, report)

    found = as_job(opened, request, "cpu", job, finished, work)
    terminal.result(
        found,
        json,
        f"{found['zip']}: same answer on {100 * found['top1_agreement']:.2f} % of {found['images']} inputs, "
        f"largest difference {found['max_abs_diff']:.1e}",
    )
