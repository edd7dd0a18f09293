"""What is asked of a network's shape, in the address line: a link carries pins, layers left whole and multiples.

A link never changes a study by itself: where it asks for another shape than the study has, the page offers it.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from app.widgets.page import show_error
from app.words import plain
from legr.errors import SettingsError
from legr.ranking.constraints import UNCONSTRAINED, Constraints
from legr.study.store import Study

_PINS, _MULTIPLE = "pins", "multiple"
_WHOLE, _FLOOR = "all", "min"
_SEPARATOR = "~"  # an address line leaves it as it is


def pins_text(shape: Constraints) -> list[str]:
    """Each layer's wish as `layer~12`, `layer~all` (whole) or `layer~min4` (a floor)."""
    counts = [(name, str(count)) for name, count in shape.pins.items()]
    counts += [(name, _WHOLE) for name in shape.excluded]
    counts += [(name, f"{_FLOOR}{count}") for name, count in shape.floors.items()]
    return [f"{name}{_SEPARATOR}{wish}" for name, wish in sorted(counts)]


def constraints_of(pins: Sequence[str], multiple: str | None) -> Constraints:
    """The shape that an address line asks for.

    Raises:
        SettingsError: it cannot be read, or asks for what no network has.
    """
    found: dict[str, dict[str, int]] = {"pins": {}, "floors": {}}
    excluded = []
    for text in pins:
        name, _, wish = text.rpartition(_SEPARATOR)
        kind, digits = ("floors", wish.removeprefix(_FLOOR)) if wish.startswith(_FLOOR) else ("pins", wish)
        if name and wish == _WHOLE:
            excluded.append(name)
        elif name and digits.isascii() and digits.isdecimal() and len(digits) < 10:
            found[kind][name] = int(digits)
        else:
            raise SettingsError(f"a pin in a link is a layer and a number, such as conv1~12, got {text[:60]!r}")
    if multiple is not None and not (multiple.isascii() and multiple.isdecimal() and len(multiple) < 4):
        raise SettingsError(f"multiple in a link is a number, such as 8, got {multiple[:60]!r}")
    return Constraints(int(multiple or 1), found["floors"], tuple(excluded), found["pins"])


def write_link(shape: Constraints) -> None:
    """Put a shape into the address line; the plain one leaves nothing there."""
    wanted = {_PINS: pins_text(shape), _MULTIPLE: [str(shape.multiple)] if shape.multiple > 1 else []}
    for name, values in wanted.items():
        if values:
            if st.query_params.get_all(name) != values:
                st.query_params[name] = values
        elif name in st.query_params:
            del st.query_params[name]


def offer_link(study: Study, use: Callable[[Constraints], None]) -> None:
    """Keep the address line what the study is; where a link asks for another shape, ask whether to take it.

    Args:
        use: gives the study the shape of the link.
    """
    if _PINS not in st.query_params and _MULTIPLE not in st.query_params:
        write_link(study.constraints)
        return
    try:
        asked = constraints_of(st.query_params.get_all(_PINS), st.query_params.get(_MULTIPLE))
        asked.check(study.structure)
    except SettingsError as error:
        show_error(f"the pins in this link cannot be used: {error}")
        write_link(study.constraints)
        return
    if asked == study.constraints:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        mine = (
            f"this study has {study.constraints.words}"
            if study.constraints != UNCONSTRAINED
            else "this study has no pins"
        )
        st.markdown(plain(f"The address line asks for {asked.words or 'no pins'}; {mine}."))
        st.button("Use what the link asks for", type="primary", on_click=use, args=(asked,))
        st.button("Keep the study as it is", on_click=write_link, args=(study.constraints,))
