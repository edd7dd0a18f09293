"""The two charts of the Explore page, each under its heading and beside its own switch.

They do not know where the figures come from.
"""

import streamlit as st

from app.charts import COLOURS, PLAIN, layers_figure, layers_info
from app.figures import Figures
from app.frontier import AXES, AXIS_CAPTIONS, Axis, frontier_figure, frontier_info
from app.measured import Measurements
from legr.ranking.budget import BudgetCurve

UNITS = ("Filters", "Per cent")


def layers_panel(curve: BudgetCurve, figures: Figures) -> None:
    """Kept and removed filters of each layer."""
    with _heading():
        st.subheader("Filters of each layer", anchor=False, width="content")
        unit = st.segmented_control(
            "Bars show",
            UNITS,
            default=UNITS[0],
            required=True,
            label_visibility="collapsed",
            key="bars",
            persist_state="session",
        )
    info = layers_info(curve.structure, figures.keep)
    figure = layers_figure(info, COLOURS[figures.here.ranking], as_share=unit == UNITS[1])
    kept, total = int(info["kept"].sum()), int(info["total"].sum())
    alt = f"Stacked bars: {kept} of {total} filters are kept in {len(info)} layers."
    st.plotly_chart(figure, key="layers", config=PLAIN, alt=alt)


def frontier_panel(measured: Measurements, figures: Figures) -> None:
    """Measured networks, accuracy against a cost of choice, and where the budget stands."""
    with _heading():
        st.subheader("Accuracy against cost", anchor=False, width="content")
        axis: Axis = st.segmented_control(
            "Cost",
            AXES,
            default="latency" if measured.conditions else "macs",
            required=True,
            format_func=AXIS_CAPTIONS.__getitem__,
            label_visibility="collapsed",
            key=f"axis-{bool(measured.conditions)}",
            persist_state="session",
        )
    info = frontier_info(measured, axis)
    if info.empty:
        what = "latency" if axis == "latency" and measured.points else "network"
        st.info(f"No {what} has been measured yet: Measure the frontier, below, does so at about a dozen budgets.")
        return
    figure = frontier_figure(info, axis, measured.conditions, figures.here)
    alt = "Accuracy of the measured networks against their cost, one line for each ranking."
    st.plotly_chart(figure, key="frontier", config=PLAIN, alt=alt)


def _heading() -> st.delta_generator.DeltaGenerator:
    return st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
