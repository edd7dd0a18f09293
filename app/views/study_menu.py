"""Buttons that duplicate, rename, annotate or delete a study."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import state
from app.facts import title_of
from app.widgets.page import show_error
from app.words import plain
from legr.errors import LegrError, StudyError
from legr.jobs import records
from legr.study.catalog import LONGEST_NOTE, delete, duplicate, free_name, note_of, rename, save_note, studies_folder
from legr.study.store import Study


def study_menu(path: Path, name: str) -> None:
    """What can be done with a study as a whole: of a sample only Duplicate, of a damaged study nothing.

    Args:
        name: that opens it; no other study has it.
    """
    try:
        study = Study.open(path)
    except LegrError:
        return
    if study.info.sample:
        with st.popover("Duplicate", type="tertiary", key=f"duplicate:{name}"):
            _duplicate_form(study, name)
        return
    with st.popover("More", type="tertiary", key=f"more:{name}"):
        renaming, copying, noting, deleting = st.tabs(["Rename", "Duplicate", "Note", "Delete"])
        with renaming:
            _form(name, "Rename", path.name, lambda new: _rename(study, new))
        with copying:
            _duplicate_form(study, name)
        with noting:
            _note_form(study)
        with deleting:
            _ask_to_delete(study)


def _duplicate_form(study: Study, key: str) -> None:
    free = free_name(study.path.name, studies_folder(), state.known_studies())
    _form(key, "Duplicate", free, lambda new: _duplicate(study, new))


def _form(key: str, label: str, name: str, action: Callable[[str], object]) -> None:
    """Ask for a name.

    Args:
        key: of the study.
        name: that stands in the field at first.
    """
    with st.form(f"{label}:{key}", border=False):
        new = st.text_input("New name", name, max_chars=60, key=f"{label}:{key}:name")
        if st.form_submit_button(plain(label)):
            _run(lambda: action(new))


def _note_form(study: Study) -> None:
    name = study.path.name
    text = st.text_area("What is this study about?", note_of(study), max_chars=LONGEST_NOTE, key=f"note:{name}")
    if st.button("Save", key=f"keep:{name}"):
        _run(lambda: save_note(study, text))


def _ask_to_delete(study: Study) -> None:
    if study.path.is_symlink():
        st.write("This is a link: the link is removed, and the study that it leads to stays where it is.")
    else:
        st.write(
            f"**{plain(title_of(study))}** is deleted for good, with everything learned, fine-tuned and exported in it."
        )
    if st.button("Delete this study", type="primary", key=f"delete:{study.path.name}"):
        _run(lambda: _delete(study))


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
    if name.strip() == study.path.name:
        raise StudyError(f"it is called {study.path.name} already; type another name")
    _check(study, name)
    was_open = _is_open(study)
    renamed = rename(study, name)
    records.update_paths(renamed, study.path)
    if was_open:
        state.choose(renamed.path.name)


def _delete(study: Study) -> None:
    _check(study)
    was_open = _is_open(study)
    delete(study)
    if was_open:
        state.forget()


def _is_open(study: Study) -> bool:
    return state.known_studies().get(state.open_name() or "") == study.path


def _check(study: Study, name: str = "") -> None:
    """Refuse while a job writes into the study, and refuse a new name that is taken."""
    if any(job.active for job in records.list_jobs(study)):
        raise StudyError(f"a job of {study.path.name} is running; cancel it or wait until it has ended")
    if name.strip() in state.known_studies():
        raise StudyError(f"there is a study {name.strip()} already; choose another name")
