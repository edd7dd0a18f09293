"""A finished export on a page: its weights, how it was checked, and the zip."""

from pathlib import Path

import streamlit as st

from app.curves import budget_curve
from app.words import plain
from legr.commands.results import ExportResult
from legr.escape import file_name
from legr.jobs.records import Job
from legr.ranking.limits import Budget
from legr.requests.types import ExportRequest
from legr.study.store import Study


def weights_line(study: Study, budget: Budget) -> str:
    """Which weights an export at a budget will have."""
    run = study.best_finetuned(budget_curve(study, study.default_ranking).at(budget))
    if run is None:
        return "The zip will hold the weights as pruned: nothing is fine-tuned at this budget yet."
    return f"The zip will hold the fine-tuned weights: {100 * run.top1:.2f} % top-1."


def show_export(study: Study, job: Job) -> None:
    """A finished export, and a button that downloads its zip; nothing while the job is not done."""
    if job.state != "done":
        return
    assert isinstance(job.request, ExportRequest)
    result = ExportResult.from_dict(job.result)
    weights = "its fine-tuned weights" if result.finetuned else "its weights as pruned, not fine-tuned"
    st.success(plain(f"{job.request.budget.words}: exported with {weights}. {check_line(result)}"))
    archive = Path(result.zip)
    if archive.is_file() and archive.resolve().is_relative_to(study.path.resolve()):  # no file from elsewhere
        st.download_button(
            "Download the zip",
            archive.read_bytes,
            file_name(f"{study.path.name}-{archive.name}"),
            "application/zip",
            on_click="ignore",
            type="primary",
        )
    else:
        st.caption("The zip is not in this study: export again.")


def check_line(result: ExportResult) -> str:
    """The result of the check in ONNX Runtime, in one sentence; "" where it was not checked."""
    if result.max_abs_diff is None:
        return ""
    inputs = "the test images" if result.images is None else f"{result.images:,} inputs"
    if result.checked_on == "noise":
        inputs += " of noise, as the images are not on this machine"
    return (
        f"Checked in ONNX Runtime: largest difference to PyTorch {result.max_abs_diff:.1e}, "
        f"same top-1 class on {100 * result.top1_agreement:.2f} % of {inputs}."
    )
