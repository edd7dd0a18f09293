"""What several pages show: the heading, the budget slider, figures in words, errors as one sentence.

It does not know what is on which page.
"""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from app import state
from app.commands import run_command
from app.measured import Reading
from legr.errors import LegrError
from legr.jobs.records import Job
from legr.study.store import Study

FLOPS_NOTE = "FLOPs here are MACs: one multiply-add = 1."
DASH = "—"


# -- errors ------------------------------------------------------------------------------------------------


@contextmanager
def guarded() -> Iterator[None]:
    """Show an error that the user can act on as one sentence; use it around every fragment."""
    try:
        yield
    except LegrError as error:
        show_error(str(error))
    except OSError as error:
        reason = f"{error.filename or 'a file'} cannot be read or written ({error.strerror or error})"
        show_error(f"{reason}; free some space or check its permissions")


def run_page(page: Callable[[], None], path: str) -> None:
    """Run a page, guarded; `path` is its file, seen from `streamlit_app.py`."""
    state.require_entry(path)
    with guarded():
        page()


def show_error(sentence: str) -> None:
    """One sentence in red, ending with a full stop; it begins with a capital unless it begins with a name."""
    sentence = sentence.strip().removesuffix(".") + "."
    first = sentence.split(maxsplit=1)[0]
    st.error(plain(sentence[:1].upper() + sentence[1:] if first.isalpha() else sentence))


def plain(text: str) -> str:
    """Escape what Markdown would swallow; code in backticks stays code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_$~\[\]<>#|])", r"\\\1", part) for part in parts)


# -- the heading of a page ---------------------------------------------------------------------------------


def require_study() -> Study:
    """The open study, its name on the page; without any study, a friendly first page and the end of the run.

    Raises:
        StudyError: it cannot be opened.
    """
    study = state.open_study()
    if study is None:
        st.title("Trade accuracy against cost")
        st.write(
            "Learn once which filters of a ConvNet matter, then move one slider to prune it to any budget. "
            "Begin with a study: a network, its weights and its images."
        )
        st.page_link("pages/studies.py", label="Make the first study", icon=":material/add:")
        st.stop()
    notice = state.take_notice()
    if notice:
        st.info(plain(notice))
    return study


def heading(study: Study) -> None:
    """The study's name, and in one line what it is about."""
    st.title(plain(study.path.name), anchor=False)
    st.caption(plain(summary_line(study)))


def summary_line(study: Study) -> str:
    """Model, images and ranking of a study in one line."""
    info = study.info
    size = "x".join(str(n) for n in info.input_shape[1:])
    learned = study.learned
    ranking = f"ranking learned with {learned.candidates} candidates" if learned else "nothing learned yet"
    kind = ["sample, read-only"] if info.sample else []
    return " · ".join([info.model, f"{info.data_name}, {info.num_classes} classes, {size}", ranking, *kind])


def shape_note(study: Study) -> None:
    """Say what is asked of the shape of every network of a study; nothing where nothing is."""
    words = study.shape.words
    if words:
        st.caption(plain(f"Shape: {words}. Set by `python -m legr shape`."))


# -- figures in words --------------------------------------------------------------------------------------


def count(number: float) -> str:
    """A count with its unit: 125.49 M, 855.8 k."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.2f} {unit}" if number < 100 * size else f"{number / size:.1f} {unit}"
    return f"{number:.0f}"


def change(new: float, old: float) -> str | None:
    """Relative difference to the original, such as "-53.0 %"; None where there is none."""
    percent = 100 * (new / old - 1) if old else 0.0
    return None if abs(percent) < 0.05 else f"{percent:+.1f} %"


def points_lost(new: float, old: float) -> str | None:
    """Difference of two accuracies in percentage points; None where there is none."""
    difference = 100 * (new - old)
    return None if abs(difference) < 0.005 else f"{difference:+.1f} points"


def accuracy(reading: Reading | None) -> str:
    """An accuracy in per cent; "~" where it lies between two measured points."""
    if reading is None:
        return DASH
    return f"{'' if reading.measured else '~'}{100 * reading.value:.1f} %"


def milliseconds(value: float) -> str:
    """A latency with three significant digits, zeros kept: 2.40, 14.0, 140."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value))) if 0 < value < 100 else 0}f}"


# -- the budget --------------------------------------------------------------------------------------------


def lowest_percent(floor: float) -> float:
    """The slider's left end: the floor, rounded up to the slider's step of half a per cent."""
    return min(100.0, math.ceil(200 * floor - 1e-9) / 2)


def budget_slider(floor: float) -> float:
    """The slider over the budget, shared by all pages; returns a fraction of the original's MACs.

    Args:
        floor: the smallest reachable fraction.
    """
    low = lowest_percent(floor)
    if low >= 100:
        st.caption("Nothing can be removed from this network.")
        return 1.0
    chosen = min(100.0, max(low, round(2 * state.budget_percent()) / 2))
    percent = st.slider(
        "FLOP budget, per cent of the original",
        low,
        100.0,
        chosen,
        0.5,
        format="%.1f %%",
        key=f"budget-{low}",
        help=f"The largest network on the ranking's path within this budget. {FLOPS_NOTE}",
    )
    state.keep_budget(percent)
    return percent / 100


# -- images that are not on this machine -------------------------------------------------------------------


def data_is_here(study: Study) -> bool:
    """Whether the images of a study are on this machine."""
    from legr.data.folders import find_source

    return find_source(study.info.data_name, study.info.data_fingerprint) is not None


def data_notice(study: Study) -> bool:
    """Return whether the images are here; where not, say so and offer ways to name or fetch them."""
    if data_is_here(study):
        return True
    name = study.info.data_name
    with st.container(border=True):
        st.warning(
            plain(
                f"The images of this study ({name}) are not known on this machine. Learn, Fine-tune and "
                "Measure need them; exploring and exporting work without."
            )
        )
        with st.form("data-folder", border=False):
            folder = st.text_input(
                "Folder that holds them", placeholder="a folder with train/ and val/, or with parquet files"
            )
            named = st.form_submit_button("Use this folder")
        if named and folder.strip():
            _fetch(
                "Comparing the images with those of the study",
                ["data", "--study", str(study.path), "--folder", folder.strip(), "--json"],
            )
        if name == "cifar10" and st.button("Download CIFAR-10 (170 MB)"):
            _fetch("Downloading CIFAR-10", ["data", "--study", str(study.path), "--download", "--json"])
    return False


def _fetch(doing: str, arguments: list[str]) -> None:
    with st.spinner(f"{doing} …", show_time=True):
        outcome = run_command(arguments)
    if outcome.ok:
        st.rerun()
    show_error(outcome.sentence)


def metric(
    label: str,
    value: str,
    delta: str | None = None,
    *,
    less_is_better: bool = False,
    help: str | None = None,
    against: str = "original",
) -> None:
    """One figure with its difference to another, by default the original network's."""
    st.metric(
        label,
        value,
        delta,
        delta_color="inverse" if less_is_better else "normal",
        help=help,
        delta_description=f"vs. {against}" if delta else None,
    )


def option(job: Job, name: str, otherwise: str | float) -> str:
    """The value of an option among a job's arguments."""
    arguments = list(job.arguments)
    place = arguments.index(name) + 1 if name in arguments else len(arguments)
    return arguments[place] if place < len(arguments) else str(otherwise)


def optimism_note(study: Study) -> None:
    """Say where losses on held-out images may be too good."""
    if study.info.weights_origin == "elsewhere":
        st.caption(
            "These weights were trained elsewhere and may have seen the held-out images: losses and "
            "accuracies on held-out images may be optimistic. Test accuracy is not affected."
        )
