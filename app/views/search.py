"""The search for a ranking on the Learn page: its settings, its progress and its result."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import streamlit as st

from app.views.replay import show_replay
from app.widgets.images import NO_IMAGES
from app.words import plain
from legr.charts.search import (
    MAP_HEIGHT,
    map_figure,
    map_table,
    running_search_table,
    search_figure,
    search_table,
)
from legr.charts.style import PLOTLY_CONFIG
from legr.jobs.records import Job
from legr.progress import duration
from legr.requests.ranges import IMAGES, PASSES, SEED
from legr.requests.types import LearnRequest
from legr.search.methods import METHODS, is_offered
from legr.search.replay import journal_path, newest_journal
from legr.study.pass_times import seconds_per_pass
from legr.study.records import EFFORTS, Learned, SearchSettings
from legr.study.store import Study

#: Names of methods; studies of earlier versions may name one that is no longer offered.
NAMES = {"gradient": "Gradient", "evolution": "Evolution", "cma-es": "CMA-ES", "tpe": "TPE"}
Container = AbstractContextManager[Any, Any]
WHOLE, ONE, OTHER = "Whole slider", "One budget", "Other"
_USUAL_BUDGET = 0.3  # fraction of the MACs that is offered first


def search_form(study: Study, available: bool) -> LearnRequest | None:
    """The settings of a search and the button that starts it.

    Args:
        available: whether the images are on this machine.

    Returns:
        The request once the button is pressed, else None.
    """
    learned = study.learned
    last = learned.settings if learned else SearchSettings()
    if not is_offered(last):
        last = SearchSettings()
    with st.container(border=True):
        settings = _choose_images_and_seed(_choose_budgets(_choose_method(last)))
        continued = learned if settings == last else None
        passes_spent = continued.passes_spent[-1] if continued else 0.0
        effort = _choose_effort(study, settings.method, passes_spent)
        reason = _why_done(continued, effort) if available else NO_IMAGES
        label = f"Continue to {effort} passes" if passes_spent else "Start learning"
        if not st.button(plain(label), type="primary", disabled=reason is not None, help=plain(reason or "") or None):
            return None
    return LearnRequest.for_settings(settings, effort, measure=True)


def _why_done(learned: Learned | None, effort: int) -> str | None:
    """Why a search need not go on to some effort; None where it can.

    Args:
        learned: the result of the search so far; None where it has not begun.
    """
    if learned and learned.settled:
        return "This search has settled: the kept channels no longer change. Choose another seed to start a new one."
    if learned and effort <= learned.passes_spent[-1]:
        return f"{learned.passes_spent[-1]:.0f} passes are done: choose more of them to continue."
    return None


def _choose_method(last: SearchSettings) -> SearchSettings:
    method = st.segmented_control(
        "Method",
        list(METHODS),
        default=last.method,
        required=True,
        key="method",
        format_func=NAMES.__getitem__,
        help="Gradient: follows the gradient of the loss with respect to the filters' masks, and needs a fraction of "
        "the time. Evolution: the paper's method, which mutates the best candidates.",
    )
    return last if method == last.method else SearchSettings(method=method)


def _choose_budgets(settings: SearchSettings) -> SearchSettings:
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    goals = [WHOLE, ONE] + ([OTHER] if len(settings.budgets) > 1 else [])
    current_goal = {0: WHOLE, 1: ONE}.get(len(settings.budgets), OTHER)
    goal = left.segmented_control(
        "Learn for",
        goals,
        default=current_goal,
        required=True,
        key="goal",
        help="A ranking learned for one budget is better at this budget and worse at others.",
    )
    if goal == OTHER:
        right.caption(", ".join(f"{100 * budget:g} %" for budget in settings.budgets))
        return settings
    if goal == WHOLE:
        return replace(settings, budgets=())
    fraction = settings.budgets[0] if len(settings.budgets) == 1 else _USUAL_BUDGET
    percent = right.number_input(
        "Budget, % of the MACs", min(1.0, 100 * fraction), 100.0, 100 * fraction, 1.0, "%.1f", width=220
    )
    return replace(settings, budgets=(float(f"{percent / 100:.6g}"),))  # without the rounding error of the division


def _choose_images_and_seed(settings: SearchSettings) -> SearchSettings:
    with st.expander("More settings"):
        left, right = st.columns(2)
        images = left.number_input(
            "Held-out images",
            IMAGES.low,
            IMAGES.high,
            settings.images,
            500,
            help="The study may have fewer of them; then it takes all.",
        )
        seed = right.number_input(
            "Seed", SEED.low, SEED.high, settings.seed, help="The same seed gives the same ranking."
        )
    return replace(settings, images=int(images), seed=int(seed))


def _choose_effort(study: Study, method: str, passes_spent: float) -> int:
    efforts = EFFORTS[method]
    seconds = seconds_per_pass(study, method)

    def label(name: str) -> str:
        if name not in efforts:
            return name
        passes_left = max(efforts[name] - passes_spent, 0)
        in_words = duration(passes_left * seconds) if seconds and passes_left else f"{efforts[name]} passes"
        return f"{name} ({in_words})"

    left, right = st.columns([3, 2], vertical_alignment="bottom")
    usual = next((name for name, passes in efforts.items() if passes > passes_spent and name != "Quick"), OTHER)
    effort = left.segmented_control(
        "Effort",
        [*efforts, OTHER],
        default=usual,
        required=True,
        key=f"effort-{method}-{passes_spent:g}",
        format_func=label,
        help="Counted in passes: one network over the held-out images once. Times are those of this machine, "
        "or else of the machine that learned the ranking.",
    )
    if effort in efforts:
        return efforts[effort]
    with right:
        return int(st.number_input("Passes", PASSES.low, PASSES.high, max(2 * int(passes_spent), 100), 50, width=220))


def describe(settings: SearchSettings) -> str:
    """Settings in words."""
    budgets = " and ".join(f"{100 * budget:g} %" for budget in settings.budgets)
    where = f"at {budgets} of the MACs" if budgets else "along the whole slider"
    method = NAMES.get(settings.method, settings.method)
    return f"{method}, scored {where} on up to {settings.images:,} held-out images, seed {settings.seed}"


def show_search(study: Study, job: Job) -> None:
    """A search that runs or has ended early: losses, chart and replay. Its last stage measures networks."""
    if job.state == "done":
        return
    learned = study.learned
    if job.stage == "point" and learned:
        st.caption("The ranking is learned and in use. Now the networks of the frontier are measured.")
        table, total_passes = search_table(learned), learned.passes_spent[-1]
    else:
        table, total_passes = running_search_table(job.history), job.total
    if len(table):
        identity, best = float(table["identity"].iloc[-1]), float(table["best"].iloc[-1])
        _losses(identity, best, *st.columns(2, wrap=False))  # so that the metrics do not move as their numbers change
        st.plotly_chart(search_figure(table, total_passes), key="search", config=PLOTLY_CONFIG, alt=_ALT)
    if job.active and job.stage != "point":
        show_replay(study, newest_journal(study, since=job.created), "replay-live")


def show_learned(study: Study, learned: Learned) -> None:
    """The result of the last finished search, and how the search got there."""
    st.header("The learned ranking", anchor=False)
    with st.container(horizontal=True):
        _losses(learned.identity_loss, learned.best_loss, nullcontext(), nullcontext())
        st.metric("Candidates", str(learned.candidates), help=f"The best one was candidate {learned.best_candidate:d}.")
        st.metric("Search time", duration(learned.seconds))
    ending = " It has settled: the kept channels no longer change." if learned.settled else ""
    st.caption(plain(f"{describe(learned.settings)}.{ending}"))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Best loss during the search**")
        figure = search_figure(search_table(learned), learned.passes_spent[-1], height=MAP_HEIGHT)
        st.plotly_chart(figure, key="trace", config=PLOTLY_CONFIG, alt=_ALT)
    with right:
        st.markdown("**Alpha and kappa of each layer** (dotted: the identity, alpha 1 and kappa 0)")
        alt = "Alpha and kappa of each layer."
        st.plotly_chart(map_figure(map_table(learned)), key="map", config=PLOTLY_CONFIG, alt=alt)
    show_replay(study, journal_path(study, learned.settings), "replay")


_ALT = "Best loss after each pass, beside the loss of the identity."
_RELATIVE = "With several budgets, relative to the loss of the identity at each."


def _losses(identity: float, best: float, left: Container, right: Container) -> None:
    improved = best < identity
    change = f"{100 * (best / identity - 1):+.1f} %" if improved else None
    beside = "vs. identity" if improved else None
    with left:
        st.metric(
            "Loss of the identity",
            f"{identity:.4f}",
            help=f"Of plain L2 norms, candidate 0. {_RELATIVE}",
        )
    with right:
        st.metric(
            "Best loss",
            f"{best:.4f}",
            change,
            delta_color="inverse",
            delta_description=beside,
        )
