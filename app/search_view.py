"""The search for a ranking on the Learn page: its settings, its progress, what it found.

It does not know how candidates are proposed or scored.
"""

import streamlit as st

from app.charts import PLAIN, map_figure, map_info, search_figure, search_info, search_info_of_history
from app.widgets import metric, option, plain
from legr.jobs.records import Job
from legr.progress import duration
from legr.study.records import Learned, SearchSettings
from legr.study.store import Study

PRESETS = {"Quick": 64, "Standard": 400}
CUSTOM = "Other"


def search_form(study: Study, job: Job | None, available: bool) -> list[str] | None:
    """The settings of a search and the button that starts it; those of a search that has begun are fixed.

    Args:
        job: the newest search of this study.
        available: whether the images are here.

    Returns:
        The arguments of `learn` once the button is pressed, else None.
    """
    learned = study.learned
    n_done = learned.candidates if learned else 0
    begun = (study.path / "search.journal").exists()
    with st.container(border=True):
        n_candidates = _candidates(n_done)
        arguments = _fixed(learned, job) if begun else _settings()
        enough = n_candidates > n_done
        reason = None if enough else f"{n_done} candidates are finished: choose more to extend the search."
        label = f"Search on to {n_candidates} candidates" if begun else "Start learning"
        if not st.button(label, type="primary", disabled=not (available and enough), help=reason):
            return None
    return [*arguments, "--candidates", str(n_candidates), "--measure"]


def _candidates(n_done: int) -> int:
    first = next((name for name, number in PRESETS.items() if number > n_done), CUSTOM)
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    preset = left.segmented_control(
        "Candidates",
        [*PRESETS, CUSTOM],
        default=first,
        required=True,
        key=f"preset-{n_done}",
        format_func=lambda name: f"{name} ({PRESETS[name]})" if name in PRESETS else name,
        help="Rankings that are tried. The first 64 are random, each later one improves on one of the best.",
    )
    if preset in PRESETS:
        return PRESETS[preset]
    with right:
        return int(st.number_input("Number of candidates", 1, 100_000, max(2 * n_done, 100), 50, width=220))


def _settings() -> list[str]:
    """The settings of a new search, as arguments."""
    usual = SearchSettings()
    budget, images, seed = st.columns(3)
    percent = budget.number_input(
        "Scored at, % of the MACs",
        1.0,
        100.0,
        100 * usual.budget,
        1.0,
        "%.1f",
        help="The budget that candidates are pruned to. The lowest of interest is a good choice.",
    )
    n_images = images.number_input(
        "Held-out images", 2, 100_000, usual.images, 500, help="At most as many as the study holds out."
    )
    number = seed.number_input("Seed", 0, 2**32 - 1, usual.seed, help="The same seed finds the same ranking.")
    return ["--budget", f"{percent / 100:.6g}", "--images", str(n_images), "--seed", str(number)]


def _fixed(learned: Learned | None, job: Job | None) -> list[str]:
    """Say that a search that has begun keeps its settings; it needs no arguments for them."""
    settings = SearchSettings.from_dict(learned.settings) if learned else _settings_of(job)
    st.caption(
        plain(
            f"This study's search has begun and keeps its settings ({describe(settings)}). "
            "For other settings, make a new study."
        )
    )
    return []


def _settings_of(job: Job | None) -> SearchSettings:
    usual = SearchSettings()
    if job is None:
        return usual
    return SearchSettings(
        budget=float(option(job, "--budget", usual.budget)),
        images=int(option(job, "--images", usual.images)),
        seed=int(option(job, "--seed", usual.seed)),
    )


def describe(settings: SearchSettings) -> str:
    """Settings in words."""
    budget = f"{100 * settings.budget:g} % of the MACs"
    return f"scored at {budget} on up to {settings.images:,} held-out images, seed {settings.seed}"


def show_search(study: Study, job: Job) -> None:
    """A search at work, or as it stood when it failed: losses and chart; its second stage measures."""
    if job.state == "done":
        return
    learned = study.learned
    if job.stage == "point" and learned:
        st.caption("The ranking is learned and in use. Now the networks of the frontier are measured.")
        info, total = search_info(learned.trace, learned.identity_loss), learned.candidates
    else:
        info, total = search_info_of_history(job.history), job.total
    if len(info):
        first, last = float(info["identity"].iloc[-1]), float(info["best"].iloc[-1])
        with st.container(horizontal=True):
            _losses(first, last)
        st.plotly_chart(search_figure(info, total), key="search", config=PLAIN, alt=_ALT)


def show_learned(learned: Learned) -> None:
    """What the last finished search found."""
    st.subheader("The learned ranking", anchor=False)
    with st.container(horizontal=True):
        _losses(learned.identity_loss, learned.best_loss)
        metric("Candidates", str(learned.candidates), help=f"The best was number {learned.best_candidate}.")
        metric("Search time", duration(learned.seconds))
    words = describe(SearchSettings.from_dict(learned.settings))
    st.caption(plain(f"{words[:1].upper()}{words[1:]}."))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Best loss after each candidate**")
        info = search_info(learned.trace, learned.identity_loss)
        figure = search_figure(info, learned.candidates, height=430)
        st.plotly_chart(figure, key="trace", config=PLAIN, alt=_ALT)
    with right:
        st.markdown("**Alpha and kappa of each layer** (dotted: the identity, alpha 1 and kappa 0)")
        alt = "Alpha and kappa of each layer."
        st.plotly_chart(map_figure(map_info(learned)), key="map", config=PLAIN, alt=alt)


_ALT = "Best loss after each candidate, beside the loss of the identity."


def _losses(identity: float, best: float) -> None:
    change = f"{100 * (best / identity - 1):+.1f} %" if best < identity else None
    metric("Loss of the identity", f"{identity:.4f}", help="Of plain L2 norms, candidate 0.")
    metric("Best loss", f"{best:.4f}", change, less_is_better=True, against="identity")
