"""What the address line says, so that every change of it is one step of the browser's history."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

import streamlit as st

_STEP = "one-step"


def say(name: str, value: str | None) -> None:
    """Let the address line say a value, None: not, unless that comes with the rest of a step."""
    if st.session_state.get(_STEP):
        return
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def say_all(values: Mapping[str, str], of: Collection[str]) -> None:
    """Let the address line say these values, and no others of those names; what else it says stays."""
    before = {name: st.query_params.get_all(name) for name in st.query_params}
    others = {name: texts for name, texts in before.items() if name not in of}
    after = others | {name: [value] for name, value in values.items()}
    if after != before:
        st.query_params.from_dict(after)


def text() -> str:
    """What follows the question mark of the address line."""
    return urlencode({name: st.query_params.get_all(name) for name in st.query_params}, doseq=True)


@contextmanager
def silence() -> Iterator[None]:
    """Say nothing for now."""
    st.session_state[_STEP] = True
    try:
        yield
    finally:
        st.session_state[_STEP] = False


def percent(value: object) -> float | None:
    """Read a number in [0, 100] from an address line or a browser, to four decimals; None where it is none."""
    if not isinstance(value, str | int | float):
        return None
    try:
        number = round(float(value), 4)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= 100 else None
