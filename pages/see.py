"""See it: what the original and a pruned network answer, on one image and on all test images.

It does not know how networks are asked or compared.
"""

import streamlit as st

from app.budget_dial.view import begin_dial, choose_ranking, show_dial
from app.views.comparison import show_all, stored
from app.views.job_panel import others_at_work
from app.views.one_image import show_one
from app.views.selected_network import select_network
from app.widgets.images import data_notice
from app.widgets.page import require_study, run_page
from app.widgets.study import heading


def page() -> None:
    study = require_study()
    heading(study)
    available = data_notice(study)
    others_at_work(study, "learn", "measure", "finetune", "export")
    begin_dial()
    ranking = choose_ranking(study)
    budget = show_dial(study, ranking, charts=False)
    shown = select_network(study, ranking, budget)
    comparison, problem = stored(shown)
    above = st.container()
    show_all(shown, comparison, problem, available)  # first, as the networks take seconds to answer
    with above:
        show_one(shown, comparison, available)


run_page(page, "pages/see.py")
