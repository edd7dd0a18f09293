"""The budget curves of a study, read once and shared by all tabs, so that a budget costs microseconds."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from app.predictions import predicted_of
from app.profiles import profiled_devices
from legr.charts.measurements import Measurements, measurements_of
from legr.ranking.budget import BudgetCurve
from legr.ranking.limits import Budget
from legr.structure.types import Structure
from legr.study.device_profile import FOLDER
from legr.study.heights import HEIGHTS_FILE, structures_by_height
from legr.study.records import MAPS, RankingName
from legr.study.scaled import SCALED
from legr.study.store import Study, keep_id
from legr.study.supernets import FOLDER as SUPERNETS

Stamp = tuple[int, ...]  # times at which files of a study were written; compared to see whether they have changed


def stamp(study: Study) -> Stamp:
    """Changes whenever the structure, the ranking or the constraints of a study are written."""
    return _times(study, "structure.json", *MAPS.values(), "shape.json")


def learned_stamp(study: Study) -> Stamp:
    """Changes whenever a search has learned a ranking; its job may go on with measuring."""
    return _times(study, *MAPS.values())


def measured_stamp(study: Study) -> Stamp:
    """Changes whenever a network of a study is measured, trained or profiled, or other figures count."""
    return _times(study, "points.json", SCALED, HEIGHTS_FILE, "finetuned", "statistics_choice.json", FOLDER, SUPERNETS)


def _times(study: Study, *names: str) -> Stamp:
    files = (study.path / name for name in names)
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in files)


def budget_curve(study: Study, ranking: RankingName) -> BudgetCurve:
    """The budget curve of a ranking; shared by all tabs, so it must not be changed."""
    return _curve(str(study.path), ranking, stamp(study))


def rounded_curve(study: Study, ranking: RankingName, multiple: int) -> BudgetCurve:
    """The budget curve of a ranking as it would be in multiples of filters, with the study's other constraints."""
    return _rounded_curve(str(study.path), ranking, multiple, stamp(study))


def measurements(study: Study, device: str = "") -> Measurements:
    """All that was measured of a study, for every page; shared by all tabs, so it must not be changed.

    Args:
        device: name of the conditions whose latencies are shown; "": those of most latencies.
    """
    return _measurements(str(study.path), stamp(study), measured_stamp(study), device)


def structures_with_sizes(study: Study) -> Mapping[int, Structure]:
    """The study's structure with the MACs of images of each height that is known, the largest first."""
    return _structures(str(study.path), stamp(study), measured_stamp(study))


def budget_of(macs: float) -> Budget:
    """A limit on MACs, rounded to the six digits that a command's `--macs` is given.

    Args:
        macs: fraction of the original's MACs.
    """
    return Budget(macs=float(f"{macs:.6g}"))


def network_id(study: Study, ranking: RankingName, budget: Budget) -> str:
    """Identifies the network that a budget leads to; a job checks that it works on this one."""
    return keep_id(budget_curve(study, ranking).at(budget))


def curve_table(study: Study, ranking: RankingName) -> pd.DataFrame:
    """The curve at 256 budgets: columns budget, macs, params, and for each layer the filters kept."""
    return _curve_table(str(study.path), ranking, stamp(study))


@st.cache_resource(max_entries=24, show_spinner=False)
def _curve(path: str, ranking: RankingName, stamp: Stamp) -> BudgetCurve:
    curve = Study.open(path).curve(ranking)
    _ = curve.macs, curve.kept  # computed and cached here, before several threads share the curve
    return curve


@st.cache_resource(max_entries=24, show_spinner=False)
def _rounded_curve(path: str, ranking: RankingName, multiple: int, stamp: Stamp) -> BudgetCurve:
    study = Study.open(path)
    constraints = replace(study.constraints, multiple=multiple)
    return BudgetCurve(study.structure, study.ranking(ranking, constraints))


@st.cache_resource(max_entries=24, show_spinner=False)
def _structures(path: str, stamp: Stamp, measured: Stamp) -> Mapping[int, Structure]:
    return structures_by_height(Study.open(path))


@st.cache_resource(max_entries=24, show_spinner=False)
def _measurements(path: str, stamp: Stamp, measured: Stamp, device: str) -> Measurements:
    study = Study.open(path)

    def curve_of(name: RankingName) -> BudgetCurve:
        return _curve(path, name, stamp)

    found = measurements_of(study, curve_of, device=device)
    shown = profiled_devices(study).get(device or next(iter(found.devices), ""))
    return replace(found, predicted=predicted_of(study, found, curve_of, shown)) if shown else found


@st.cache_data(max_entries=24, show_spinner=False)
def _curve_table(path: str, ranking: RankingName, stamp: Stamp) -> pd.DataFrame:
    curve = _curve(path, ranking, stamp)
    table = curve.table()
    names = [layer.name for layer in curve.structure.layers]
    costs = pd.DataFrame({"budget": table.budgets.round(6), "macs": table.macs, "params": table.params})
    return costs.join(pd.DataFrame(table.kept, columns=names))
