"""See it: what pruned networks predict, beside the original or the held one: one image, all, or along the slider."""

import streamlit as st

from app.budget_dial.image_sizes import chosen_height
from app.budget_dial.opened import opened_network
from app.budget_dial.view import begin_dial, chosen_ranking, show_dial
from app.curves import budget_of
from app.views.along import show_along
from app.views.comparison import show_all_images
from app.views.job_panel import show_other_jobs
from app.views.one_image import show_one_image
from app.views.selected_network import (
    choose_images,
    compared_with,
    images_chosen,
    select_network,
    stored_comparison,
)
from app.widgets.images import data_is_here, data_notice
from app.widgets.page import require_study, run_page
from app.widgets.study import show_doubts
from legr.study.heights import other_height


def page() -> None:
    study = require_study(with_view=True)
    show_doubts(study)
    show_other_jobs(study, "learn", "measure", "finetune", "supernet", "export", "profile")
    begin_dial()
    ranking = chosen_ranking(study)
    opened, along = opened_network(study), images_chosen() == "along"
    sized = opened is None and not along  # what is known along the slider, and a run, have the study's own images
    budget = budget_of(show_dial(study, ranking, charts=False, sized=sized, expected=False))
    height = other_height(study, chosen_height(study, ranking)) if sized else None
    with st.container(horizontal=True, vertical_alignment="center"):
        images = choose_images(study)
        chosen = None if images == "along" else select_network(study, ranking, budget, opened, height)
    if chosen is None:
        show_along(study, ranking)
        return
    selected, reference = chosen
    comparison, error = stored_comparison(selected)
    if images == "one":
        show_one_image(selected, reference, compared_with(reference, comparison), data_is_here(study))
    else:
        show_all_images(selected, reference, comparison, error, data_notice(study))


run_page(page, "pages/see.py")
