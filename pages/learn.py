"""Learn: search for the map that ranks all filters of the network, in the background."""

import streamlit as st

from app.views.job_panel import job_panel, launch, show_other_jobs
from app.views.search import search_form, show_learned, show_search
from app.widgets.images import data_notice
from app.widgets.page import require_study, run_page
from app.widgets.study import heading, optimism_note
from legr.jobs import records


def page() -> None:
    study = require_study()
    heading(study)
    st.write(
        "The search finds one factor (alpha) and one offset (kappa) for each layer that make the norms of filters "
        "comparable across the whole network. It runs once: afterwards a budget only decides how far down the same "
        "ranking filters are removed, so any budget is pruned at once."
    )
    available = data_notice(study)
    show_other_jobs(study, "measure", "finetune", "export", "compare")
    job = records.latest(study, "learn")
    job_panel(study, "learn", draw=lambda current: show_search(study, current))
    if not (job and job.active):
        request = search_form(study, available)
        if request is not None:
            launch(study, request)
        if study.learned:
            show_learned(study, study.learned)
    optimism_note(study)


run_page(page, "pages/learn.py")
