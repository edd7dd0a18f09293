"""Constraints of a study in the address line, so that a link carries them: pins, excluded layers, floors, multiples.

A link never changes a study by itself: where its constraints are not the study's, the page asks.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from app.widgets.page import show_error
from app.words import plain
from legr.errors import SettingsError
from legr.ranking.constraints import Constraints
from legr.study.store import Study

_PINS, _MULTIPLE, _BLOCKS = "pins", "multiple", "blocks"
_EXCLUDED, _FLOOR = "all", "min"
_KEPT, _REMOVED = "stays", "removed"  # of blocks
_SEPARATOR = "~"  # not escaped in an address line


def layer_texts(constraints: Constraints) -> list[str]:
    """The constraints on single layers and blocks.

    `layer~12` (pinned), `layer~all` (excluded), `layer~min4` (a floor), `block~stays`, `block~removed`.
    """
    values = [(name, str(count)) for name, count in constraints.pins.items()]
    values += [(name, _EXCLUDED) for name in constraints.excluded]
    values += [(name, f"{_FLOOR}{count}") for name, count in constraints.floors.items()]
    values += [(name, _KEPT) for name in constraints.kept_blocks]
    values += [(name, _REMOVED) for name in constraints.removed_blocks]
    return [f"{name}{_SEPARATOR}{value}" for name, value in sorted(values)]


def constraints_of(texts: Sequence[str], multiple: str | None, blocks: str | None = None) -> Constraints:
    """Read constraints from an address line.

    Args:
        texts: as `layer_texts` writes them.
        blocks: "1" where whole blocks may leave.

    Raises:
        SettingsError: one of them cannot be read, or is not valid for any network.
    """
    pins: dict[str, int] = {}
    floors: dict[str, int] = {}
    named: dict[str, list[str]] = {_EXCLUDED: [], _KEPT: [], _REMOVED: []}
    for text in texts:
        name, _, value = text.rpartition(_SEPARATOR)
        counts, digits = (floors, value.removeprefix(_FLOOR)) if value.startswith(_FLOOR) else (pins, value)
        if name and value in named:
            named[value].append(name)
        elif name and digits.isascii() and digits.isdecimal() and len(digits) < 10:
            counts[name] = int(digits)
        else:
            raise SettingsError(f"a pin in a link is a layer and a number, such as conv1~12, got {text[:60]!r}")
    if multiple is not None and not (multiple.isascii() and multiple.isdecimal() and len(multiple) < 4):
        raise SettingsError(f"multiple in a link is a number, such as 8, got {multiple[:60]!r}")
    return Constraints(
        int(multiple or 1),
        floors,
        tuple(named[_EXCLUDED]),
        pins,
        blocks=blocks == "1",
        kept_blocks=tuple(named[_KEPT]),
        removed_blocks=tuple(named[_REMOVED]),
    )


def write_link(constraints: Constraints) -> None:
    """Put constraints into the address line; nothing where there are none."""
    multiple = [str(constraints.multiple)] if constraints.multiple > 1 else []
    blocks = ["1"] if constraints.blocks else []
    for name, values in ((_PINS, layer_texts(constraints)), (_MULTIPLE, multiple), (_BLOCKS, blocks)):
        if values:
            if st.query_params.get_all(name) != values:
                st.query_params[name] = values
        elif name in st.query_params:
            del st.query_params[name]


def offer_link(study: Study, use: Callable[[Constraints], None]) -> None:
    """Write the study's constraints into the address line; where a link has others, ask whether to take those.

    Args:
        use: gives the study the constraints of the link.
    """
    own = study.constraints
    if not any(name in st.query_params for name in (_PINS, _MULTIPLE, _BLOCKS)):
        write_link(own)
        return
    try:
        linked = constraints_of(
            st.query_params.get_all(_PINS), st.query_params.get(_MULTIPLE), st.query_params.get(_BLOCKS)
        )
        linked.check(study.structure)
    except SettingsError as error:
        show_error(f"the constraints in this link cannot be used: {error}")
        write_link(own)
        return
    if linked == own:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            plain(
                f"The constraints of this link: {linked.words or 'none'}. "
                f"The constraints of this study: {own.words or 'none'}."
            )
        )
        st.button("Use the link's constraints", type="primary", on_click=use, args=(linked,))
        st.button("Keep the study's constraints", on_click=write_link, args=(own,))
