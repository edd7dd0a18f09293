"""A search on the Learn page while it runs, and what the last finished one has learned."""

import streamlit as st

from app.facts import loss_in_words
from app.views.replay import show_replay
from app.widgets.chart import show_chart
from app.words import plain, plural
from legr.charts.search import (
    map_figure,
    map_table,
    running_search_table,
    search_figure,
    search_table,
)
from legr.charts.style import CAPTIONS
from legr.jobs.records import Job
from legr.progress import duration
from legr.search.replay import journal_path, newest_journal
from legr.study.records import MAPS, Learned, SearchSettings
from legr.study.store import Study

#: Names of methods; studies of earlier versions may name one that is no longer offered.
NAMES = {
    "gradient": "Gradient",
    "evolution": "Evolution",
    "rl": "Reinforcement learning",
    "cma-es": "CMA-ES",
    "tpe": "TPE",
}
_ALT = "Best loss after each pass, beside the loss of plain norms."


def show_search(study: Study, job: Job) -> None:
    """A search under way, below its progress; one that was not finished, where nothing else is learned yet."""
    learned = study.learned
    if job.active and job.stage == "point" and learned:
        st.caption("The ranking is learned and in use. Now the networks of the frontier are measured.")
        return
    table = running_search_table(job.history)  # its first candidate is plain norms: nothing can be said of it alone
    if len(table) < 2 or job.state == "done" or (learned and not job.active):
        return
    words = loss_in_words(float(table["identity"].iloc[-1]), float(table["best"].iloc[-1]))
    st.caption(plain(f"So far: {words}."))
    if not (job.active and show_replay(study, newest_journal(study, since=job.created), "replay-live")):
        show_chart(search_figure(table, job.total), key="search", alt=_ALT)


def chosen_map(study: Study) -> Learned | None:
    """The learned map to show: the study's own, or the one chosen where it has two; None where nothing is learned."""
    names = [name for name in study.rankings if name in MAPS]
    if len(names) < 2:
        return study.learned
    chosen = st.segmented_control(
        "Ranking", names, default=names[0], required=True, key="shown-map", format_func=CAPTIONS.__getitem__
    )
    return study.map_of(chosen)


def show_learned(study: Study, learned: Learned, *, is_searching: bool) -> None:
    """The result of the last finished search, and how the search got there.

    Args:
        is_searching: another search runs, or this one is continued.
    """
    name = "The ranking in use" if is_searching else "The learned ranking"
    st.header(
        plain(f"{name}: {loss_in_words(learned.identity_loss, learned.best_loss)}"),
        anchor=False,
        help=f"On held-out images. Best loss {learned.best_loss:.4f}; of plain norms (the identity, with alpha 1 and "
        f"kappa 0) {learned.identity_loss:.4f}. Over several budgets a loss is relative to that of plain norms.",
    )
    st.caption(plain(f"{describe(learned.settings)}. {_effort_spent(learned)}"))
    if learned.supernet:
        st.caption(
            "It was learned again while a supernet was trained, on shared weights: alpha and kappa are what that has "
            "come to, losses and candidates those of the search before."
        )
    if not show_replay(study, journal_path(study, learned.settings), "replay"):
        figure = search_figure(search_table(learned), learned.passes_spent[-1])
        show_chart(figure, key="trace", alt=_ALT)
    st.markdown("**Alpha and kappa of each layer**", help=_MAP)
    show_chart(map_figure(map_table(learned)), key="map", alt=_MAP)


_MAP = (
    "A filter's score is alpha times its norm, plus kappa; those with the lowest scores leave first. "
    "Dotted: plain norms, alpha 1 and kappa 0."
)


def describe(settings: SearchSettings) -> str:
    """Settings in words."""
    budgets = " and ".join(f"{100 * budget:g} %" for budget in settings.budgets)
    cost = "MACs" if settings.cost == "macs" else f"latency on {settings.device_profile}"
    where = f"at {budgets} of the {cost}" if budgets else "along the whole slider"
    where += f" of its {cost}" if settings.cost != "macs" and not budgets else ""
    method = NAMES.get(settings.method, settings.method)
    return f"{method}, scored {where} on up to {settings.images:,} held-out images, seed {settings.seed}"


def _effort_spent(learned: Learned) -> str:
    """How long the search took, and whether it has come to an end by itself."""
    ending = " It has settled: the kept channels no longer change." if learned.settled else ""
    spent = round(learned.passes_spent[-1])
    passes = f"{spent} pass{'' if spent == 1 else 'es'}"
    return f"{plural(learned.candidates, 'candidate')} tried in {passes}, {duration(learned.seconds)}.{ending}"
