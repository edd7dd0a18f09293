"""See it: what the original and a pruned network predict, for one image and for all test images."""

import streamlit as st

from app.budget_dial.view import begin_dial, choose_ranking, show_dial
from app.curves import budget_of
from app.views.comparison import show_all_images, stored_comparison
from app.views.job_panel import show_other_jobs
from app.views.one_image import show_one_image
from app.views.selected_network import select_network
from app.widgets.images import data_notice
from app.widgets.page import require_study, run_page
from app.widgets.study import heading


def page() -> None:
    study = require_study()
    heading(study)
    available = data_notice(study)
    show_other_jobs(study, "learn", "measure", "finetune", "export")
    begin_dial()
    ranking = choose_ranking(study)
    budget = budget_of(show_dial(study, ranking, charts=False))
    selected = select_network(study, ranking, budget)
    comparison, error = stored_comparison(selected)
    above = st.container()
    show_all_images(selected, comparison, error, available)  # first, as predictions for one image take seconds
    with above:
        show_one_image(selected, comparison, available)


run_page(page, "pages/see.py")
