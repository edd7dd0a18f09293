"""The map of layers whose filters leave together, on the page Structure; a click opens the card of a layer."""

import streamlit as st

from app import state
from app.browser_files import entry
from app.budget_dial.card import chosen_layer, layer_names
from app.budget_dial.lanes import lay_out_lanes
from app.budget_dial.lanes_types import LanesPageData
from app.budget_dial.study_data import STYLE
from app.curves import budget_curve
from app.navigation import go_on, go_on_now
from app.words import plain
from legr.charts.style import CAPTIONS
from legr.escape import in_data
from legr.ranking.budget import BudgetCurve
from legr.study.records import RankingName
from legr.study.store import Study

_KEY = "lanes"

_mount = st.components.v2.component(
    "legr.lanes",
    html='<section class="bd-lanes" aria-label="Layers whose filters leave together"></section>',
    js=entry("lanes.js", "map of layers"),
    isolate_styles=False,  # the dial's styles have to reach it
)


def show_lane_map(study: Study, ranking: RankingName) -> None:
    """Show the map of the network at the chosen budget; nothing where no filter can leave."""
    go_on_now()
    curve = budget_curve(study, ranking)
    if curve.structure.n_units == 0:
        return
    step = curve.step(macs=max(curve.floor, min(1.0, state.budget_percent() / 100)))
    percent = f"{100 * curve.macs[step] / curve.original.macs:.3g} %"
    st.header("Which layers lose filters together", anchor=False)
    st.caption(
        plain(f"At {percent} of the MACs along the ranking {CAPTIONS[ranking]}. A click opens the card of a layer.")
    )

    def receive() -> None:
        layer = st.session_state[_KEY].get("layer")
        if isinstance(layer, str) and layer in layer_names(study):
            state.remember_view("layer", layer)
            go_on("pages/explore.py")

    _mount(key=_KEY, data={**lanes_page_data(curve, step, chosen_layer(study))}, on_layer_change=receive)


def lanes_page_data(curve: BudgetCurve, step: int, layer: str) -> LanesPageData:
    """What the browser is sent of the network after some steps.

    Args:
        layer: whose column is lit; "": none.
    """
    layers = curve.structure.layers
    data: LanesPageData = {
        "layers": [one.name for one in layers],
        "totals": [one.total for one in layers],
        "kept": [int(kept) for kept in curve.kept[:, step]],
        "lanes": lay_out_lanes(curve.structure).to_dict(),
        "layer": layer,
        "style": STYLE,
    }
    return in_data(data)
