"""Learn: search for the map that ranks all filters of the network, in the background."""

from contextlib import AbstractContextManager
from typing import Any

import streamlit as st

from app.views.job_panel import job_panel, launch, show_other_jobs
from app.views.learned import chosen_map, show_learned, show_search
from app.views.search import search_form
from app.widgets.images import data_notice
from app.widgets.page import require_study, run_page
from app.widgets.study import heading, optimism_note
from legr.jobs import records
from legr.jobs.records import Job


def page() -> None:
    study = require_study()
    heading(study)
    st.write(
        "Learning finds which filters of the whole network matter least. It runs once, in the background; afterwards "
        "the network is pruned to any budget at once."
    )
    available = data_notice(study)
    show_other_jobs(study, "measure", "finetune", "supernet", "export", "compare", "classes", "profile")
    job = records.latest(study, "learn")
    job_panel(study, "learn", draw=lambda current: show_search(study, current))
    is_searching = bool(job and job.active)
    if not is_searching:
        with form_place(job):
            request = search_form(study, available)
        if request is not None:
            launch(study, request)
    if learned := chosen_map(study):
        show_learned(study, learned, is_searching=is_searching)
    elif not is_searching:
        st.caption("Nothing is learned yet: until then, filters are ranked by their plain norms.")
    optimism_note(study)


def form_place(job: Job | None) -> AbstractContextManager[Any]:
    """Where the settings stand: closed where a search can be resumed, so that one button goes on."""
    return st.expander("Search with other settings") if job and job.resumable else st.container()


run_page(page, "pages/learn.py")
