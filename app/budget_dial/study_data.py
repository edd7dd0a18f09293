"""What the dial shows of a study, made once for each of its rankings and devices."""

import streamlit as st

from app.budget_dial.devices import device_names, is_of_another_machine, steps_to_add_a_device
from app.budget_dial.frontier import frontier_data
from app.budget_dial.image_sizes import sized_line, sized_table
from app.budget_dial.lanes import lay_out_lanes
from app.budget_dial.sources import sources_line
from app.budget_dial.table import dial_table
from app.budget_dial.times import rounding_of
from app.budget_dial.types import ChartStyle, DialCharts, RoundingData, StudyData, TableData
from app.curves import Stamp, budget_curve, measurements, rounded_curve, structures_with_sizes
from app.facts import facts_of, title_of
from app.profiles import profiled_devices
from legr.charts.measurements import Measurements, device_name
from legr.charts.style import COLOURS, INK, PAPER, PLOTLY_CONFIG, page_layout
from legr.escape import in_data
from legr.ranking.constraints import MULTIPLES
from legr.structure.cost import original_cost
from legr.study.device_profile import ProfiledDevice
from legr.study.records import RankingName
from legr.study.store import Study

_UNMEASURED = "No network has been measured yet: Measure the frontier, below, does so at about a dozen budgets."
STYLE: ChartStyle = {
    "colours": COLOURS,
    "layout": page_layout(),
    "config": {**PLOTLY_CONFIG, "responsive": False},  # the scripts fit the charts themselves
    "ink": INK,
    "paper": PAPER,
}
_REMEDY = "A ranking learned for small budgets, or a smaller network to begin with, would help."


@st.cache_resource(max_entries=32, show_spinner=False)
def study_data(
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
    profiled = _profiled(study, measured)
    predicts = profiled.table if profiled else None
    table = dial_table(
        curve, ranking, measured, start=start, compared=compared, expected=expected, device=predicts, by_layer=charts
    )
    whole_ms = original_cost(study.structure, predicts).latency_ms if predicts else None
    note = sources_line(measured, ranking, study.constraints, study.structure.uncounted, profiled)
    found = _charts(study, measured, ranking, _roundings(study, ranking, table, profiled)) if charts else None
    return _data(study, ranking, measured, table, whole_ms, note, found)


@st.cache_resource(max_entries=32, show_spinner=False)
def sized_data(
    path: str,
    ranking: RankingName,
    stamps: tuple[Stamp, ...],
    charts: bool,
    start: float,
    compared: float | None,
    device: str,
    height: int,
) -> StudyData:
    """The same with images of another height, beside the original with its own; see `sized_table`."""
    study = Study.open(path)
    curve, measured = budget_curve(study, ranking), measurements(study, device)
    structure = structures_with_sizes(study)[height]
    table = sized_table(curve, structure, ranking, measured, height, start=start, compared=compared)
    note = sized_line(measured, ranking, height)
    found = _charts(study, measured, ranking, []) if charts else None
    return _data(study, ranking, measured, table, None, note, found)


def _data(
    study: Study,
    ranking: RankingName,
    measured: Measurements,
    table: TableData,
    whole_ms: float | None,
    note: str,
    charts: DialCharts | None,
) -> StudyData:
    """What both have.

    Args:
        whole_ms: what the original takes, milliseconds, as predicted.
    """
    original, costs = measured.original, original_cost(study.structure)
    data: StudyData = {
        "study": study.path.name,
        "title": title_of(study),
        "facts": facts_of(study),
        "ranking": ranking,
        "table": table,
        "original": {
            "macs": costs.macs,
            "params": costs.params,
            "latency": measured.latency_of(original) if original else None,
            "predicted": None if whole_ms is None else round(whole_ms, 4),
            "before": original.top1 if original else None,
            "after": original.top1 if original else None,
        },
        "note": note,
        "remedy": _REMEDY,
        "charts": charts,
    }
    return in_data(data)


def _roundings(
    study: Study, ranking: RankingName, table: TableData, device: ProfiledDevice | None
) -> list[RoundingData]:
    """What the multiples that the device likes would gain, up to the one that its profile proposes."""
    predicted = table["predicted"]
    if device is None or predicted is None:
        return []
    own, proposed = study.constraints.multiple, device.profile.multiple
    found = (
        rounding_of(
            multiple, rounded_curve(study, ranking, multiple), table["percent"], predicted["latency"], device.table
        )
        for multiple in MULTIPLES
        if multiple <= proposed and own % multiple
    )
    return [rounding for rounding in found if rounding]


def _profiled(study: Study, measured: Measurements) -> ProfiledDevice | None:
    """The device whose latencies are shown, where it has a profile."""
    return profiled_devices(study).get(device_name(measured.conditions)) if measured.conditions else None


def _charts(study: Study, measured: Measurements, ranking: RankingName, roundings: list[RoundingData]) -> DialCharts:
    return {
        "device": device_name(measured.conditions) if measured.conditions else "",
        "devices": device_names(study),
        "roundings": roundings,
        "elsewhere": is_of_another_machine(measured.conditions),
        "add_device": steps_to_add_a_device(study),
        "frontier": frontier_data(measured, ranking),
        "nothing_measured": _UNMEASURED,
        "lanes": lay_out_lanes(study.structure).to_dict(),
        "style": STYLE,
    }
