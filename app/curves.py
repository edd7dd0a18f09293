"""The budget curves of a study, read once and shared by all tabs, so that a budget costs microseconds."""

import pandas as pd
import streamlit as st

from legr.charts.measurements import Measurements, measurements_of
from legr.ranking.budget import BudgetCurve
from legr.ranking.limits import Budget
from legr.study.records import RankingName
from legr.study.store import Study, keep_id

Stamp = tuple[int, ...]  # times at which files of a study were written; compared to see whether they have changed


def stamp(study: Study) -> Stamp:
    """Changes whenever the structure, the ranking or the constraints of a study are written."""
    return _times(study, "structure.json", "ranking.json", "shape.json")


def learned_stamp(study: Study) -> Stamp:
    """Changes whenever a search has learned a ranking; its job may go on with measuring."""
    return _times(study, "ranking.json")


def measured_stamp(study: Study) -> Stamp:
    """Changes whenever a network of a study is measured or fine-tuned, or other figures count."""
    return _times(study, "points.json", "finetuned", "statistics_choice.json")


def _times(study: Study, *names: str) -> Stamp:
    files = (study.path / name for name in names)
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in files)


def budget_curve(study: Study, ranking: RankingName) -> BudgetCurve:
    """The budget curve of a ranking; shared by all tabs, so it must not be changed."""
    return _curve(str(study.path), ranking, stamp(study))


def measurements(study: Study, device: str = "") -> Measurements:
    """All that was measured of a study, for every page; shared by all tabs, so it must not be changed.

    Args:
        device: name of the conditions whose latencies are shown; "": those of most latencies.
    """
    return _measurements(str(study.path), stamp(study), measured_stamp(study), device)


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
def _measurements(path: str, stamp: Stamp, measured: Stamp, device: str) -> Measurements:
    study = Study.open(path)

    def curve_of(name: RankingName) -> BudgetCurve:
        return _curve(path, name, stamp)

    return measurements_of(study, curve_of, device=device)


@st.cache_data(max_entries=24, show_spinner=False)
def _curve_table(path: str, ranking: RankingName, stamp: Stamp) -> pd.DataFrame:
    curve = _curve(path, ranking, stamp)
    table = curve.table()
    names = [layer.name for layer in curve.structure.layers]
    costs = pd.DataFrame({"budget": table.budgets.round(6), "macs": table.macs, "params": table.params})
    return costs.join(pd.DataFrame(table.kept, columns=names))
