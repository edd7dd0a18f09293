"""One study among others: what it shows, what is known of it, and the way in.

It does not know how any of it was computed.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import state
from app.charts.measurements import ORIGINAL, Measurements
from app.views.job_panel import active_job_lines
from app.views.study_menu import study_menu
from app.widgets.study import network_words
from app.words import plain
from legr.errors import LegrError
from legr.study.catalog import note_of
from legr.study.store import Study

ABREAST = 3  # cards beside each other


def card_facts(study: Study) -> list[str]:
    """What is known of a study, in lines: network and images; accuracy and floor; what was learned and measured.

    Raises:
        LegrError: a file of it is damaged.
    """
    points = study.points
    original = Measurements(points).original
    accuracy = f"{100 * original.top1:.1f} % top-1" if original else "accuracy not measured yet"
    floor = state.curve(study, study.default_ranking).floor
    measured = sum(point.ranking != ORIGINAL and not point.finetuned for point in points)
    counts = [f"{n} {what}" for n, what in ((measured, "measured"), (len(study.finetuned), "fine-tuned")) if n]
    learned = "Ranking learned" if study.learned else "Nothing learned yet"
    return [
        network_words(study.info),
        f"Original: {accuracy} · prunes down to {100 * floor:.1f} % of the MACs",
        " · ".join([learned, f"networks: {', '.join(counts)}" if counts else "no networks measured"]),
    ]


def show_cards(paths: list[Path], open_study: Callable[[str], None]) -> None:
    """Cards of studies, up to three abreast; a single one takes the whole width."""
    for start in range(0, len(paths), ABREAST):
        row = paths[start : start + ABREAST]
        abreast = min(len(paths), ABREAST)
        for column, path in zip(st.columns(abreast), row, strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(path, open_study)


def _card(path: Path, open_study: Callable[[str], None]) -> None:
    """A damaged study says so and does no harm to the others."""
    known = state.known_studies().get(path.name) == path
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{plain(path.name)}**", width="content")
        if not known:
            st.badge("Copied", color="gray", help="Your copy, below, is opened instead.")
        elif path.name == state.open_name():
            st.badge("Open now", color="primary")
    try:
        study = Study.open(path)
        note, lines = note_of(study), [*card_facts(study), *active_job_lines(study)]
        facts = "  \n".join(map(plain, lines))
    except (LegrError, OSError) as error:
        note, facts = "", f":red[{plain(str(error))}]"
    if note:
        st.text(note)
    st.markdown(f":small[{facts}]")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if known:
            if st.button("Open", key=f"open-{path.name}"):
                open_study(path.name)
            study_menu(path)
