"""The command export."""

from pathlib import Path
from typing import Annotated, Any

import typer

from legr.arguments import arguments_of
from legr.cli import terminal
from legr.cli.jobs import as_job
from legr.cli.options import (
    JobId,
    Json,
    NetworkId,
    StudyPath,
    required,
    takes_budget,
)
from legr.progress import Report
from legr.ranking.limits import Budget
from legr.study.store import Study


@takes_budget
def export(
    study: StudyPath,
    budget: Budget | None,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    json: Json = False,
    job: JobId = None,
    network: NetworkId = None,
) -> None:
    """Write the network at a budget as ONNX and safetensors, checked, in one zip."""
    from legr.commands.export import export as run_export
    from legr.commands.network import network_id, require_network

    asked, opened, folder = required(budget, "export"), Study.open(study), out.resolve()

    def known() -> dict[str, Any] | None:
        opened.curve().step(asked)  # a budget below the floor is said at once
        require_network(opened, asked, None, network)
        return work(terminal.Echo()) if opened.info.sample else None  # a sample keeps no record of jobs

    def work(report: Report) -> dict[str, Any]:
        require_network(opened, asked, None, network)
        return run_export(opened, asked, folder, report)

    network = network if job or network else network_id(opened, asked)
    arguments = arguments_of({**dict(asked.limits()), "out": str(folder), "network": network})
    found = as_job(opened, "export", arguments, "cpu", job, known, work)
    terminal.result(
        found,
        json,
        f"{found['zip']}: same answer on {100 * found['top1_agreement']:.2f} % of {found['images']} inputs, "
        f"largest difference {found['max_abs_diff']:.1e}",
    )
