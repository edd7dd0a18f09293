"""The cards of the page Studies: what is known of each study, and buttons to open and manage it."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import state
from app.curves import budget_curve
from app.facts import network_description, title_of
from app.samples import beside_copy
from app.views.job_panel import active_job_lines
from app.views.study_menu import study_menu
from app.widgets.page import as_sentence
from app.words import plain, plural
from legr.charts.measurements import ORIGINAL, Measurements
from legr.errors import LegrError
from legr.escape import in_terminal
from legr.study.catalog import note_of
from legr.study.store import Study
from legr.study.supernets import supernet_of

PER_ROW = 3  # cards
NEWEST, NAME = "Last changed", "Name"


def card_facts(study: Study) -> list[str]:
    """Two lines: accuracy and floor; what was learned, measured and trained.

    Raises:
        LegrError: a file of the study is damaged.
    """
    points = study.points
    original = Measurements(points).original
    accuracy = f"{100 * original.top1:.1f} % top-1" if original else "Accuracy not measured yet"
    floor = budget_curve(study, study.default_ranking).floor
    measured = sum(point.ranking != ORIGINAL and not point.finetuned for point in points)
    counts = [plural(measured, "network") + " measured"] if measured else []
    counts += [f"{len(study.finetuned)} fine-tuned"] if study.finetuned else []
    counts += ["all budgets trained together"] if supernet_of(study, study.default_ranking) else []
    learned = "Ranking learned" if study.learned else "Nothing learned yet"
    return [
        f"{accuracy} · prunes down to {100 * floor:.1f} % of the MACs",
        " · ".join([learned, ", ".join(counts) or "no networks measured"]),
    ]


def in_order(paths: list[Path], by: str) -> list[Path]:
    """Studies by what they are called, or those first that were changed last.

    Args:
        by: `NEWEST` or `NAME`.
    """
    return sorted(paths, key=_title) if by == NAME else sorted(paths, key=_changed, reverse=True)


def _title(path: Path) -> tuple[str, str]:
    """What orders studies by name, those of one title by their folders."""
    try:
        return title_of(Study.open(path)).lower(), path.name
    except (LegrError, OSError):
        return path.name.lower(), path.name


def _changed(path: Path) -> float:
    """When something was last written to a study."""
    try:
        return max(entry.stat().st_mtime for entry in path.iterdir())
    except (OSError, ValueError):
        return 0.0


def show_cards(paths: list[Path], open_study: Callable[[str], None]) -> None:
    """Cards of studies, up to three in a row; a single one takes the whole width."""
    n_columns = min(len(paths), PER_ROW)
    for start in range(0, len(paths), PER_ROW):
        for column, path in zip(st.columns(n_columns), paths[start : start + PER_ROW], strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(path, open_study)


def _card(path: Path, open_study: Callable[[str], None]) -> None:
    """The card of one study; a damaged study shows its error."""
    known = state.known_studies()
    has_copy = known.get(path.name) != path
    name = beside_copy(path.name) if has_copy else path.name
    try:
        study = Study.open(path)
        lines = [*card_facts(study), *active_job_lines(study)]
        title, note, facts = title_of(study), note_of(study), "  \n".join(map(plain, lines))
        if study.info.warning:
            facts += f"  \n:material/warning: {plain(as_sentence(study.info.warning))}"
        folder = f"{path.name} · {network_description(study.info)}"
    except (LegrError, OSError) as error:
        title, note, facts, folder = path.name, "", f":red[{plain(str(error))}]", ""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(plain(title), anchor=False, width="content")
        if known.get(state.open_name() or "") == path:
            st.badge("Open now", color="primary")
    if note:
        st.text(in_terminal(note))
    st.markdown(f":small[{facts}]")
    if folder:
        st.caption(plain(folder))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        help_text = "You have a copy of it, which is below." if has_copy else None
        if st.button("Open the sample" if has_copy else "Open", key=f"open-{name}", help=help_text):
            open_study(name)
        study_menu(path, name)
