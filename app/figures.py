"""The figures of one budget: cost counted, accuracy and latency measured or read between measurements.

It does not know where on a page they stand.
"""

from dataclasses import dataclass

import streamlit as st

from app.frontier import Here
from app.measured import Conditions, Measurements, Reading
from app.widgets import DASH, FLOPS_NOTE, accuracy, change, count, metric, milliseconds, points_lost
from legr.ranking.budget import BudgetCurve
from legr.structure.types import Keep
from legr.study.records import FineTuned
from legr.study.store import Study


@dataclass(frozen=True)
class Figures:
    """What is known of the network of one budget, beside the original; None where it was not measured."""

    here: Here
    keep: Keep
    macs_original: int
    params_original: int
    latency: Reading | None
    latency_original: float | None
    before: Reading | None  # top-1 before fine-tuning, in [0, 1]
    after: FineTuned | None  # the best run of exactly this kept set
    top1_original: float | None


def read_figures(study: Study, curve: BudgetCurve, ranking: str, budget: float, measured: Measurements) -> Figures:
    """Collect the figures of a budget.

    Args:
        budget: fraction of the original's MACs, at least the curve's floor.
    """
    step = curve.step(macs=budget)
    keep = curve.keep(step)
    macs, params = int(curve.macs[step]), int(curve.params[step])
    latency, before = measured.latency_ms(ranking, macs), measured.top1(ranking, macs)
    original = measured.original
    here = Here(ranking, macs, params, latency.value if latency else None, before.value if before else None)
    return Figures(
        here=here,
        keep=keep,
        macs_original=curve.dense.macs,
        params_original=curve.dense.params,
        latency=latency,
        latency_original=measured.latency_of(original) if original else None,
        before=before,
        after=study.best_finetuned(keep),
        top1_original=original.top1 if original else None,
    )


def metrics_row(figures: Figures) -> None:
    """Five figures side by side, each with its difference to the original."""
    here, latency, before, after = figures.here, figures.latency, figures.before, figures.after
    dense = figures.top1_original
    with st.container(horizontal=True, key="figures"):
        metric(
            "MACs",
            count(here.macs),
            change(here.macs, figures.macs_original),
            less_is_better=True,
            help=FLOPS_NOTE,
        )
        metric(
            "Parameters",
            count(here.params),
            change(here.params, figures.params_original),
            less_is_better=True,
        )
        metric(
            "Latency",
            f"{milliseconds(latency.value)} ms" if latency else DASH,
            change(latency.value, figures.latency_original) if latency and figures.latency_original else None,
            less_is_better=True,
            help="Of one forward pass; measured, or read between two measured networks. Never estimated from MACs.",
        )
        metric(
            "Top-1 before fine-tuning",
            accuracy(before),
            points_lost(before.value, dense) if before and dense is not None else None,
            help="On the test images. ~: read between two measured networks of this ranking.",
        )
        metric(
            "Top-1 after fine-tuning",
            f"{100 * after.top1:.1f} %" if after else DASH,
            points_lost(after.top1, dense) if after and dense is not None else None,
            help="Of exactly this network. Fine-tune it on the page Fine-tune & export.",
        )


def sources_line(figures: Figures, conditions: Conditions | None) -> str:
    """Where latency and accuracy come from, in one line."""
    latency = _source(figures.latency)
    where = f" ({conditions})" if conditions and figures.latency else ""
    return f"Latency {latency}{where}. Accuracy {_source(figures.before)}. {FLOPS_NOTE}"


def _source(reading: Reading | None) -> str:
    if reading is None:
        return "not measured"
    return "measured at this network" if reading.measured else "interpolated between measured networks"
