"""Which study is open, and what is remembered of it between two runs of a page.

It does not know how a page looks. A browser only ever sends a study's name: it is looked up in the list
of studies and samples, so that no path can come from outside.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd
import streamlit as st

from legr.errors import StudyError
from legr.ranking.budget import BudgetCurve
from legr.ranking.limits import Budget
from legr.study.catalog import SAMPLES, list_studies, studies_folder, writable
from legr.study.records import RankingName
from legr.study.store import Study, keep_id

Stamp = tuple[int, ...]
Option = TypeVar("Option", bound=str)
START_BUDGET = 50.0  # per cent of MACs
_NAME, _NOTICE, _BUDGET, _HELD = "study", "notice", "budget", "held"
VIEWS = ("ranking", "by", "lens", "axis", "weights")
_ENTERED, _WANTED, _ANNOUNCED = "entered", "wanted", "announced"


# -- the way in ---------------------------------------------------------------------------------------------


def enter() -> None:
    """Note that this session came in through `streamlit_app.py`; go on to the page it was on its way to."""
    st.session_state[_ENTERED] = True
    wanted = st.session_state.pop(_WANTED, None)
    if wanted:
        st.switch_page(wanted, query_params=st.query_params.to_dict())


def require_entry(page: str) -> None:
    """Send a session that has not come in through `streamlit_app.py` there, and then back to `page`.

    Until `st.navigation` has run once in a server, Streamlit takes every file of a folder called `pages` for an
    app page of its own. A tab that is still open while the server starts anew would get such a bare page.
    """
    if _ENTERED not in st.session_state:
        st.session_state[_WANTED] = page
        st.switch_page("streamlit_app.py", query_params=st.query_params.to_dict())


# -- the open study ----------------------------------------------------------------------------------------


def known_studies() -> dict[str, Path]:
    """Every study that can be opened, by name: samples first; a user's copy of a sample stands in for it."""
    return {path.name: path for path in (*list_studies(SAMPLES), *list_studies(studies_folder()))}


def open_name() -> str | None:
    """Name of the open study: of the address line, else of this tab, else the first there is."""
    name = st.query_params.get(_NAME) or st.session_state.get(_NAME)
    return name or next(iter(known_studies()), None)


def open_study() -> Study | None:
    """Open the study of this tab and keep its name in the address line; None where there is no study at all.

    Raises:
        StudyError: there is none of that name, or it is damaged or newer than this version.
    """
    name = open_name()
    if name is None:
        return None
    path = known_studies().get(name)
    if path is None:
        raise StudyError(f"there is no study {name[:60]!r} here any more; open another on the Studies page")
    choose(name)
    return Study.open(path)


def choose(name: str) -> None:
    """Make a study the open one of this tab."""
    st.session_state[_NAME] = name
    if st.query_params.get(_NAME) != name:
        st.query_params[_NAME] = name


def forget() -> None:
    """Open no study in particular any more: the one that was open is gone."""
    st.session_state.pop(_NAME, None)
    st.query_params.pop(_NAME, None)


def own_copy(study: Study) -> Study:
    """Return a study that may be written; a sample is copied to the user's folder, and the user is told.

    Raises:
        StudyError: the copy cannot be written.
    """
    if not study.info.sample:
        return study
    own = writable(study, studies_folder())
    st.session_state[_NOTICE] = (
        f"The sample {study.path.name} stays as it is: you are now working on your copy in {own.path}."
    )
    choose(own.path.name)
    return own


def has_moved(study: Study) -> bool:
    """Whether another study is open by now under its name: a copy of a sample."""
    return known_studies().get(study.path.name) != study.path


def take_notice() -> str | None:
    """What the user has to be told once."""
    notice: str | None = st.session_state.pop(_NOTICE, None)
    return notice


def announce(sentence: str) -> None:
    """Say something for a moment when the page is next drawn."""
    st.session_state[_ANNOUNCED] = sentence


def take_announcement() -> str | None:
    """What is to be said for a moment."""
    sentence: str | None = st.session_state.pop(_ANNOUNCED, None)
    return sentence


# -- the budget, shared by the pages -----------------------------------------------------------------------


def budget_percent() -> float:
    """The chosen budget, per cent of the original's MACs."""
    if _BUDGET not in st.session_state:
        asked = _percent(st.query_params.get(_BUDGET))
        st.session_state[_BUDGET] = START_BUDGET if asked is None else asked
    return float(st.session_state[_BUDGET])


def keep_budget(asked: object) -> None:
    """Remember the budget for the other pages and, in the address line, for a reload; what is none is let go by."""
    percent = _percent(asked)
    if percent is None:
        return
    st.session_state[_BUDGET] = percent
    if st.query_params.get(_BUDGET) != f"{percent:g}":
        st.query_params[_BUDGET] = f"{percent:g}"


# -- how it is looked at: in the address line, so that a view is a link ---------------------------------------


def view(name: str, options: Sequence[Option]) -> Option:
    """The option chosen for a setting of the view; the first where none was chosen, or one that is not offered."""
    chosen = st.query_params.get(name, st.session_state.get(f"view-{name}"))
    return next((option for option in options if option == chosen), options[0])


def keep_view(name: str, value: str) -> None:
    """Remember a choice for the other pages and, in the address line, for whoever gets the link."""
    st.session_state[f"view-{name}"] = value
    st.query_params[name] = value


def held_percent() -> float | None:
    """The budget that all others are compared with, per cent of the original's MACs; None: the original itself."""
    return _percent(st.query_params.get(_HELD, st.session_state.get(_HELD)))


def keep_held(asked: object) -> None:
    """Remember what to compare with, as `keep_budget` does; None: the original."""
    percent = _percent(asked)
    st.session_state[_HELD] = percent
    if percent is None:
        st.query_params.pop(_HELD, None)
    else:
        st.query_params[_HELD] = f"{percent:g}"


def write_view() -> None:
    """Put what this tab remembers into the address line of another page, which begins without."""
    known = {_BUDGET: st.session_state.get(_BUDGET), _HELD: st.session_state.get(_HELD)}
    words = {name: f"{percent:g}" for name, percent in known.items() if percent is not None}
    words |= {name: st.session_state[f"view-{name}"] for name in VIEWS if f"view-{name}" in st.session_state}
    for name, word in words.items():
        if name not in st.query_params:
            st.query_params[name] = word


def _percent(asked: object) -> float | None:
    """A finite number in [0, 100] as it comes from an address line or a browser, to four places; else None."""
    try:
        percent = round(float(asked), 4)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return percent if 0 <= percent <= 100 else None


# -- curves: read once, then a budget costs microseconds ---------------------------------------------------


def stamp(study: Study) -> Stamp:
    """Changes whenever the network, the learned map or the shape of a study is written."""
    return _written(study, "structure.json", "ranking.json", "shape.json")


def learned_stamp(study: Study) -> Stamp:
    """Changes whenever a search has found a ranking; its job may still be measuring then."""
    return _written(study, "ranking.json")


def measured_stamp(study: Study) -> Stamp:
    """Changes whenever a network of a study was measured or fine-tuned."""
    return _written(study, "points.json", "finetuned")


def _written(study: Study, *names: str) -> Stamp:
    files = (study.path / name for name in names)
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in files)


def curve(study: Study, ranking: RankingName) -> BudgetCurve:
    """The budget curve of a ranking; shared by all tabs, and never written to."""
    return _curve(str(study.path), ranking, stamp(study))


def network_id(study: Study, ranking: RankingName, budget: Budget) -> str:
    """Which network a budget leads to; a job is started for it and for no other."""
    return keep_id(curve(study, ranking).at(budget))


def curve_table(study: Study, ranking: RankingName) -> pd.DataFrame:
    """The curve at 256 budgets: columns budget, macs, params, and the filters kept of each layer."""
    return _curve_table(str(study.path), ranking, stamp(study))


@st.cache_resource(max_entries=24, show_spinner=False)
def _curve(path: str, ranking: RankingName, stamp: Stamp) -> BudgetCurve:
    found = Study.open(path).curve(ranking)
    _ = found.macs, found.kept
    return found


@st.cache_data(max_entries=24, show_spinner=False)
def _curve_table(path: str, ranking: RankingName, stamp: Stamp) -> pd.DataFrame:
    found = _curve(path, ranking, stamp)
    table = found.table()
    names = [layer.name for layer in found.structure.layers]
    costs = pd.DataFrame({"budget": table.budgets.round(6), "macs": table.macs, "params": table.params})
    return costs.join(pd.DataFrame(table.kept, columns=names))
