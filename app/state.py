"""What a browser tab remembers between two runs of a page: the open study, the budget, the settings of the view.

Budget and settings are in the address line as well, so that a view is a link and the browser's Back leads to the view
before. While a page is open, what is remembered here is the truth, and the address line repeats it. A browser only ever
sends the name of a study, which is looked up among the studies and samples: no path can come from outside.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import streamlit as st

from app import address
from app.facts import title_of
from app.samples import by_name, copy_of
from legr.errors import StudyError
from legr.study.catalog import SAMPLES, list_studies, studies_folder
from legr.study.store import Study

Option = TypeVar("Option", bound=str)
START_BUDGET = 50.0  # per cent of MACs
ON = "1"  # of a switch that is on; one that is off is not named
_NAME, _NOTICE, _BUDGET, _REFERENCE, _RUN = "study", "notice", "budget", "held", "run"
_DIALS = ("by", "lens", "axis", "whole", "error", "others", "ask", "layer")  # chosen in a dial, which then knows better
VIEWS = ("ranking", *_DIALS, "size", "device", "weights", "images", "guide")
_JUMPS = "jumps"
_ANNOUNCEMENT = "announcement"


# -- the open study ----------------------------------------------------------------------------------------


def known_studies() -> dict[str, Path]:
    """Every study that can be opened, by the name that opens it."""
    return by_name(list_studies(SAMPLES), list_studies(studies_folder()))


def open_name() -> str | None:
    """Name of the open study: the one in the address line, else the one last opened in this tab, else the first."""
    name = st.query_params.get(_NAME) or st.session_state.get(_NAME)
    return name or next(iter(known_studies()), None)


def open_study(*, with_view: bool = False) -> Study | None:
    """Open the study of this tab and keep its name in the address line; None where there is no study at all.

    Args:
        with_view: keep the view there too.

    Raises:
        StudyError: there is no study of that name, or it is damaged or was written by a newer version.
    """
    name = open_name()
    if name is None:
        return None
    path = known_studies().get(name)
    if path is None:
        raise StudyError(f"there is no study {name[:60]!r} here any more; open another on the Studies page")
    st.session_state[_NAME] = name
    if with_view:
        write_view()
    else:
        choose(name)
    return Study.open(path)


def choose(name: str) -> None:
    """Open a study in this tab."""
    st.session_state[_NAME] = name
    if st.query_params.get(_NAME) != name:
        st.query_params[_NAME] = name


def forget() -> None:
    """Forget which study is open, as it was deleted."""
    st.session_state.pop(_NAME, None)
    st.query_params.pop(_NAME, None)


def own_copy(study: Study) -> Study:
    """Return the study itself if it may be written; copy a sample to the user's folder, and show a notice of that.

    Raises:
        StudyError: the copy cannot be written.
    """
    if not study.info.sample:
        return study
    own = copy_of(study, open_name())
    st.session_state[_NOTICE] = (
        f"{title_of(study)} is a sample and stays as it is: you are now working on your copy in {own.path}."
    )
    choose(own.path.name)
    return own


def has_moved(study: Study) -> bool:
    """Whether its name stands for another study by now: a sample's for the copy of it."""
    return known_studies().get(open_name() or "") != study.path


def take_notice() -> str | None:
    """Return the notice that is to be shown once, and forget it."""
    notice: str | None = st.session_state.pop(_NOTICE, None)
    return notice


def announce(sentence: str) -> None:
    """Show a sentence for a few seconds when the page is next drawn."""
    st.session_state[_ANNOUNCEMENT] = sentence


def take_announcement() -> str | None:
    """Return that sentence, and forget it."""
    sentence: str | None = st.session_state.pop(_ANNOUNCEMENT, None)
    return sentence


# -- the address line --------------------------------------------------------------------------------------


def follow_address() -> None:
    """Take the view from the address line, which may be a link, or one that Back has led to.

    Call it when a whole page runs. In a fragment the address that a browser sends may be older than what is remembered.
    An address with a budget is a whole view, so what it does not name is as at the start. A link between pages names
    less; there the view stays as it was.
    """
    linked, before = st.query_params, _dial_view()
    percent = address.percent(linked.get(_BUDGET))
    if percent is not None:
        remember_budget(percent)
        for name in (_REFERENCE, _RUN, *map(_view_key, VIEWS)):
            st.session_state.pop(name, None)
    if _REFERENCE in linked:
        st.session_state[_REFERENCE] = address.percent(linked[_REFERENCE])
    if _RUN in linked:
        st.session_state[_RUN] = linked[_RUN]
    st.session_state.update({_view_key(name): linked[name] for name in VIEWS if name in linked})
    if _dial_view() != before:
        _jump()


def write_view() -> None:
    """Let the address line say what this tab remembers, as one step of the browser's history."""
    percents = {_BUDGET: budget_percent(), _REFERENCE: reference_percent()}
    values = {_NAME: str(st.session_state[_NAME])} if _NAME in st.session_state else {}
    values |= {name: f"{percent:g}" for name, percent in percents.items() if percent is not None}
    values |= {_RUN: str(st.session_state[_RUN])} if opened_run() else {}
    values |= {name: st.session_state[_view_key(name)] for name in VIEWS if _view_key(name) in st.session_state}
    address.say_all(values, of=(_REFERENCE, _RUN, *VIEWS))


@contextmanager
def one_step() -> Iterator[None]:
    """Let all that is remembered within be one step of the browser's history."""
    with address.silence():
        yield
    write_view()


def rerun() -> NoReturn:
    """Run the whole page again from within a fragment, with the view as it is remembered."""
    if _BUDGET in st.query_params:
        write_view()
    st.rerun()


# -- the budget, shared by all pages -----------------------------------------------------------------------


def budget_percent() -> float:
    """The chosen budget, per cent of the original's MACs."""
    return float(st.session_state.get(_BUDGET, START_BUDGET))


def remember_budget(value: object) -> None:
    """Remember the budget, in the address line too; an invalid value is ignored."""
    percent = address.percent(value)
    if percent is None:
        return
    st.session_state[_BUDGET] = percent
    address.say(_BUDGET, f"{percent:g}")


def move_slider(value: object) -> None:
    """Remember a budget that does not come from the slider: a slider that is on the page goes there."""
    remember_budget(value)
    _jump()


def jumps() -> int:
    """How often something else than the dial has changed what the dial shows."""
    return int(st.session_state.get(_JUMPS, 0))


def _jump() -> None:
    st.session_state[_JUMPS] = jumps() + 1


def _dial_view() -> list[object]:
    """All that a dial shows of the view."""
    return [budget_percent(), reference_percent(), opened_run(), *(st.session_state.get(_view_key(n)) for n in _DIALS)]


# -- settings of the view --------------------------------------------------------------------------------------


def view(name: str, options: Sequence[Option]) -> Option:
    """The option chosen for a setting of the view; the first where none was chosen, or one that is not offered."""
    chosen = st.session_state.get(_view_key(name))
    return next((option for option in options if option == chosen), options[0])


def remember_view(name: str, value: str) -> None:
    """Remember a setting of the view, in the address line too; "" forgets it."""
    if value:
        st.session_state[_view_key(name)] = value
    else:
        st.session_state.pop(_view_key(name), None)
    address.say(name, value or None)


def is_on(name: str) -> bool:
    """Whether a switch of the view is on."""
    return st.session_state.get(_view_key(name)) == ON


def chosen_of(name: str, options: Sequence[Option]) -> list[Option]:
    """The options chosen for a setting that may have several, in their own order."""
    names = str(st.session_state.get(_view_key(name), "")).split(".")
    return [option for option in options if option in names]


def asked() -> str:
    """The question that the dial answers, as the browser writes it; "" where none is asked."""
    return str(st.session_state.get(_view_key("ask"), ""))[:40]


def reference_percent() -> float | None:
    """The reference budget, which others are compared with, per cent of the MACs; None: the original itself."""
    return address.percent(st.session_state.get(_REFERENCE))


def remember_reference(value: object) -> None:
    """Remember the reference budget, in the address line too; an invalid value means the original."""
    percent = address.percent(value)
    st.session_state[_REFERENCE] = percent
    address.say(_REFERENCE, None if percent is None else f"{percent:g}")


def opened_run() -> str | None:
    """Key of the fine-tuning run whose network is shown in place of the slider's; it may be a key of no run."""
    key = st.session_state.get(_RUN)
    return str(key) if key else None


def open_run(key: str | None) -> None:
    """Show the network of a run, or the slider's again, on a dial that is on the page as well."""
    if key != opened_run():
        remember_run(key)
        _jump()


def remember_run(key: str | None) -> None:
    """Remember which run's network is shown, None: the slider's; in the address line too."""
    st.session_state[_RUN] = key
    address.say(_RUN, key)


def _view_key(name: str) -> str:
    return f"view-{name}"
