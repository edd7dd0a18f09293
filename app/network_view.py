"""What was done with one network on the page Fine-tune & export: its training, the finished runs, the export.

It does not know how a network is trained or written.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from app.charts import PLAIN, training_figure, training_info
from app.widgets import option, plain
from legr.jobs.records import Job
from legr.progress import duration
from legr.study.records import FineTuned
from legr.study.store import Study


def show_training(study: Study, job: Job) -> None:
    """What is trained, and its curves; of a finished run, all of them, however often it was resumed."""
    st.caption(plain(f"{_budget(job)}, {option(job, '--epochs', '?')} epochs{_distilled(job)}."))
    key = Path(str(job.result.get("weights", ""))).stem
    finished = next((run for run in study.finetuned if run.key == key), None)
    info = training_info(finished.curve if finished else job.history)
    if len(info):
        epochs = job.total if job.stage == "epoch" else int(info["epoch"].max())
        alt = "Training loss and held-out accuracy after each epoch."
        st.plotly_chart(training_figure(info, epochs), key="training", config=PLAIN, alt=alt)


def runs_info(runs: Sequence[FineTuned]) -> pd.DataFrame:
    """Finished runs, newest first, as people read them."""
    rows = [
        (
            100 * run.macs_fraction,
            100 * run.top1_before,
            100 * run.top1,
            100 * run.heldout_top1,
            run.epochs,
            "yes" if run.settings.get("distill") else "no",
            duration(run.seconds),
            run.created[:16].replace("T", " "),
        )
        for run in reversed(runs)
    ]
    names = ["MACs, %", "Top-1 before, %", "Top-1 after, %", "Held-out, %", "Epochs", "Distilled", "Time"]
    return pd.DataFrame(rows, columns=[*names, "Finished (UTC)"])


def show_runs(runs: Sequence[FineTuned]) -> None:
    """The table of finished runs."""
    if not runs:
        return
    st.subheader("Fine-tuned networks", anchor=False)
    table = runs_info(runs)
    two_places = {name: st.column_config.NumberColumn(format="%.2f") for name in table.columns if name.endswith("%")}
    st.dataframe(table, hide_index=True, column_config=two_places, alt="Every finished fine-tuning run.")


def show_export(study: Study, job: Job) -> None:
    """What was exported, how it was checked, and the zip."""
    if job.state != "done":
        return
    result = job.result
    weights = "its fine-tuned weights" if result.get("finetuned") else "its weights as pruned, not fine-tuned"
    st.success(plain(f"{_budget(job)}: exported with {weights}. {checks_line(job)}"))
    archive = Path(str(result.get("zip", "")))
    if archive.is_file() and archive.resolve().is_relative_to(study.path.resolve()):  # nothing else is handed out
        st.download_button(
            "Download the zip",
            archive.read_bytes,
            f"{study.path.name}-{archive.name}",
            "application/zip",
            on_click="ignore",
            type="primary",
        )
    else:
        st.caption("The zip is not in this study: export again.")


def checks_line(job: Job) -> str:
    """What the check in ONNX Runtime found, in one sentence."""
    result = job.result
    if result.get("max_abs_diff") is None:
        return ""
    inputs = f"{result['images']:,} inputs" if "images" in result else "the test images"
    if result.get("checked_on") == "noise":
        inputs += " of noise, as the images are not here"
    return (
        f"Checked in ONNX Runtime: largest difference to PyTorch {result['max_abs_diff']:.1e}, "
        f"same top-1 answer on {100 * result['top1_agreement']:.2f} % of {inputs}."
    )


def _budget(job: Job) -> str:
    return f"{100 * float(option(job, '--macs', 1.0)):g} % of the MACs"


def _distilled(job: Job) -> str:
    return "" if "--no-distill" in job.arguments else ", learning from the original"
