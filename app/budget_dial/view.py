"""The budget dial of a study: the data it shows, and what a choice of the user changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from app import address, state
from app.budget_dial import budget_dial
from app.budget_dial.card import chosen_layer, layer_names, show_card
from app.budget_dial.devices import (
    chosen_device,
    has_deployed_latencies,
    profiled_device,
)
from app.budget_dial.image_sizes import chosen_height, heights_of, remember_height
from app.budget_dial.opened import network_of_run
from app.budget_dial.sources import FLOPS_NOTE, conditions_line
from app.budget_dial.study_data import sized_data, study_data
from app.budget_dial.table import is_row, opened_table
from app.budget_dial.types import (
    LENSES,
    QUANTITIES,
    DialData,
    DialView,
    OpenedData,
    StudyData,
)
from app.curves import budget_curve, measured_stamp, measurements, stamp
from app.navigation import go_on, go_on_now
from legr.charts.frontier import AXES, Axis
from legr.charts.measurements import percent_of
from legr.charts.style import CAPTIONS
from legr.escape import in_data
from legr.ranking.constraints import MULTIPLES
from legr.study.records import RANKINGS, RankingName
from legr.study.store import Study

_KEY, _BEGUN, _HEARD = "dial", "dial-begun", "dial-heard"


def rankings_of(study: Study) -> list[RankingName]:
    """The rankings that a study has."""
    return study.rankings


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


def show_dial(
    study: Study,
    ranking: RankingName,
    *,
    charts: bool,
    sized: bool = False,
    expected: bool = True,
    on_multiple: Callable[[Study, int], None] | None = None,
    on_pin: Callable[[Study, str, int], None] | None = None,
) -> float:
    """Show the dial, with or without its charts; return the budget, a fraction of the original's MACs.

    Args:
        sized: let the user choose another height of images, where networks were measured with some.
        expected: say what networks that were never trained would reach; a page that runs them does not.
        on_multiple: called with the multiple of filters that the user wants from now on.
        on_pin: called with a layer and how many filters it is to keep from now on.

    Raises:
        StudyError: the study cannot be read.
    """
    go_on_now()
    curve = budget_curve(study, ranking)
    budget = max(percent_of(curve.floor), min(100.0, state.budget_percent()))
    stamps = stamp(study), measured_stamp(study)
    heights = heights_of(study, ranking) if sized else []
    height = chosen_height(study, ranking) if sized else study.info.input_shape[1]
    which = "" if height == study.info.input_shape[1] else f"-{height}px"
    table_id = f"{study.path.name}-{ranking}{which}-{stamp(study)}{'' if expected else '-as-they-are'}"
    device = chosen_device(study)

    def shown(begun: _Beginning) -> StudyData:
        start, compared = begun.budget / 100, begun.view["compared"]
        if which:
            return sized_data(str(study.path), ranking, stamps, charts, start, compared, device, height)
        return study_data(str(study.path), ranking, stamps, charts, start, compared, device, expected)

    def begin() -> _Beginning:
        st.session_state[_BEGUN] = begun = _Beginning(table_id, _view_now(study), budget, state.opened_run())
        return begun

    begun: _Beginning = st.session_state.get(_BEGUN) or begin()
    if (begun.table_id, begun.view["jumps"]) != (table_id, state.jumps()):
        begun = begin()
    asked = (budget, state.reference_percent())
    if not all(is_row(shown(begun)["table"], curve, percent) for percent in asked if percent is not None):
        begun = begin()  # a budget that was typed becomes a row
    opened = None if begun.run is None else _opened(study, begun.run, charts)
    rankings: list[tuple[str, str]] = [(name, CAPTIONS[name]) for name in rankings_of(study)]
    data: DialData = {
        **shown(begun), "id": table_id, "view": begun.view, "opened": opened, "rankings": rankings,
        "sizes": heights, "size": height,
    }  # fmt: skip
    budget_dial(data, f"{_KEY}-{charts}", lambda report: _apply(study, report, on_multiple, on_pin))
    if charts:
        show_card(study, ranking, None if which or state.opened_run() else budget, table_id)
    return budget / 100


def _view_now(study: Study) -> DialView:
    return {
        "jumps": state.jumps(),
        "heard": st.session_state.get(_HEARD, 0),
        "compared": state.reference_percent(),
        "by": state.view("by", QUANTITIES),
        "lens": state.view("lens", LENSES),
        "axis": state.view("axis", _axes(study)),
        "whole": state.is_on("whole"),
        "error": state.is_on("error"),
        "others": state.chosen_of("others", RANKINGS),
        "ask": state.asked(),
        "layer": chosen_layer(study),
        "address": address.text(),
    }


def _opened(study: Study, key: str, charts: bool) -> OpenedData | None:
    opened = network_of_run(study, key)
    if opened is None:
        return None
    measured = measurements(study, chosen_device(study))
    where = f"{conditions_line(measured)} " if measured.latency_of_network(opened.run.keep_id) else ""
    device = profiled_device(study)
    table = opened_table(
        study.structure, opened.keep, opened.run, measured, device=device.table if device else None, by_layer=charts
    )
    data: OpenedData = {"run": opened.run.key, "table": table, "note": f"{opened.note} {where}{FLOPS_NOTE}"}
    return in_data(data)


def is_doubtful(study: Study) -> bool:
    """Whether a latency on screen is worth measuring again: other programs used the cores, or its times varied."""
    measured = measurements(study, chosen_device(study))
    return measured.contended or measured.unsteady > 0


def _axes(study: Study) -> list[Axis]:
    """Costs that the frontier can be drawn over; first the one that it opens on."""
    device = chosen_device(study)
    known = AXES if measurements(study, device).conditions else AXES[:-1]
    first: Axis = "latency" if has_deployed_latencies(study, device) else known[0]
    return [first, *(axis for axis in known if axis != first)]


def _apply(
    study: Study,
    report: Mapping[str, object],
    on_multiple: Callable[[Study, int], None] | None,
    on_pin: Callable[[Study, str, int], None] | None,
) -> None:
    """Take over what the user chose, a `ViewChange` from a browser; what is none is ignored."""
    number, choices, heard = report.get("number"), report.get("choices"), st.session_state.get(_HEARD, 0)
    with state.one_step():  # all choices again: the address that came along may be older than the choice before
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, Mapping) and isinstance(first := choice.get("number"), int) and first > heard:
                name, value = choice.get("name"), choice.get("value")
                _take(study, name, value)
                if name == "multiple" and type(value) is int and value in MULTIPLES and on_multiple:
                    on_multiple(study, value)
                if name == "pin" and isinstance(value, Mapping) and on_pin:
                    _pin(study, value, on_pin)
        st.session_state[_HEARD] = number if isinstance(number, int) else heard


def _pin(study: Study, pin: Mapping[str, object], on_pin: Callable[[Study, str, int], None]) -> None:
    layer, filters = pin.get("layer"), pin.get("filters")
    if isinstance(layer, str) and layer in layer_names(study) and type(filters) is int and filters > 0:
        on_pin(study, layer, filters)


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
        case "size":
            state.open_run(None)
            remember_height(study, value)
        case "by" | "lens" | "axis" | "device":
            state.remember_view(str(name), str(value))
        case "whole" | "error":
            state.remember_view(str(name), state.ON if value is True else "")
        case "others" if isinstance(value, list):
            state.remember_view("others", ".".join(ranking for ranking in RANKINGS if ranking in value))
        case "layer":
            state.remember_view("layer", value if value in layer_names(study) else "")
        case "run":
            _open_run(study, value)
        case "open" if isinstance(value, Mapping) and value.get("ranking") in rankings_of(study):
            state.open_run(None)
            state.move_slider(value.get("percent"))
            state.remember_view("ranking", value["ranking"])
            remember_height(study, value.get("size"))
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
        remember_height(study, None)  # its weights are for the study's own images
        state.move_slider(percent_of(run.macs_fraction))
