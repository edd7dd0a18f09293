"""Studies: open one, or make a new one.

It does not know what a study computes.
"""

from pathlib import Path

import streamlit as st

from app import state
from app.job_panel import work_lines
from app.new_study import new_study_form
from app.study_menu import study_menu
from app.widgets import plain, run_page, summary_line
from legr.errors import LegrError
from legr.study.places import SAMPLES, list_studies, studies_folder
from legr.study.shelf import note_of
from legr.study.store import Study


def page() -> None:
    st.title("Studies", anchor=False)
    st.caption("A study is one network with its weights and images, and all that is learned about it.")
    samples, own = list_studies(SAMPLES), list_studies(studies_folder())
    show_list("Samples", samples, "This copy of the program has come without samples.")
    show_list("Your studies", own, "None yet. Make one below; a sample that you work on is copied here.")
    st.subheader("New study", anchor=False)
    new_study_form(open_study)


def show_list(title: str, paths: list[Path], nothing: str) -> None:
    st.subheader(title, anchor=False)
    if not paths:
        st.caption(nothing)
    known, open_name = state.known_studies(), state.open_name()
    for path in paths:
        with st.container(border=True):
            left, right = st.columns([8, 1], vertical_alignment="center")
            with left:
                describe(path)
                if known.get(path.name) == path:
                    study_menu(path)
            with right:
                if known.get(path.name) != path:
                    st.badge("Copied", color="gray", help="Your copy, below, is opened instead.")
                elif path.name == open_name:
                    st.badge("Open now", color="primary")
                elif st.button("Open", key=f"open-{path.name}", width="stretch"):
                    open_study(path.name)


def describe(path: Path) -> None:
    """Name and facts of a study; a damaged one says so and does no harm to the others."""
    try:
        study = Study.open(path)
        floor = state.curve(study, study.default_ranking).floor
        facts = f"{plain(summary_line(study))} · prunes down to {100 * floor:.1f} % of the MACs"
        facts += "".join(f"  \n{plain(line)}" for line in work_lines(study))
        note = note_of(study)
    except (LegrError, OSError) as error:
        facts, note = f":red[{plain(str(error))}]", ""
    st.markdown(f"**{plain(path.name)}**  \n:small[{facts}]")
    if note:
        st.text(note)


def open_study(name: str) -> None:
    state.choose(name)
    st.switch_page("pages/explore.py", query_params={"study": name})


run_page(page, "pages/studies.py")
