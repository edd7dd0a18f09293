"""The budget dial of a study: what is given to it, and what is done when it is let go.

It does not know how the browser draws it.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import state
from app.budget_dial import budget_dial, serve_plotly
from app.budget_dial.table import LENSES, dial_table
from app.budget_dial.types import Lens
from app.charts.frontier import AXES, AXIS_CAPTIONS, Axis, frontier_figure, frontier_info
from app.charts.measurements import Measurements, percent_of
from app.charts.style import CAPTIONS, COLOURS
from legr.ranking.constraints import Constraints
from legr.study.records import RANKINGS, RankingName
from legr.study.store import Study

WAYS = ("macs", "params", "size", "latency", "fps")
_KEY = "dial"
_START = "dial-start"
_UNMEASURED = "No network has been measured yet: Measure the frontier, below, does so at about a dozen budgets."
_FLOPS_NOTE = "FLOPs here are MACs: one multiply-add = 1."
_REMEDY = "A ranking learned for small budgets, or a smaller network to begin with, would help."


def rankings_of(study: Study) -> list[RankingName]:
    """Rankings that a study has."""
    return [name for name in RANKINGS if name != "learned" or study.learned]


def choose_ranking(study: Study) -> RankingName:
    """Let the user choose one of them."""
    key, options = f"ranking-{study.path.name}-{bool(study.learned)}", rankings_of(study)
    current = state.view("ranking", options)
    st.session_state[key] = current  # not the widget's default: a click on a chart changes the ranking too
    chosen = st.segmented_control(
        "Ranking",
        options,
        required=True,
        format_func=CAPTIONS.__getitem__,
        key=key,
        on_change=lambda: state.keep_view("ranking", st.session_state[key]),
        wrap=True,
        help="Which filters go first. Learned: by the map found on the Learn page. Identity: those of the "
        "smallest L2 norm. Uniform: the same share of every layer.",
    )
    return chosen or current


def begin_dial() -> None:
    """Let the dial begin where the budget stands; for the whole page, not for a fragment that runs again."""
    st.session_state.pop(_START, None)
    state.write_view()


def show_dial(study: Study, ranking: RankingName, *, charts: bool) -> float:
    """Show the dial, with or without its charts; return the budget, a fraction of the original's MACs.

    Raises:
        StudyError: the study cannot be read.
    """
    curve = state.curve(study, ranking)
    serve_plotly()
    budget = max(percent_of(curve.floor), min(100.0, state.budget_percent())) / 100
    name = f"{study.path.name}-{ranking}-{state.stamp(study)}"
    if st.session_state.get(_START, ("", 0.0))[0] != name:
        st.session_state[_START] = (name, budget)
    stamps = state.stamp(study), state.measured_stamp(study)
    lens = state.view("lens", tuple(LENSES)) if charts else "filters"
    axis = state.view("axis", _axes(str(study.path), stamps)) if charts else None
    start, held = st.session_state[_START][1], state.held_percent()
    data = {
        **_data(str(study.path), ranking, stamps, lens, axis, start, held),
        "id": name,
        "held": held,
        "by": state.view("by", WAYS),
    }
    budget_dial(data, f"{_KEY}-{charts}", lambda view: _heard(study, view))
    return budget


def is_hindered(study: Study) -> bool:
    """Whether a latency on screen is too long, as other programs were at work."""
    return _is_hindered(str(study.path), (state.stamp(study), state.measured_stamp(study)))


@st.cache_resource(max_entries=32, show_spinner=False)
def _is_hindered(path: str, stamps: tuple[state.Stamp, ...]) -> bool:
    return Measurements(Study.open(path).points).hindered


@st.cache_resource(max_entries=32, show_spinner=False)
def _axes(path: str, stamps: tuple[state.Stamp, ...]) -> tuple[Axis, ...]:
    """Costs that the frontier can be drawn over."""
    measured = Measurements(Study.open(path).points)
    return AXES if measured.conditions else tuple(axis for axis in AXES if axis != "latency")


@st.cache_resource(max_entries=32, show_spinner=False)
def _data(
    path: str,
    ranking: RankingName,
    stamps: tuple[state.Stamp, ...],
    lens: Lens,
    axis: Axis | None,
    start: float,
    held: float | None,
) -> dict[str, Any]:
    """What the dial is given as long as nothing is written to the study; made once, and never written to."""
    study = Study.open(path)
    curve, measured = state.curve(study, ranking), Measurements(study.points)
    original = measured.original
    data = {
        "name": study.path.name,
        "table": dial_table(curve, ranking, measured, study.finetuned, start=start, compared=held, lens=lens),
        "original": {
            "macs": curve.dense.macs,
            "params": curve.dense.params,
            "latency": measured.latency_of(original) if original else None,
            "before": original.top1 if original else None,
            "after": original.top1 if original else None,
        },
        "ranking": ranking,
        "colour": COLOURS[ranking],
        "colours": COLOURS,
        "note": sources_line(measured, ranking, study.constraints),
        "remedy": _REMEDY,
    }
    return data if axis is None else data | _switches(measured, ranking, lens, axis, _axes(path, stamps))


def sources_line(measured: Measurements, ranking: RankingName, shape: Constraints) -> str:
    """Where latency and accuracy come from, in one line; before that, what is asked of the network's shape."""
    asked = f"Constraints: {shape.words}. " if shape.words else ""
    if not measured.line(ranking):
        which = " of such networks" if asked else " of this ranking" if measured.points else ""
        return f"{asked}Accuracy and latency{which}: not measured. {_FLOPS_NOTE}"
    where = f"Latency: {measured.conditions}, never estimated from MACs. " if measured.conditions else ""
    if measured.hindered:
        where += "Other programs were at work meanwhile, so it is too long: measure again when the machine is quiet. "
    return f"{asked}{where}~: read between two measured networks of this ranking. {_FLOPS_NOTE}"


def _switches(
    measured: Measurements, ranking: RankingName, lens: Lens, axis: Axis, axes: tuple[Axis, ...]
) -> dict[str, Any]:
    """What the charts are told beside the table."""
    info = frontier_info(measured, axis)
    frontier = None
    if not info.empty:
        figure = frontier_figure(info, axis, measured.conditions, ranking)
        frontier = {**figure.to_plotly_json(), "rows": info.drop(columns="hover").to_dict("records")}
    return {
        "lenses": [[name, caption] for name, (caption, _) in LENSES.items()],
        "lens": lens,
        "axes": [[name, AXIS_CAPTIONS[name]] for name in axes],
        "axis": axis,
        "frontier": frontier,
        "nothing": _UNMEASURED,
    }


def _heard(study: Study, view: Mapping[str, Any]) -> None:
    """Do what the dial asks for; a value that is none is let go by."""
    state.keep_budget(view.get("budget"))
    if "held" in view:
        state.keep_held(view["held"])
    for name in ("by", "lens", "axis"):
        if name in view:
            state.keep_view(name, str(view[name]))
    go = view.get("go")
    if isinstance(go, Mapping) and go.get("ranking") in rankings_of(study):
        state.keep_budget(go.get("percent"))
        state.keep_view("ranking", go["ranking"])
