"""Studies: open one, or make a new one."""

from pathlib import Path

import streamlit as st

from app import state
from app.views.new_study import new_study_form
from app.views.study_card import NAME, NEWEST, in_order, show_cards
from app.widgets.page import run_page
from app.words import plain
from legr.study.catalog import SAMPLES, list_studies, studies_folder


def page() -> None:
    st.title("Studies", anchor=False)
    st.caption("A study is one network with its weights and images, and everything learned and measured about it.")
    st.header("Samples", anchor=False)
    show_list(list_studies(SAMPLES), "This installation has no samples.")
    own = list_studies(studies_folder())
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header("Your studies", anchor=False, width="content")
        order = choose_order() if len(own) > 1 else NEWEST
    show_list(in_order(own, order), "None yet: make one below, or change a sample, which makes a copy here.")
    st.header("New study", anchor=False)
    new_study_form(open_study)


def choose_order() -> str:
    return st.segmented_control(
        "Sort by", (NEWEST, NAME), default=NEWEST, required=True, key="order", label_visibility="collapsed"
    )


def show_list(paths: list[Path], if_empty: str) -> None:
    if paths:
        show_cards(paths, open_study)
    else:
        st.caption(plain(if_empty))


def open_study(name: str) -> None:
    state.choose(name)
    st.switch_page("pages/explore.py", query_params={"study": name})


run_page(page, "pages/studies.py")
