"""Where a browser enters: `streamlit_app.py` runs first in every session, whatever page the address names."""

import streamlit as st

_ENTERED, _NEXT_PAGE = "entered", "next-page"


def enter() -> None:
    """Note that `streamlit_app.py` has run in this session; go on to the page that sent the browser there."""
    st.session_state[_ENTERED] = True
    page = st.session_state.pop(_NEXT_PAGE, None)
    if page:
        st.switch_page(page, query_params=st.query_params.to_dict())


def require_entry(page: str) -> None:
    """Run `streamlit_app.py` first in a session in which it has not run yet, then come back to `page`.

    Until `st.navigation` has run once in a server, Streamlit serves every file of a folder called `pages` by itself.
    A tab that stays open while the server restarts would get such a page without navigation and layout.
    """
    if _ENTERED not in st.session_state:
        st.session_state[_NEXT_PAGE] = page
        st.switch_page("streamlit_app.py", query_params=st.query_params.to_dict())
