"""What of a network can be pruned, on the page Structure: its groups, its unprunable and coupled channels."""

from typing import Any

import streamlit as st

from app import state
from app.words import plain
from legr.charts.cells import csv_of, safe_cells
from legr.charts.structure import exception_lines, facts, groups_table, notes, outputs_line, reasons_of, reasons_table
from legr.escape import file_name
from legr.ranking.budget import BudgetCurve
from legr.structure.types import Structure
from legr.study.store import Study


def show_facts(curve: BudgetCurve, study: Study) -> None:
    """What can be pruned, how far, and the proof, at a glance; what stays where that is the outputs alone."""
    found = facts(curve, study.default_ranking, study.info.self_check)
    if curve.structure.n_units == 0:
        st.write("Nothing can be removed from this network. Why stands below; another network would have to be chosen.")
    for column, fact in zip(st.columns(len(found)), found, strict=True):
        column.metric(plain(fact.label), plain(fact.value), help=plain(fact.about))
    reasons = reasons_of(curve.structure)
    line = outputs_line(reasons) if reasons_table(reasons, "unprunable").empty else None
    for note in filter(None, (line, *notes(curve.structure))):
        st.caption(plain(note))


def show_stays(structure: Structure) -> None:
    """The unprunable channels, but for the outputs."""
    reasons = reasons_of(structure)
    table, line = reasons_table(reasons, "unprunable"), outputs_line(reasons)
    if table.empty:
        return
    st.header("What stays, and why", anchor=False)
    if line:
        st.write(plain(f"{line} So do these channels:"))
    st.dataframe(safe_cells(table), hide_index=True, alt="Channels that are never removed, and why.")


def show_together(structure: Structure) -> None:
    """The channels that are coupled by constants in the model's forward."""
    table = reasons_table(reasons_of(structure), "coupled")
    if len(table):
        st.header("What goes together", anchor=False)
        st.write("Constants in the model's forward allow these channels to be removed only together with others:")
        st.dataframe(safe_cells(table), hide_index=True, alt="Channels that leave together, and why.")


def show_exceptions(structure: Structure) -> None:
    """Norms over channels, and parameters that are not read in evaluation."""
    lines = exception_lines(structure)
    if lines:
        st.header("Special cases", anchor=False)
        st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def show_groups(structure: Structure, name: str) -> None:
    """The table of groups, and a button that downloads it.

    Args:
        name: of the study's folder.
    """
    info = groups_table(structure)
    if info.empty:
        return
    st.header("Groups", anchor=False)
    st.caption(
        "The units of a group are in the same layers, so any of them can be removed in place of another. "
        "MACs are those that compute the group's channels in the original network."
    )
    st.page_link(
        "pages/explore.py",
        label="See on Explore what each budget keeps of them",
        icon=":material/linear_scale:",
        query_params={"study": state.open_name() or name, "lens": "together"},
    )
    percent = 100 * info["macs_share"]
    config: dict[str, Any] = {
        "group": "Group",
        "macs_share": st.column_config.ProgressColumn("MACs, %", format="%.1f", min_value=0, max_value=percent.max()),
        "units": "Units",
        "layers": "Layers",
        "members": st.column_config.TextColumn("Names of the layers", width="large"),
    }
    alt = f"{len(info)} groups: their units, layers and share of the MACs."
    st.dataframe(safe_cells(info.assign(macs_share=percent)), hide_index=True, column_config=config, alt=alt)
    st.download_button(
        "Download the groups (CSV)",
        lambda: csv_of(info.round({"macs_share": 6})),
        file_name(f"{name}-groups.csv"),
        "text/csv",
        on_click="ignore",
    )
