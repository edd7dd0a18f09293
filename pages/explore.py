"""Explore: drag the budget, and see what every layer keeps and what the network costs."""

from dataclasses import replace

import streamlit as st

from app import state
from app.budget_dial.devices import own_profile, own_request
from app.budget_dial.image_sizes import measured_heights
from app.budget_dial.opened import OpenedRun, opened_network
from app.budget_dial.view import begin_dial, chosen_ranking, is_doubtful, show_dial
from app.curves import budget_curve, curve_table
from app.views.job_panel import job_panel, launch, show_other_jobs
from app.views.layers import offer_constraints, pin_layer, round_filters, show_layers
from app.views.report import download_networks, download_report
from app.widgets.images import NO_IMAGES, data_is_here, data_notice
from app.widgets.page import guarded, require_study, run_page
from app.widgets.status import status_bar
from app.widgets.study import optimism_note, show_doubts
from app.widgets.welcome import show_help
from app.words import plain
from legr.charts.cells import csv_of
from legr.escape import file_name
from legr.jobs import records
from legr.requests.measure import MeasureRequest
from legr.study.records import RankingName
from legr.study.store import Study


def page() -> None:
    study = require_study(with_view=True)
    show_help(study)
    show_doubts(study)
    show_other_jobs(study, "learn", "finetune", "supernet", "export", "compare", "classes")
    with status_bar():
        show_measuring(study)
        offer_constraints(study)
    begin_dial()
    explore(study)
    data_notice(study)
    optimism_note(study)


@st.fragment
@guarded()
def explore(study: Study) -> None:
    """What depends on the budget, as a fragment: letting go of the slider reruns this part only."""
    if state.has_moved(study):
        state.rerun()
    ranking = chosen_ranking(study)
    budget = show_dial(study, ranking, charts=True, sized=True, on_multiple=round_filters, on_pin=pin_layer)
    opened = opened_network(study)
    with st.container(horizontal=True):
        download_report(study, ranking, budget, opened)
        download_networks(study)
        download_curve(study, ranking)
        measure(study, budget, opened)
        profile(study)
    curve = budget_curve(study, ranking)
    show_layers(study, curve, opened.keep if opened else curve.at(macs=budget))


def download_curve(study: Study, ranking: RankingName) -> None:
    table = curve_table(study, ranking)
    st.download_button(
        "Download the curve (CSV)",
        lambda: csv_of(table),
        file_name(f"{study.path.name}-{ranking}.csv"),
        "text/csv",
        on_click="ignore",
        help=f"{len(table)} budgets, from the original to the floor: cost, and filters of each layer.",
    )


def measure(study: Study, budget: float, opened: OpenedRun | None) -> None:
    doubtful = is_doubtful(study)
    job = records.latest(study, "measure")
    available = data_is_here(study)
    blocked = not available or bool(job and job.active)
    about = "Accuracy and latency of all rankings at {}, timed in ONNX Runtime on 1 thread." if available else NO_IMAGES
    heights = measured_heights(study)
    about += f" Also with images of {', '.join(map(str, heights))} pixels." if available and heights else ""
    request = MeasureRequest(again=doubtful, sizes=heights or None)
    reason = "Its figures are those of its run: move the slider to measure a network of today's order."
    if st.button(
        "Measure this network",
        disabled=blocked or opened is not None,
        help=plain(reason if opened else about.format("this budget")),
    ):
        launch(study, replace(request, budgets=(float(f"{budget:.6g}"),)))
    label = "Measure the frontier again" if doubtful else "Measure the frontier"
    if st.button(label, disabled=blocked, help=plain(about.format("about a dozen budgets")), key="measure-all"):
        launch(study, request)


def profile(study: Study) -> None:
    """Offer to make the profile of this machine, where the study has none that tells the truth."""
    own = own_profile(study)
    if own is not None and not own.contended:
        return
    job = records.latest(study, "profile")
    again = "Profile this device again" if own else "Predict latency on this device"
    about = "Times every layer once, for 20 s to 2 min; then each budget has its milliseconds at once, by layer too."
    if st.button(f"{again} (about 1 min)", disabled=bool(job and job.active), help=about):
        launch(study, own_request(study))


def show_measuring(study: Study) -> None:
    """Show a measurement or a profile while it is active, or how it ended before it was done."""
    for kind in ("measure", "profile"):
        job = records.latest(study, kind)
        if job and job.state != "done":
            job_panel(study, kind, stays=False)


run_page(page, "pages/explore.py")
