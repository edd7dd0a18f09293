"""The frame of every page: errors as one sentence, announcements, the study that the page is about."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import streamlit as st

from app import state
from app.entry import require_entry
from app.widgets.status import keep_status_bar, status_bar
from app.widgets.welcome import show_welcome
from app.words import plain
from legr.errors import LegrError, StudyError
from legr.escape import brief
from legr.study.store import Study


def run_page(page: Callable[[], None], path: str) -> None:
    """Run a page and show its errors.

    Args:
        path: the page's file, relative to `streamlit_app.py`.
    """
    require_entry(path)
    announcement = state.take_announcement()
    if announcement:
        st.toast(plain(announcement), duration="long")
    state.follow_address()
    keep_status_bar()
    with guarded():
        page()


def place() -> AbstractContextManager[Any]:
    """A place on the page that is there even where nothing stands in it, so that what follows keeps its own."""
    return st.container()


@contextmanager
def guarded() -> Iterator[None]:
    """Show an error that the user can act on as one sentence; use it around every fragment."""
    try:
        yield
    except LegrError as error:
        show_error(str(error))
    except OSError as error:
        reason = f"{error.filename or 'a file'} cannot be read or written ({error.strerror or error})"
        show_error(f"{reason}; free some space or check its permissions")


def show_error(sentence: str) -> None:
    """Show what went wrong, in red."""
    st.error(plain(as_sentence(brief(sentence))))


def show_warning(sentence: str) -> None:
    """Show what is doubtful, in yellow."""
    st.warning(plain(as_sentence(sentence)))


def as_sentence(text: str) -> str:
    """A full stop at its end, and a capital at its start unless it begins with a name such as `conv1`."""
    text = text.strip().removesuffix(".") + "."
    return text[:1].upper() + text[1:] if text.split(maxsplit=1)[0].isalpha() else text


def require_study(*, with_view: bool = False) -> Study:
    """Return the open study; where there is none, show the welcome or the error and end the run of the page.

    Args:
        with_view: the page shows the budget and the settings of the view, so the address line says them.
    """
    try:
        study = state.open_study(with_view=with_view)
    except StudyError as error:
        show_error(str(error))
        st.page_link("pages/studies.py", label="Open another study", icon=":material/arrow_forward:")
        st.stop()
    if study is None:
        show_welcome()
        st.stop()
    notice = state.take_notice()
    if notice:
        with status_bar():
            st.info(plain(notice))
    return study
