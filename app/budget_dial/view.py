"""The budget dial of a study: the data it shows, and what a choice of the user changes."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app import state
from app.budget_dial import budget_dial
from app.budget_dial.devices import chosen_device, steps_to_add_a_device
from app.budget_dial.frontier import frontier_data
from app.budget_dial.opened import opened_network
from app.budget_dial.table import LENSES, dial_table, opened_table
from app.budget_dial.types import (
    ChartStyle,
    DialCharts,
    DialData,
    Lens,
    OpenedNetwork,
    QuantityName,
    StudyData,
)
from app.curves import Stamp, budget_curve, measured_stamp, measurements, stamp
from legr.charts.frontier import AXES, Axis
from legr.charts.measurements import Measurements, device_name, percent_of
from legr.charts.style import CAPTIONS, COLOURS, INK, PAPER, PLOTLY_CONFIG, page_layout
from legr.ranking.constraints import Constraints
from legr.structure.cost import uncounted_note
from legr.structure.types import Uncounted
from legr.study.records import RANKINGS, RankingName
from legr.study.store import Study

QUANTITIES: tuple[QuantityName, ...] = ("macs", "params", "size", "latency", "fps")
_KEY = "dial"
_START = "dial-start"
_UNMEASURED = "No network has been measured yet: Measure the frontier, below, does so at about a dozen budgets."
_FLOPS_NOTE = "FLOPs here are MACs: one multiply-add = 1."
_STYLE: ChartStyle = {
    "colours": COLOURS,
    "layout": page_layout(),
    "config": {**PLOTLY_CONFIG, "responsive": False},  # the scripts fit the charts themselves
    "ink": INK,
    "paper": PAPER,
}
_REMEDY = "A ranking learned for small budgets, or a smaller network to begin with, would help."


def rankings_of(study: Study) -> list[RankingName]:
    """The rankings that a study has."""
    return [name for name in RANKINGS if name != "learned" or study.learned]


def choose_ranking(study: Study) -> RankingName:
    """Let the user choose one of a study's rankings."""
    key, options = f"ranking-{study.path.name}-{bool(study.learned)}", rankings_of(study)
    current = state.view("ranking", options)
    st.session_state[key] = current  # not the widget's default: a click on a chart changes the ranking too
    chosen = st.segmented_control(
        "Ranking",
        options,
        required=True,
        format_func=CAPTIONS.__getitem__,
        key=key,
        on_change=lambda: _take_ranking(st.session_state[key]),
        wrap=True,
        help="Which filters go first. Learned: by the ranking of the Learn page. Identity: those of the smallest "
        "L2 norm. Uniform: the same share of every layer.",
    )
    return chosen or current


def _take_ranking(name: RankingName) -> None:
    state.remember_view("ranking", name)
    state.open_run(None)


def begin_dial() -> None:
    """Put the slider at the chosen budget: once a run of the page, before any fragment that runs again."""
    st.session_state.pop(_START, None)


def show_dial(study: Study, ranking: RankingName, *, charts: bool) -> float:
    """Show the dial, with or without its charts; return the budget, a fraction of the original's MACs.

    Raises:
        StudyError: the study cannot be read.
    """
    state.go_on_now()
    curve = budget_curve(study, ranking)
    budget = max(percent_of(curve.floor), min(100.0, state.budget_percent())) / 100
    table_id = f"{study.path.name}-{ranking}-{stamp(study)}"
    begun = table_id, state.jumps()
    if st.session_state.get(_START, (None, 0.0))[0] != begun:
        st.session_state[_START] = (begun, budget)
    stamps = stamp(study), measured_stamp(study)
    lens: Lens = state.view("lens", tuple(LENSES)) if charts else "filters"
    axis: Axis | None = state.view("axis", _axes(str(study.path), stamps)) if charts else None
    start, compared = st.session_state[_START][1], state.reference_percent()
    device = chosen_device(study)
    data: DialData = {
        **_study_data(str(study.path), ranking, stamps, lens, axis, start, compared, device),
        "id": table_id,
        "jumps": state.jumps(),
        "compared": compared,
        "by": state.view("by", QUANTITIES),
        "opened": _opened(study, lens),
    }
    budget_dial(data, f"{_KEY}-{charts}", lambda view: _apply(study, view))
    return budget


def _opened(study: Study, lens: Lens) -> OpenedNetwork | None:
    opened = opened_network(study)
    if opened is None:
        return None
    measured = measurements(study, chosen_device(study))
    where = f"{_conditions_line(measured)} " if measured.latency_of_network(opened.run.keep_id) else ""
    table = opened_table(study.structure, opened.keep, opened.run, measured, lens)
    return {"run": opened.run.key, "table": table, "note": f"{opened.note} {where}{_FLOPS_NOTE}"}


def is_contended(study: Study) -> bool:
    """Whether a latency on screen is too long, as other programs were using the cores."""
    return measurements(study, chosen_device(study)).contended


@st.cache_resource(max_entries=32, show_spinner=False)
def _axes(path: str, stamps: tuple[Stamp, ...]) -> tuple[Axis, ...]:
    """Costs that the frontier can be drawn over."""
    measured = measurements(Study.open(path))
    return AXES if measured.conditions else tuple(axis for axis in AXES if axis != "latency")


@st.cache_resource(max_entries=32, show_spinner=False)
def _study_data(
    path: str,
    ranking: RankingName,
    stamps: tuple[Stamp, ...],
    lens: Lens,
    axis: Axis | None,
    start: float,
    compared: float | None,
    device: str,
) -> StudyData:
    """What the dial shows of a study; kept until something is written to the study, and never changed."""
    study = Study.open(path)
    curve, measured = budget_curve(study, ranking), measurements(study, device)
    original = measured.original
    return {
        "study": study.path.name,
        "ranking": ranking,
        "table": dial_table(curve, ranking, measured, start=start, compared=compared, lens=lens),
        "original": {
            "macs": curve.original.macs,
            "params": curve.original.params,
            "latency": measured.latency_of(original) if original else None,
            "before": original.top1 if original else None,
            "after": original.top1 if original else None,
        },
        "note": sources_line(measured, ranking, study.constraints, study.structure.uncounted),
        "remedy": _REMEDY,
        "charts": None if axis is None else _charts(study, measured, ranking, lens, axis),
    }


def sources_line(
    measured: Measurements, ranking: RankingName, constraints: Constraints, uncounted: Sequence[Uncounted] = ()
) -> str:
    """The constraints, where latency and accuracy come from, and what the MACs leave out, in one line."""
    flops = f"{_FLOPS_NOTE} {uncounted_note(uncounted)}".strip()
    given = f"Constraints: {constraints.words}. " if constraints.words else ""
    if not measured.line(ranking):
        which = " of such networks" if given else " of this ranking" if measured.points else ""
        return f"{given}Accuracy and latency{which}: not measured. {flops}"
    where = f"{_conditions_line(measured)} " if measured.conditions else ""
    if measured.contended:
        where += "Other programs were using the cores, so it is too long: measure again when the machine is idle. "
    return f"{given}{where}~: read between two measured networks of this ranking. {flops}"


def _conditions_line(measured: Measurements) -> str:
    return f"Latency: {measured.conditions}, never estimated from MACs."


def _charts(study: Study, measured: Measurements, ranking: RankingName, lens: Lens, axis: Axis) -> DialCharts:
    return {
        "lenses": [(name, caption) for name, (caption, _) in LENSES.items()],
        "lens": lens,
        "axis": axis,
        "device": device_name(measured.conditions) if measured.conditions else "",
        "add_device": steps_to_add_a_device(study),
        "frontier": frontier_data(measured, ranking),
        "nothing_measured": _UNMEASURED,
        "style": _STYLE,
    }


def _apply(study: Study, view: Mapping[str, object]) -> None:
    """Take over what the user chose, a `ViewChange` from a browser; values that are none are ignored."""
    state.remember_budget(view.get("budget"))
    if "compared" in view:
        state.remember_reference(view["compared"])
    for name in ("by", "lens", "axis", "device"):
        if name in view:
            state.remember_view(name, str(view[name]))
    if "run" in view:
        key = view["run"]
        run = next((run for run in measurements(study).runs if run.key == key), None)
        state.open_run(run.key if run else None)
        if run:
            state.move_slider(percent_of(run.macs_fraction))
    network = view.get("open")
    if isinstance(network, Mapping) and network.get("ranking") in rankings_of(study):
        state.open_run(None)
        state.move_slider(network.get("percent"))
        state.remember_view("ranking", network["ranking"])
    if view.get("page") == "finetune":
        state.go_on("pages/finetune.py")
