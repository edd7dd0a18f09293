"""The original beside the network of the budget, on the page Structure: shapes of all parameters, and filter norms."""

from typing import Any

import streamlit as st

from app import state
from app.curves import budget_curve
from app.widgets.chart import show_chart
from app.words import plain
from legr.charts.cells import csv_of, safe_cells
from legr.charts.filter_norms import norms_figure, norms_table
from legr.charts.style import CAPTIONS, COLOURS
from legr.charts.tensors import tensors_table
from legr.escape import file_name
from legr.study.records import RankingName
from legr.study.store import Study


def show_side_by_side(study: Study, ranking: RankingName) -> None:
    """What pruning to the chosen budget does to every parameter, and the norms of what stays and goes."""
    curve = budget_curve(study, ranking)
    if curve.structure.n_units == 0:
        return
    step = curve.step(macs=max(curve.floor, min(1.0, state.budget_percent() / 100)))
    keep, percent = curve.keep(step), f"{100 * curve.macs[step] / curve.original.macs:.3g} %"
    table = tensors_table(curve.structure, keep)
    st.header("Original and pruned, side by side", anchor=False)
    changed = table["original"] != table["pruned"]
    n_left = int((table["pruned"] == "removed").sum())
    gone = f" {n_left} of them have left with their blocks." if n_left else ""
    st.caption(
        plain(
            f"At {percent} of the MACs along the ranking {CAPTIONS[ranking]}, where the slider of Explore stands, "
            f"{int(changed.sum())} of {len(table)} tensors have another shape.{gone}"
        )
    )
    alone = st.toggle("Changed ones alone", key="changed-alone", persist_state="session")
    shown = table[changed] if alone else table
    config: dict[str, Any] = {
        "tensor": st.column_config.TextColumn("Tensor", width="large"),
        "original": "Original",
        "pruned": "Pruned",
        "original_values": st.column_config.NumberColumn("Parameters", format="localized"),
        "pruned_values": st.column_config.NumberColumn("Parameters left", format="localized"),
    }
    st.dataframe(
        safe_cells(shown),
        hide_index=True,
        column_config=config,
        alt="Shapes of all tensors of parameters before and after pruning.",
    )
    st.download_button(
        "Download the shapes (CSV)",
        lambda: csv_of(table),
        file_name(f"{study.path.name}-shapes.csv"),
        "text/csv",
        on_click="ignore",
    )
    st.caption("Norms of the filters of each layer: kept ones beside removed ones, the middle half of each in the box.")
    norms = norms_table(study.ranker, keep)
    alt = f"Norms of kept and removed filters of {norms['layer'].nunique()} layers."
    show_chart(norms_figure(norms, COLOURS[ranking]), "filter-norms", alt)
