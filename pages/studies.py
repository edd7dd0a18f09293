"""Studies: open one, or make a new one."""

from pathlib import Path

import streamlit as st

from app import state
from app.views.new_study import new_study_form
from app.views.study_card import show_cards
from app.widgets.page import run_page
from app.words import plain
from legr.study.catalog import SAMPLES, list_studies, studies_folder


def page() -> None:
    st.title("Studies", anchor=False)
    st.caption("A study is one network with its weights and images, and everything learned and measured about it.")
    samples, own = list_studies(SAMPLES), list_studies(studies_folder())
    show_list("Samples", samples, "This installation has no samples.")
    show_list("Your studies", own, "None yet. Make one below. A sample is copied here once you change it.")
    st.header("New study", anchor=False)
    new_study_form(open_study)


def show_list(title: str, paths: list[Path], if_empty: str) -> None:
    st.header(plain(title), anchor=False)
    if paths:
        show_cards(paths, open_study)
    else:
        st.caption(plain(if_empty))


def open_study(name: str) -> None:
    state.choose(name)
    st.switch_page("pages/explore.py", query_params={"study": name})


run_page(page, "pages/studies.py")
