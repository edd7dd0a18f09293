"""What is done with a study as a whole, under its name: rename, duplicate, note, delete.

It does not know what a study holds.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import state
from app.widgets.page import show_error
from legr.errors import LegrError, StudyError
from legr.jobs import records
from legr.study.catalog import LONGEST_NOTE, delete, duplicate, note_of, rename, save_note, studies_folder
from legr.study.store import Study


def study_menu(path: Path) -> None:
    """Buttons below a study; of a sample, only what leaves it as it is. A damaged one has none."""
    try:
        study = Study.open(path)
    except LegrError:
        return
    name, own = path.name, not study.info.sample
    with st.container(horizontal=True, gap="small"):
        with st.popover("Duplicate", type="tertiary", key=f"duplicate:{name}"):
            _form(name, "Duplicate", lambda new: _duplicate(study, new))
        if not own:
            return
        with st.popover("Rename", type="tertiary", key=f"rename:{name}"):
            _form(name, "Rename", lambda new: _rename(study, new))
        with st.popover("Note", type="tertiary", key=f"noting:{name}"):
            text = st.text_area("What is this study about?", note_of(study), max_chars=LONGEST_NOTE, key=f"note:{name}")
            if st.button("Keep", key=f"keep:{name}"):
                _do(lambda: save_note(study, text))
        with st.popover("Delete", type="tertiary", key=f"deleting:{name}"):
            st.write("The study goes for good, with all that was learned, fine-tuned and exported in it.")
            if st.button(f"Delete {name}", type="primary", key=f"delete:{name}"):
                _do(lambda: _delete(study))


def _form(name: str, label: str, act: Callable[[str], object]) -> None:
    with st.form(f"{label}:{name}", border=False):
        new = st.text_input("New name", f"{name}-2", max_chars=60, key=f"{label}:{name}:name")
        if st.form_submit_button(label):
            _do(lambda: act(new))


def _do(act: Callable[[], object]) -> None:
    """Do it and draw the page anew; what cannot be done is said here."""
    try:
        act()
    except (LegrError, OSError) as error:
        show_error(str(error))
        return
    st.rerun()


def _duplicate(study: Study, name: str) -> None:
    _require(study, name)
    duplicate(study, name, studies_folder())


def _rename(study: Study, name: str) -> None:
    _require(study, name)
    was_open = state.open_name() == study.path.name
    renamed = rename(study, name)
    records.update_paths(renamed, study.path)
    if was_open:
        state.choose(renamed.path.name)


def _delete(study: Study) -> None:
    _require(study)
    delete(study)
    if state.open_name() == study.path.name:
        state.forget()


def _require(study: Study, name: str = "") -> None:
    """Refuse while a job writes into the study, and a name that a sample has."""
    if any(job.active for job in records.list_jobs(study)):
        raise StudyError(f"a job of {study.path.name} is at work; cancel it or wait for its end")
    if name.strip() in state.known_studies():
        raise StudyError(f"there is a study {name.strip()} already; choose another name")
