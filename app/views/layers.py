"""The table of layers: the filters that a network keeps of each, and the constraints, which can be edited in it."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from app import state
from app.budget_dial.card import chosen_layer
from app.views.constraints_link import offer_link, write_link
from app.views.layer_edits import EXCLUDED, LAYER, PIN, Refused, Rows, edited, new_cells, says
from app.widgets.page import place, show_error
from app.widgets.study import constraints_note
from legr.charts.cells import safe_cells
from legr.errors import LegrError
from legr.ranking.budget import BudgetCurve, table_of
from legr.ranking.constraints import MULTIPLES, UNCONSTRAINED, Constraints
from legr.structure.cost import layer_macs
from legr.structure.types import Keep
from legr.study.store import Study

_KEPT, _TOTAL, _SHARE = "Kept", "Of", "MACs, %"
_HISTORY, _EDITION, _ERROR, _REFUSED = "constraints-history", "layers-edition", "layers-error", "layers-refused"
_LIT = "background-color: rgba(229, 138, 31, 0.25)"  # as behind the bar of the layer
_ASKED = "layers-asked"  # the constraints that the table stands for


def layers_table(curve: BudgetCurve, keep: Keep, constraints: Constraints) -> pd.DataFrame:
    """One row for each layer, in order of execution.

    Returns:
        Columns Layer, Kept and Of (filters in this and the original network), MACs (share in this network, per cent),
        Pin at and Leave whole (the constraints).
    """
    macs, kept = layer_macs(curve.structure, keep), table_of(curve.structure, keep).kept[0]
    total = sum(macs.values()) or 1
    rows = [
        (
            layer.name,
            int(filters),
            layer.total,
            100 * macs.get(layer.parameter, 0) / total,
            constraints.pins.get(layer.name),
            layer.name in constraints.excluded,
        )
        for layer, filters in zip(curve.structure.layers, kept, strict=True)
    ]
    table = pd.DataFrame(rows, columns=[LAYER, _KEPT, _TOTAL, _SHARE, PIN, EXCLUDED])
    return table.astype({PIN: "Int64"})


def show_layers(study: Study, curve: BudgetCurve, keep: Keep) -> None:
    """The table in an expander, with the constraints above it; every edit keeps the budget and can be undone.

    Args:
        keep: the kept set on screen.
    """
    key = f"layers-open-{study.path.name}"
    if key not in st.session_state:
        st.session_state[key] = not study.constraints.is_plain or bool(_history(study))
    with place():  # else the table would be made anew where the first constraint comes, and forget its sorting
        _show_constraints(study)
    opened = st.expander("Layers: search, sort, pin", key=key, on_change="rerun")
    if opened.open:  # the table needs a megabyte of scripts, which a closed expander need not load
        with opened:
            _table(study, curve, keep)


def lit(table: pd.DataFrame, layer: str) -> pd.DataFrame | Styler:
    """The table with the row of a layer lit as its bar is; "": none. Cells that can be edited stay as they are."""
    if not layer:
        return table
    cells = [_LIT if column not in (PIN, EXCLUDED) else "" for column in table.columns]
    return table.style.apply(lambda row: cells if row[LAYER] == layer else [""] * len(cells), axis=1)


def _table(study: Study, curve: BudgetCurve, keep: Keep) -> None:
    info = layers_table(curve, keep, study.constraints)
    st.caption(
        "Pin a layer at a number of filters, or leave it whole: the other layers are pruned so that the budget still "
        "holds. Double-click a cell to edit it. Measuring, fine-tuning and export use these constraints too."
    )
    key = _table_key(study)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _choose_multiple(study)
        _choose_blocks(study)
        refused = _refused()
        if refused.why:
            show_error(refused.why)
    st.data_editor(
        lit(safe_cells(info), chosen_layer(study)),
        key=key,
        hide_index=True,
        disabled=[LAYER, _KEPT, _TOTAL, _SHARE],
        column_config={
            _SHARE: st.column_config.ProgressColumn(format="%.1f", min_value=0, max_value=float(info[_SHARE].max())),
            PIN: st.column_config.NumberColumn(min_value=1, step=1, help="Exactly this many filters at every budget."),
            EXCLUDED: st.column_config.CheckboxColumn(help="None of its filters are removed."),
        },
        on_change=_on_edit,
        args=(study, info, key),
    )


def offer_constraints(study: Study) -> None:
    """Offer the constraints of a link, where they are not the study's."""
    offer_link(study, lambda constraints: _change(study, lambda: constraints))


def round_filters(study: Study, multiple: int) -> None:
    """Let every layer keep a multiple of so many filters from now on; it can be undone as an edit of the table can."""
    _change(study, lambda: replace(study.constraints, multiple=multiple))


def pin_layer(study: Study, layer: str, filters: int) -> None:
    """Let a layer keep exactly so many filters from now on; it can be undone as an edit of the table can."""
    own = study.constraints
    pinned = replace(own, pins={**own.pins, layer: filters}, excluded=tuple(n for n in own.excluded if n != layer))
    _change(study, lambda: pinned)


def _choose_multiple(study: Study) -> None:
    key = _key(study, "multiple")
    st.selectbox(
        "Filters in multiples of",
        MULTIPLES,
        index=MULTIPLES.index(study.constraints.multiple),
        key=key,
        width=180,
        on_change=_on_multiple,
        args=(study, key),
        help="Every layer keeps a multiple of this number of filters, or all of them; kernels run faster then.",
    )


def _choose_blocks(study: Study) -> None:
    """Whether whole blocks may leave; nothing where the network has none that could."""
    if not study.structure.branches:
        return
    key = _key(study, "blocks")
    st.checkbox(
        "Whole blocks may leave",
        study.constraints.blocks,
        key=key,
        on_change=_on_blocks,
        args=(study, key),
        help="Along the ranking a block beside a shortcut leaves the network altogether, as its last step. Fewer "
        "layers are often faster than thin ones.",
    )


def _show_constraints(study: Study) -> None:
    """The constraints, Undo and Clear all; nothing where there are none and nothing can be undone."""
    error = st.session_state.pop(_ERROR, None)
    if error:
        show_error(error)
    if study.constraints.is_plain and not _history(study):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        constraints_note(study)
        st.button("Undo", disabled=not _history(study), on_click=_undo, args=(study,))
        st.button(
            "Clear all", disabled=study.constraints.is_plain, on_click=_change, args=(study, lambda: UNCONSTRAINED)
        )


def _key(study: Study, widget: str) -> str:
    """Widget key that changes with the constraints, so that a late event of an earlier run is ignored."""
    return f"{widget}-{study.path.name}-{study.constraints.key}-{st.session_state.get(_EDITION, 0)}"


def _table_key(study: Study) -> str:
    """Key of the table: another one where the constraints have changed otherwise than by its edits."""
    asked = (str(study.path), _on_layers(study))
    if st.session_state.setdefault(_ASKED, asked) != asked:
        st.session_state[_ASKED] = asked
        _renew_table()
    return f"layers-{study.path.name}-{st.session_state.get(_EDITION, 0)}"


def _on_layers(study: Study) -> str:
    """A short name for what the constraints say of single layers."""
    return replace(study.constraints, multiple=1, blocks=False).key


def _renew_table() -> None:
    """Draw a new table, in which nothing is edited."""
    st.session_state[_EDITION] = st.session_state.get(_EDITION, 0) + 1
    st.session_state.pop(_REFUSED, None)


def _refused() -> Refused:
    refused: Refused = st.session_state.get(_REFUSED, Refused())
    return refused


def _on_edit(study: Study, info: pd.DataFrame, key: str) -> None:
    if key != _table_key(study):
        return
    rows: Rows = st.session_state[key]["edited_rows"]
    refused = _refused().still(rows)
    cells = new_cells(info, rows, refused)
    own = _apply(study, lambda: edited(study.constraints, info, cells)) if cells else study
    if own is None:
        refused = Refused({**refused.cells, **cells}, st.session_state.pop(_ERROR))
    st.session_state[_REFUSED] = refused
    if own is not None:
        st.session_state[_ASKED] = (str(own.path), _on_layers(own))
        if not says(rows, info, own.constraints, refused):  # such as a pin that gave way to "Leave whole"
            _renew_table()


def _on_multiple(study: Study, key: str) -> None:
    if key != _key(study, "multiple"):
        return
    if _apply(study, lambda: replace(study.constraints, multiple=st.session_state[key])) is None:
        _renew_table()  # the multiple before is chosen again


def _on_blocks(study: Study, key: str) -> None:
    if key == _key(study, "blocks"):
        _change(study, lambda: replace(study.constraints, blocks=st.session_state[key]))


def _history(study: Study) -> list[Constraints]:
    """Earlier constraints of a study, set in this tab."""
    by_study: dict[tuple[str, str], list[Constraints]] = st.session_state.setdefault(_HISTORY, {})
    return by_study.setdefault((str(study.path), study.info.created), [])


def _change(study: Study, changed: Callable[[], Constraints]) -> None:
    _apply(study, changed)


def _apply(study: Study, changed: Callable[[], Constraints]) -> Study | None:
    """Give a study other constraints, and remember the present ones for Undo; see `_store`."""
    before = study.constraints
    own = _store(study, changed)
    if own:
        _history(own).append(before)
    return own


def _undo(study: Study) -> None:
    history = _history(study)
    if history and _store(study, lambda: history[-1]):
        history.pop()


def _store(study: Study, changed: Callable[[], Constraints]) -> Study | None:
    """Store constraints and return the study that has them now, which is a copy of a sample.

    Constraints that cannot be met change nothing: the reason is shown when the page is drawn, and None returned.
    """
    try:
        constraints = changed()
        study.ranker.rank(constraints=constraints)  # an error comes before a sample is copied
        own = state.own_copy(study)
        own.save_constraints(constraints)
        write_link(constraints)
    except (LegrError, OSError) as error:
        st.session_state[_ERROR] = str(error)
        return None
    return own
