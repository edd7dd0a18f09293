"""Networks that were compared before, on the page See it: a button each, which leads there."""

import streamlit as st

from app import state
from app.budget_dial.image_sizes import heights_of, remember_height
from app.curves import budget_curve, structures_with_sizes
from app.views.weights import set_weights
from app.words import plain
from legr.charts.measurements import percent_of
from legr.errors import LegrError
from legr.structure.cost import cost
from legr.study.comparison import ComparedNetwork, list_compared
from legr.study.records import RANKINGS
from legr.study.store import Study, keep_id
from legr.study.trained import supernet_for

_MAX_LINKS = 6


def show_compared(study: Study) -> None:
    """Buttons to the networks of this study that were compared."""
    known = ((network, _share_today(study, network)) for network in list_compared(study))
    networks = [(network, share) for network, share in known if share is not None][:_MAX_LINKS]
    if not networks:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Compared so far:", width="content")
        for number, (network, share) in enumerate(networks):
            trained = ", fine-tuned" if network.finetuned else ", trained together" if network.supernet else ""
            size = f", {network.height} px" if network.height else ""
            label = f"{100 * share:.1f} %, {network.ranking}{trained}{size}"
            st.button(plain(label), key=f"compared-{number}", on_click=_go_to, args=(study, network))


def _share_today(study: Study, network: ComparedNetwork) -> float | None:
    """MACs of a network with its images, as a fraction of the original's; None where the dial does not lead to it.

    It leads there if its ranking has the same network at its budget, with the weights that it was compared with, and
    images of its height are offered.
    """
    ranking = next((name for name in RANKINGS if name == network.ranking), None)
    if ranking is None or (network.height and network.height not in heights_of(study, ranking)):
        return None
    try:
        curve = budget_curve(study, ranking)
        keep = curve.at(macs=percent_of(network.macs_fraction) / 100)
    except LegrError:
        return None
    supernet = supernet_for(study, keep, ranking, network.height) if network.supernet else None
    if keep_id(keep) != network.keep_id or (supernet.key if supernet else "") != network.supernet:
        return None
    if network.height is None:
        return network.macs_fraction
    return cost(structures_with_sizes(study)[network.height], keep).macs / curve.original.macs


def _go_to(study: Study, network: ComparedNetwork) -> None:
    state.open_run(None)
    state.move_slider(percent_of(network.macs_fraction))
    state.remember_view("ranking", network.ranking)
    remember_height(study, network.height)
    set_weights("finetuned" if network.finetuned else "together" if network.supernet else "pruned")
