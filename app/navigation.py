"""The pages and their titles in the navigation: a check mark stands where the open study has taken the step."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import state
from legr.errors import LegrError
from legr.study.store import Study
from legr.study.supernets import supernets
from legr.study.title import study_title

PAGES = (
    ("pages/explore.py", "Explore"),
    ("pages/learn.py", "Learn"),
    ("pages/finetune.py", "Fine-tune & export"),
    ("pages/see.py", "See it"),
    ("pages/structure.py", "Structure"),
    ("pages/studies.py", "Studies"),
)
DONE = " ✓"
_GOAL = "page-asked-for"  # no widget's key: Learn has one called goal


def choose_page() -> StreamlitPage:
    """Show the navigation and return the page to run, whose title is the tab's."""
    study = open_study()
    page = st.navigation([st.Page(path, title=title) for path, title in titles(study).items()], position="top")
    is_about_all = page.title == dict(PAGES)["pages/studies.py"]
    st.set_page_config(tab_title(page.title, None if is_about_all else study), layout="wide")
    return page


def tab_title(title: str, study: Study | None) -> str:
    """What the browser's tab says: the page, and the study that it is about, if it is about one."""
    about = study_title(study.path.name, study.info.model, study.info.data_name) if study else "LeGR explorer"
    return f"{title.removesuffix(DONE)} · {about}"


def titles(study: Study | None) -> dict[str, str]:
    """What each page is called in the navigation."""
    done = steps_done(study)
    return {path: title + (DONE if path in done else "") for path, title in PAGES}


def open_study() -> Study | None:
    """The open study; None where there is none or it cannot be read, which the page itself says."""
    path = state.known_studies().get(state.open_name() or "")
    try:
        return Study.open(path) if path else None
    except (LegrError, OSError):
        return None


def steps_done(study: Study | None) -> set[str]:
    """Pages whose step a study has taken; none where its files cannot be read."""
    if study is None:
        return set()
    try:
        taken = {
            "pages/learn.py": study.learned is not None,
            "pages/finetune.py": bool(study.finetuned or supernets(study)),
        }
    except (LegrError, OSError):
        return set()
    return {page for page, is_taken in taken.items() if is_taken}


def go_on(page: str) -> None:
    """Ask for another page from where none can be switched to, such as a callback."""
    st.session_state[_GOAL] = page


def go_on_now() -> None:
    """Go to the page that was asked for, if one was."""
    page = st.session_state.pop(_GOAL, None)
    if page:
        st.switch_page(page, query_params=st.query_params.to_dict())
