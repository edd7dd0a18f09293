"""A study on a page: its name, and notes on what its networks and weights are subject to."""

import streamlit as st

from app.facts import facts_of, title_of
from app.widgets.page import show_warning
from app.widgets.status import status_bar
from app.words import plain
from legr.study.left_out import left_out_line
from legr.study.store import Study


def heading(study: Study) -> None:
    """The study's name; its facts come with it where the pointer or the keyboard asks."""
    st.title(plain(title_of(study)), anchor=False, help=plain(" · ".join(facts_of(study))))
    show_doubts(study)


def show_doubts(study: Study) -> None:
    """What is doubtful about a study, in the status bar: its accuracy, and files that cannot be read."""
    damaged = left_out_line(study)
    if study.info.warning or damaged:
        with status_bar():
            if study.info.warning:
                show_warning(study.info.warning)
            if damaged:
                st.caption(plain(f"{damaged[:1].upper()}{damaged[1:]}."))


def constraints_note(study: Study) -> None:
    """Show the constraints on every network of a study; nothing where there are none."""
    words = study.constraints.words
    if words:
        st.caption(plain(f"Constraints: {words}."))


def optimism_note(study: Study) -> None:
    """Say that results on held-out images may be optimistic, where the weights may have been trained on them."""
    if study.info.weights_origin == "elsewhere":
        st.caption(
            "These weights were trained elsewhere and may have seen the held-out images: losses and "
            "accuracies on held-out images may be optimistic. Test accuracy is not affected."
        )
