"""Fine-tune & export: recover accuracy at the chosen budget, and export the network."""

from dataclasses import replace

import streamlit as st

from app import state
from app.budget_dial.opened import OpenedRun, opened_network
from app.budget_dial.view import begin_dial, chosen_ranking, show_dial
from app.curves import budget_of, network_id
from app.facts import network_name
from app.views.export import ExportTarget, show_exports, weights_line
from app.views.export_options import choose_export_options
from app.views.finetune import expectation, original_line, show_runs, show_training, start_line, training_form
from app.views.job_panel import job_panel, launch, show_other_jobs
from app.views.lineage import show_lineage
from app.views.supernet import show_supernet_training, show_supernets, supernet_expectation, supernet_form
from app.widgets.images import NO_IMAGES, data_notice
from app.widgets.page import guarded, place, require_study, run_page
from app.widgets.study import optimism_note, show_doubts
from app.widgets.welcome import show_help
from app.words import plain
from legr.jobs import records
from legr.study.records import RankingName
from legr.study.store import Study


def page() -> None:
    study = require_study(with_view=True)
    show_help(study)
    show_doubts(study)
    show_other_jobs(study, "learn", "measure", "compare", "classes", "profile")
    begin_dial()
    ranking = chosen_ranking(study)
    budget = show_dial(study, ranking, charts=False)
    with place():
        available = data_notice(study)
    opened = opened_network(study)
    left, right = st.columns(2, gap="large")
    with left:
        finetune(study, ranking, budget, opened, available)
        train_every_budget(study, ranking, available)
    with right:
        export(study, ranking, budget, opened)
    show_lineage(study)
    show_runs(study, ranking)
    optimism_note(study)


def finetune(study: Study, ranking: RankingName, budget: float, opened: OpenedRun | None, available: bool) -> None:
    st.header("Fine-tune", anchor=False)
    job = records.latest(study, "finetune")
    if opened:
        st.caption(plain(f"{opened.name[:1].upper()}{opened.name[1:]} is open, and is fine-tuned already."))
    elif not (job and job.active):
        limit = budget_of(budget)
        request = training_form(limit)
        label, reason = plain(f"Fine-tune at {network_name(study, limit, ranking)}"), None if available else NO_IMAGES
        if st.button(label, type="primary", key="finetune", disabled=not available, help=reason):
            launch(study, replace(request, ranking=ranking, network=network_id(study, ranking, limit)))
        if available:
            begins = start_line(study, ranking, limit, request.recipe)
            takes = expectation(study, ranking, limit, request.settings)
            st.caption(plain(f"{begins}{takes} {original_line(study, request.settings)}".strip()))
    job_panel(study, "finetune", draw=lambda current: show_training(study, current))


def train_every_budget(study: Study, ranking: RankingName, available: bool) -> None:
    st.header("Train every budget", anchor=False)
    show_supernets(study, ranking)
    job = records.latest(study, "supernet")
    if not (job and job.active):
        st.caption("One training for the networks of all budgets: afterwards each of them can be exported at once.")
        request = supernet_form(study.info.input_shape[1])
        reason = None if available else NO_IMAGES
        if st.button("Train every budget", key="supernet", disabled=not available, help=reason):
            launch(study, replace(request, ranking=ranking))
        if available:
            st.caption(plain(supernet_expectation(study, request.settings)))
    job_panel(study, "supernet", draw=lambda current: show_supernet_training(study, current))


def export(study: Study, ranking: RankingName, budget: float, opened: OpenedRun | None) -> None:
    st.header("Export", anchor=False)
    st.caption(
        "One zip: ONNX (checked in ONNX Runtime) with its classes and a short program that feeds it a picture, and "
        "safetensors with a recipe that rebuilds the network in PyTorch."
    )
    target = ExportTarget.on_screen(study, ranking, budget_of(budget), opened)
    options = choose_export_options(target.size)
    job = records.latest(study, "export")
    if not (job and job.active):
        if st.button(plain(f"Export {'' if target.opened else 'at '}{target.name}"), key="export"):
            with guarded():
                own = state.own_copy(study)
                launch(own, target.request(own, options))
        st.caption(plain(weights_line(target)))
    job_panel(study, "export")
    show_exports(target, options)


run_page(page, "pages/finetune.py")
