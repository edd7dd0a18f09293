"""The table of layers: what a network keeps of each, and what is asked of it — pins, layers left whole, multiples.

It does not know how a ranking meets what is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from app import state
from app.views.constraints_link import offer_link, write_link
from app.widgets.page import show_error
from app.widgets.study import constraints_note
from legr.errors import LegrError
from legr.ranking.budget import BudgetCurve
from legr.ranking.constraints import MULTIPLES, UNCONSTRAINED, Constraints
from legr.structure.cost import layer_macs
from legr.structure.types import Keep
from legr.study.store import Study

_LAYER, _KEPT, _TOTAL, _SHARE, _PIN, _WHOLE = "Layer", "Kept", "Of", "MACs, %", "Pin at", "Leave whole"
_HISTORY, _EDITION, _PROBLEM = "shapes", "layers-edition", "layers-problem"


def layers_info(curve: BudgetCurve, keep: Keep, shape: Constraints) -> pd.DataFrame:
    """One row a layer, in order of execution: filters kept and before, share of this network's MACs, what is asked."""
    macs = layer_macs(curve.structure, keep)
    whole = sum(macs.values()) or 1
    rows = [
        (
            layer.name,
            int(keep.kept(layer.labels).sum()),
            layer.total,
            100 * macs.get(layer.parameter, 0) / whole,
            shape.pins.get(layer.name),
            layer.name in shape.excluded,
        )
        for layer in curve.structure.layers
    ]
    table = pd.DataFrame(rows, columns=[_LAYER, _KEPT, _TOTAL, _SHARE, _PIN, _WHOLE])
    return table.astype({_PIN: "Int64"})


def edited(shape: Constraints, info: pd.DataFrame, rows: Mapping[int, Mapping[str, Any]]) -> Constraints:
    """The shape after changes to the table; of a pin and "leave whole" in one layer, the later one stands.

    Args:
        rows: by the number of a row, the new values by the name of their column.

    Raises:
        SettingsError: a pin is out of range.
    """
    pins, excluded = dict(shape.pins), set(shape.excluded)
    for number, changes in rows.items():
        name = str(info[_LAYER].iloc[number])
        if _PIN in changes:
            pins.pop(name, None)
            if changes[_PIN] is not None:
                pins[name] = int(changes[_PIN])
                excluded.discard(name)
        if _WHOLE in changes:
            excluded.discard(name)
            if changes[_WHOLE]:
                excluded.add(name)
                pins.pop(name, None)
    return replace(shape, pins=pins, excluded=tuple(excluded))


def show_layers(study: Study, curve: BudgetCurve, budget: float) -> None:
    """The table, editable, once it is opened; every change is solved again at the same budget, and can be undone."""
    key = f"layers-open-{study.path.name}"
    if key not in st.session_state:
        st.session_state[key] = not study.constraints.is_plain or bool(_history(study))
    _wishes(study)
    opened = st.expander("Layers: search, sort, pin", key=key, on_change="rerun")
    if opened.open:  # a closed one costs the browser a megabyte of scripts
        with opened:
            _table(study, curve, budget)


def _table(study: Study, curve: BudgetCurve, budget: float) -> None:
    shape = study.constraints
    info = layers_info(curve, curve.at(macs=budget), shape)
    st.caption(
        "Pin a layer at a number of filters, or leave it whole: the rest is solved again at the same budget. "
        "Double-click a cell to change it; measuring, fine-tuning and export follow."
    )
    _multiple(study, shape)
    key = _key(study, "table")
    st.data_editor(
        info,
        key=key,
        hide_index=True,
        disabled=[_LAYER, _KEPT, _TOTAL, _SHARE],
        column_config={
            _SHARE: st.column_config.ProgressColumn(format="%.1f", min_value=0, max_value=float(info[_SHARE].max())),
            _PIN: st.column_config.NumberColumn(min_value=1, step=1, help="Exactly so many filters, at every budget."),
            _WHOLE: st.column_config.CheckboxColumn(help="None of its filters go."),
        },
        on_change=_on_edit,
        args=(study, info, key),
    )


def offer_shape(study: Study) -> None:
    """What a link asks of the layers, where that is not what the study has."""
    offer_link(study, lambda constraints: _change(study, lambda: constraints))


def _multiple(study: Study, shape: Constraints) -> None:
    key = _key(study, "multiple")
    st.selectbox(
        "Filters in multiples of",
        MULTIPLES,
        index=MULTIPLES.index(shape.multiple),
        key=key,
        width=180,
        on_change=_on_multiple,
        args=(study, key),
        help="What remains of a layer is a multiple of it, or the layer is whole: kernels like that.",
    )


def _wishes(study: Study) -> None:
    """What is asked of the layers and the ways back, also while the table is closed; nothing where nothing ever was."""
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        show_error(problem)
    if study.constraints.is_plain and not _history(study):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        constraints_note(study)
        st.button("Undo", disabled=not _history(study), on_click=_undo, args=(study,))
        st.button(
            "Clear all", disabled=study.constraints.is_plain, on_click=_change, args=(study, lambda: UNCONSTRAINED)
        )


def _key(study: Study, widget: str) -> str:
    """Of a widget while the shape is what it shows: one of the page before may speak once more, and is not heard."""
    return f"{widget}-{study.path.name}-{study.constraints.key}-{st.session_state.get(_EDITION, 0)}"


def _on_edit(study: Study, info: pd.DataFrame, key: str) -> None:
    if key == _key(study, "table"):
        rows = st.session_state[key]["edited_rows"]
        _change(study, lambda: edited(study.constraints, info, rows))


def _on_multiple(study: Study, key: str) -> None:
    if key == _key(study, "multiple"):
        _change(study, lambda: replace(study.constraints, multiple=st.session_state[key]))


def _history(study: Study) -> list[Constraints]:
    """Shapes before this one, in this tab."""
    found: list[Constraints] = st.session_state.setdefault(_HISTORY, {}).setdefault(
        (str(study.path), study.info.created), []
    )
    return found


def _change(study: Study, changed: Callable[[], Constraints]) -> None:
    """Give a study other constraints, and remember the present ones for Undo."""
    before = study.constraints
    own = _store(study, changed)
    if own:
        _history(own).append(before)


def _undo(study: Study) -> None:
    history = _history(study)
    if history and _store(study, lambda: history[-1]):
        history.pop()


def _store(study: Study, changed: Callable[[], Constraints]) -> Study | None:
    """Store constraints and return the study that has them now, which is a copy of a sample.

    Constraints that cannot be met change nothing: the reason is shown when the page is drawn, and None returned.
    """
    st.session_state[_EDITION] = st.session_state.get(_EDITION, 0) + 1  # a new table, without the edit
    try:
        constraints = changed()
        study.ranker.rank(constraints=constraints)  # an error comes before a sample is copied
        own = state.own_copy(study)
        own.save_constraints(constraints)
        write_link(constraints)
    except (LegrError, OSError) as error:
        st.session_state[_PROBLEM] = str(error)
        return None
    return own
