"""The replay of a search on the Learn page, also while the search runs."""

from pathlib import Path

import pandas as pd
import streamlit as st

from app import state
from app.curves import Stamp, budget_curve, stamp
from app.widgets.chart import show_chart
from legr.charts.replay import replay_figure, replay_table, thin_out
from legr.search.replay import frames
from legr.study.store import Study


def show_replay(study: Study, journal: Path | None, key: str) -> bool:
    """Show a search from its journal, at the chosen budget; say whether it has the two frames that this takes.

    Args:
        key: of the chart; unique on the page.
    """
    if journal is None or not journal.exists():
        return False
    budget = max(state.budget_percent() / 100, budget_curve(study, "identity").floor)
    info = _replay(str(study.path), str(journal), journal.stat().st_mtime_ns, stamp(study), budget)
    if len(info) < 2:
        return False
    totals = [layer.total for layer in study.structure.layers]
    st.markdown(f"**What the best map so far keeps, at {100 * budget:.4g} % of the MACs**")
    alt = f"Loss of the best of {info['candidate'].iloc[-1] + 1} maps, and filters that it keeps of each layer."
    show_chart(replay_figure(info, totals, info["best"].iloc[0]), key=key, alt=alt)
    return True


@st.cache_data(max_entries=8, show_spinner=False)
def _replay(study: str, journal: str, written: int, stamp: Stamp, budget: float) -> pd.DataFrame:
    opened = Study.open(study)
    return replay_table(opened, thin_out(frames(Path(journal), len(opened.structure.layers))), budget)
