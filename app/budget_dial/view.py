"""The budget dial of a study: the data it shows, and what a choice of the user changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from app import address, state
from app.budget_dial import budget_dial
from app.budget_dial.devices import chosen_device, is_of_another_machine, steps_to_add_a_device
from app.budget_dial.frontier import frontier_data
from app.budget_dial.lanes import lay_out_lanes
from app.budget_dial.opened import network_of_run
from app.budget_dial.table import dial_table, is_row, opened_table
from app.budget_dial.types import (
    LENSES,
    QUANTITIES,
    ChartStyle,
    DialCharts,
    DialData,
    DialView,
    OpenedData,
    StudyData,
)
from app.curves import Stamp, budget_curve, measured_stamp, measurements, stamp
from app.facts import facts_of, title_of
from app.navigation import go_on, go_on_now
from legr.charts.frontier import AXES, Axis
from legr.charts.measurements import Measurements, device_name, percent_of
from legr.charts.style import CAPTIONS, COLOURS, INK, PAPER, PLOTLY_CONFIG, page_layout
from legr.escape import in_data
from legr.ranking.constraints import Constraints
from legr.structure.cost import uncounted_note
from legr.structure.types import Uncounted
from legr.study.records import RANKINGS, RankingName
from legr.study.store import Study
from legr.words import unsteady_words

_KEY, _BEGUN, _HEARD = "dial", "dial-begun", "dial-heard"
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


def chosen_ranking(study: Study) -> RankingName:
    """The ranking that the user has chosen in the dial's bar; the study's best where none was."""
    return state.view("ranking", rankings_of(study))


def begin_dial() -> None:
    """Let the dial begin at the chosen view: once a run of the page, before any fragment that runs again."""
    st.session_state.pop(_BEGUN, None)


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The view at which a dial began. It is sent again as it was, so that what is sent stays the same."""

    table_id: str
    view: DialView
    budget: float  # per cent of the original's MACs
    run: str | None  # key of the fine-tuning run whose network was open


def show_dial(study: Study, ranking: RankingName, *, charts: bool, expected: bool = True) -> float:
    """Show the dial, with or without its charts; return the budget, a fraction of the original's MACs.

    Args:
        expected: say what networks that were never trained would reach; a page that runs them does not.

    Raises:
        StudyError: the study cannot be read.
    """
    go_on_now()
    curve = budget_curve(study, ranking)
    budget = max(percent_of(curve.floor), min(100.0, state.budget_percent()))
    stamps = stamp(study), measured_stamp(study)
    table_id = f"{study.path.name}-{ranking}-{stamp(study)}{'' if expected else '-as-they-are'}"
    device = chosen_device(study)

    def shown(begun: _Beginning) -> StudyData:
        start, compared = begun.budget / 100, begun.view["compared"]
        return _study_data(str(study.path), ranking, stamps, charts, start, compared, device, expected)

    def begin() -> _Beginning:
        st.session_state[_BEGUN] = begun = _Beginning(table_id, _view_now(study), budget, state.opened_run())
        return begun

    begun: _Beginning = st.session_state.get(_BEGUN) or begin()
    if (begun.table_id, begun.view["jumps"]) != (table_id, state.jumps()):
        begun = begin()
    asked = (budget, state.reference_percent())
    if not all(is_row(shown(begun)["table"], curve, percent) for percent in asked if percent is not None):
        begun = begin()  # a budget that was typed becomes a row
    opened = None if begun.run is None else _opened(study, begun.run)
    rankings: list[tuple[str, str]] = [(name, CAPTIONS[name]) for name in rankings_of(study)]
    data: DialData = {**shown(begun), "id": table_id, "view": begun.view, "opened": opened, "rankings": rankings}
    budget_dial(data, f"{_KEY}-{charts}", lambda view: _apply(study, view))
    return budget / 100


def _view_now(study: Study) -> DialView:
    return {
        "jumps": state.jumps(),
        "heard": st.session_state.get(_HEARD, 0),
        "compared": state.reference_percent(),
        "by": state.view("by", QUANTITIES),
        "lens": state.view("lens", LENSES),
        "axis": state.view("axis", _axes(str(study.path), (stamp(study), measured_stamp(study)))),
        "whole": state.is_on("whole"),
        "error": state.is_on("error"),
        "others": state.chosen_of("others", RANKINGS),
        "ask": state.asked(),
        "address": address.text(),
    }


def _opened(study: Study, key: str) -> OpenedData | None:
    opened = network_of_run(study, key)
    if opened is None:
        return None
    measured = measurements(study, chosen_device(study))
    where = f"{_conditions_line(measured)} " if measured.latency_of_network(opened.run.keep_id) else ""
    table = opened_table(study.structure, opened.keep, opened.run, measured)
    data: OpenedData = {"run": opened.run.key, "table": table, "note": f"{opened.note} {where}{_FLOPS_NOTE}"}
    return in_data(data)


def is_doubtful(study: Study) -> bool:
    """Whether a latency on screen is worth measuring again: other programs used the cores, or its times varied."""
    measured = measurements(study, chosen_device(study))
    return measured.contended or measured.unsteady > 0


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
    charts: bool,
    start: float,
    compared: float | None,
    device: str,
    expected: bool,
) -> StudyData:
    """What the dial shows of a study; kept until something is written to the study, and never changed.

    Args:
        start: fraction of the original's MACs.
        compared: per cent of the original's MACs.
        expected: as of `dial_table`.
    """
    study = Study.open(path)
    curve, measured = budget_curve(study, ranking), measurements(study, device)
    original = measured.original
    data: StudyData = {
        "study": study.path.name,
        "title": title_of(study),
        "facts": facts_of(study),
        "ranking": ranking,
        "table": dial_table(curve, ranking, measured, start=start, compared=compared, expected=expected),
        "original": {
            "macs": curve.original.macs,
            "params": curve.original.params,
            "latency": measured.latency_of(original) if original else None,
            "before": original.top1 if original else None,
            "after": original.top1 if original else None,
        },
        "note": sources_line(measured, ranking, study.constraints, study.structure.uncounted),
        "remedy": _REMEDY,
        "charts": _charts(study, measured, ranking) if charts else None,
    }
    return in_data(data)


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
    elif measured.unsteady:
        where += f"{unsteady_words(measured.unsteady).capitalize()}: measure again when the machine is idle. "
    return f"{given}{where}~: read between two measured networks of this ranking. {flops}"


def _conditions_line(measured: Measurements) -> str:
    elsewhere = ", which is not this machine" if is_of_another_machine(measured.conditions) else ""
    return f"Latency: {measured.conditions}{elsewhere}; never estimated from MACs."


def _charts(study: Study, measured: Measurements, ranking: RankingName) -> DialCharts:
    return {
        "device": device_name(measured.conditions) if measured.conditions else "",
        "elsewhere": is_of_another_machine(measured.conditions),
        "add_device": steps_to_add_a_device(study),
        "frontier": frontier_data(measured, ranking),
        "nothing_measured": _UNMEASURED,
        "lanes": lay_out_lanes(study.structure).to_dict(),
        "style": _STYLE,
    }


def _apply(study: Study, report: Mapping[str, object]) -> None:
    """Take over what the user chose, a `ViewChange` from a browser; what is none is ignored."""
    number, choices, heard = report.get("number"), report.get("choices"), st.session_state.get(_HEARD, 0)
    with state.one_step():  # all choices again: the address that came along may be older than the choice before
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, Mapping) and isinstance(first := choice.get("number"), int) and first > heard:
                _take(study, choice.get("name"), choice.get("value"))
        st.session_state[_HEARD] = number if isinstance(number, int) else heard


def _take(study: Study, name: object, value: object) -> None:
    match name:
        case "budget":
            state.remember_budget(value)
        case "compared":
            state.remember_reference(value)
        case "ask":
            state.remember_view("ask", str(value))
        case "ranking" if value in rankings_of(study):
            state.open_run(None)
            state.remember_view("ranking", str(value))
        case "by" | "lens" | "axis" | "device":
            state.remember_view(str(name), str(value))
        case "whole" | "error":
            state.remember_view(str(name), state.ON if value is True else "")
        case "others" if isinstance(value, list):
            state.remember_view("others", ".".join(ranking for ranking in RANKINGS if ranking in value))
        case "run":
            _open_run(study, value)
        case "open" if isinstance(value, Mapping) and value.get("ranking") in rankings_of(study):
            state.open_run(None)
            state.move_slider(value.get("percent"))
            state.remember_view("ranking", value["ranking"])
        case "page" if value == "finetune":
            go_on("pages/finetune.py")
        case "page" if value == "see":
            state.remember_view("images", "all")
            go_on("pages/see.py")


def _open_run(study: Study, key: object) -> None:
    """Open the network of a run that was clicked; the dial itself has left it where there is none."""
    run = next((run for run in measurements(study).runs if run.key == key), None)
    if run is None:
        state.remember_run(None)
    else:
        state.open_run(run.key)
        state.move_slider(percent_of(run.macs_fraction))
