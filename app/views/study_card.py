"""The cards of the page Studies: what is known of each study, and buttons to open and manage it."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import state
from app.curves import budget_curve
from app.facts import network_description
from app.views.job_panel import active_job_lines
from app.views.study_menu import study_menu
from app.words import plain
from legr.charts.measurements import ORIGINAL, Measurements
from legr.errors import LegrError
from legr.escape import in_terminal
from legr.study.catalog import note_of
from legr.study.store import Study

PER_ROW = 3  # cards


def card_facts(study: Study) -> list[str]:
    """Three lines: network and images; accuracy and floor; what was learned, measured and fine-tuned.

    Raises:
        LegrError: a file of the study is damaged.
    """
    points = study.points
    original = Measurements(points).original
    accuracy = f"{100 * original.top1:.1f} % top-1" if original else "accuracy not measured yet"
    floor = budget_curve(study, study.default_ranking).floor
    measured = sum(point.ranking != ORIGINAL and not point.finetuned for point in points)
    counts = [f"{n} {what}" for n, what in ((measured, "measured"), (len(study.finetuned), "fine-tuned")) if n]
    learned = "Ranking learned" if study.learned else "Nothing learned yet"
    return [
        network_description(study.info),
        f"Original: {accuracy} · prunes down to {100 * floor:.1f} % of the MACs",
        " · ".join([learned, f"networks: {', '.join(counts)}" if counts else "no networks measured"]),
    ]


def show_cards(paths: list[Path], open_study: Callable[[str], None]) -> None:
    """Cards of studies, up to three in a row; a single one takes the whole width."""
    n_columns = min(len(paths), PER_ROW)
    for start in range(0, len(paths), PER_ROW):
        for column, path in zip(st.columns(n_columns), paths[start : start + PER_ROW], strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(path, open_study)


def _card(path: Path, open_study: Callable[[str], None]) -> None:
    """The card of one study; a damaged study shows its error."""
    replaced = state.known_studies().get(path.name) != path  # by the user's copy of this sample
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{plain(path.name)}**", width="content")
        if replaced:
            st.badge("Copied", color="gray", help="Open your copy below instead.")
        elif path.name == state.open_name():
            st.badge("Open now", color="primary")
    try:
        study = Study.open(path)
        note, lines = note_of(study), [*card_facts(study), *active_job_lines(study)]
        facts = "  \n".join(map(plain, lines))
    except (LegrError, OSError) as error:
        note, facts = "", f":red[{plain(str(error))}]"
    if note:
        st.text(in_terminal(note))
    st.markdown(f":small[{facts}]")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not replaced:
            if st.button("Open", key=f"open-{path.name}"):
                open_study(path.name)
            study_menu(path)
