"""The status bar: the one place for jobs, errors and notices that come and go by themselves."""

from contextlib import AbstractContextManager
from typing import Any

import streamlit as st


def status_bar() -> AbstractContextManager[Any]:
    """The foot of the window.

    Nothing that comes or goes may stand above the budget dial: the dial would move, and Streamlit would build it anew
    under the user's hand.
    """
    return st.bottom


def keep_status_bar() -> None:
    """Let the bar stand also where it says nothing, so that its coming moves nothing."""
    with st.bottom:
        st.html('<span class="status-idle"></span>')
