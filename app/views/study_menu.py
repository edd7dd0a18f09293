"""Buttons that duplicate, rename, annotate or delete a study."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import state
from app.widgets.page import show_error
from app.words import plain
from legr.errors import LegrError, StudyError
from legr.jobs import records
from legr.study.catalog import LONGEST_NOTE, delete, duplicate, note_of, rename, save_note, studies_folder
from legr.study.store import Study


def study_menu(path: Path) -> None:
    """The buttons of a study; of a sample only Duplicate, of a damaged study none."""
    try:
        study = Study.open(path)
    except LegrError:
        return
    name = path.name
    with st.container(horizontal=True, gap="small"):
        with st.popover("Duplicate", type="tertiary", key=f"duplicate:{name}"):
            _form(name, "Duplicate", lambda new: _duplicate(study, new))
        if study.info.sample:
            return
        with st.popover("Rename", type="tertiary", key=f"rename:{name}"):
            _form(name, "Rename", lambda new: _rename(study, new))
        with st.popover("Note", type="tertiary", key=f"noting:{name}"):
            text = st.text_area("What is this study about?", note_of(study), max_chars=LONGEST_NOTE, key=f"note:{name}")
            if st.button("Save", key=f"keep:{name}"):
                _run(lambda: save_note(study, text))
        with st.popover("Delete", type="tertiary", key=f"deleting:{name}"):
            if path.is_symlink():
                st.write("This is a link: the link is removed, and the study that it leads to stays where it is.")
            else:
                st.write("The study is deleted for good, with everything learned, fine-tuned and exported in it.")
            if st.button(f"Delete {plain(name)}", type="primary", key=f"delete:{name}"):
                _run(lambda: _delete(study))


def _form(name: str, label: str, action: Callable[[str], object]) -> None:
    with st.form(f"{label}:{name}", border=False):
        new = st.text_input("New name", f"{name}-2", max_chars=60, key=f"{label}:{name}:name")
        if st.form_submit_button(plain(label)):
            _run(lambda: action(new))


def _run(action: Callable[[], object]) -> None:
    """Run an action and draw the page anew, or show its error."""
    try:
        action()
    except (LegrError, OSError) as error:
        show_error(str(error))
        return
    st.rerun()


def _duplicate(study: Study, name: str) -> None:
    _check(study, name)
    duplicate(study, name, studies_folder())


def _rename(study: Study, name: str) -> None:
    _check(study, name)
    was_open = state.open_name() == study.path.name
    renamed = rename(study, name)
    records.update_paths(renamed, study.path)
    if was_open:
        state.choose(renamed.path.name)


def _delete(study: Study) -> None:
    _check(study)
    delete(study)
    if state.open_name() == study.path.name:
        state.forget()


def _check(study: Study, name: str = "") -> None:
    """Refuse while a job writes into the study, and refuse a new name that is taken."""
    if any(job.active for job in records.list_jobs(study)):
        raise StudyError(f"a job of {study.path.name} is running; cancel it or wait until it has ended")
    if name.strip() in state.known_studies():
        raise StudyError(f"there is a study {name.strip()} already; choose another name")
