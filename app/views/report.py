"""What one takes along from Explore: the report on the network on screen, and all measured networks as a table."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import streamlit as st

from app.budget_dial.devices import chosen_device
from app.budget_dial.image_sizes import chosen_height
from app.budget_dial.opened import OpenedRun
from app.curves import budget_curve, measurements
from legr.charts.cells import csv_of
from legr.charts.networks import networks_table
from legr.escape import file_name
from legr.ranking.limits import Budget
from legr.report.network import network_of
from legr.report.page import EXPLORER, page_of
from legr.study.heights import other_height
from legr.study.records import RankingName
from legr.study.store import Study


def download_report(study: Study, ranking: RankingName, budget: float, opened: OpenedRun | None) -> None:
    """Hand out the report on the network on screen; it is made on the click.

    Args:
        budget: fraction of the original's MACs.
        opened: the network that is open in place of the budget's.
    """
    explorer, device = _own_address(), chosen_device(study)
    height = None if opened else other_height(study, chosen_height(study, ranking))

    def page() -> str:
        network = network_of(
            study,
            opened.budget if opened else Budget(macs=budget),
            ranking,
            run=opened.run.key if opened else None,
            curve_of=lambda name: budget_curve(study, name),
            device=device,
            height=height,
        )
        return page_of(network, datetime.now(UTC), explorer)

    share = 100 * (opened.run.macs_fraction if opened else budget)
    st.download_button(
        "Report",
        page,
        file_name(f"{study.path.name}-{ranking}-{share:.4g}{f'-{height}px' if height else ''}.html"),
        "text/html",
        on_click="ignore",
        icon=":material/description:",
        help="One page to hand on or to print: figures, charts, conditions and commands. It opens without a network.",
    )


def download_networks(study: Study) -> None:
    """Hand out all measured networks, whatever the ranking and the axis on screen."""
    st.download_button(
        "Measured networks (CSV)",
        lambda: csv_of(networks_table(study, measurements(study))),
        file_name(f"{study.path.name}-networks.csv"),
        "text/csv",
        on_click="ignore",
        help="A row for each network and each condition that it was timed under, with all that is known of it.",
    )


def _own_address() -> str:
    """Where this explorer is, for a link back to it."""
    parts = urlsplit(st.context.url or EXPLORER)
    return f"{parts.scheme}://{parts.netloc}/"
