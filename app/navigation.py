"""The pages and their titles in the navigation: a check mark stands where the open study has taken the step."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import state
from legr.errors import LegrError
from legr.study.store import Study

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


def pages() -> list[StreamlitPage]:
    """Every page, with the title that it has for the open study."""
    return [st.Page(path, title=title) for path, title in titles().items()]


def titles() -> dict[str, str]:
    """What each page is called in the navigation."""
    done = steps_done()
    return {path: title + (DONE if path in done else "") for path, title in PAGES}


def steps_done() -> set[str]:
    """Pages whose step the open study has taken; none where it cannot be read, which the page itself says."""
    path = state.known_studies().get(state.open_name() or "")
    if path is None:
        return set()
    try:
        study = Study.open(path)
        taken = {"pages/learn.py": study.learned is not None, "pages/finetune.py": bool(study.finetuned)}
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
