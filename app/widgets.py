"""What several pages show: the heading, errors as one sentence, images that are not here, single figures.

It does not know what is on which page.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from app import state
from app.run_command import run_command
from app.welcome import show_welcome
from app.words import plain
from legr.errors import LegrError, StudyError
from legr.study.records import StudyInfo
from legr.study.store import Study

NO_IMAGES = "The images of this study are not here: name their folder on this page first."
FLOPS_NOTE = "FLOPs here are MACs: one multiply-add = 1."


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
    said = state.take_announcement()
    if said:
        st.toast(plain(said), duration="long")
    with guarded():
        page()


def show_error(sentence: str) -> None:
    """One sentence in red, ending with a full stop; it begins with a capital unless it begins with a name."""
    sentence = sentence.strip().removesuffix(".") + "."
    first = sentence.split(maxsplit=1)[0]
    st.error(plain(sentence[:1].upper() + sentence[1:] if first.isalpha() else sentence))


# -- the heading of a page ---------------------------------------------------------------------------------


def require_study() -> Study:
    """The open study, its name on the page; without any study, a friendly first page and the end of the run."""
    try:
        study = state.open_study()
    except StudyError as error:
        show_error(str(error))
        st.page_link("pages/studies.py", label="Open another study", icon=":material/arrow_forward:")
        st.stop()
    if study is None:
        show_welcome()
        st.stop()
    notice = state.take_notice()
    if notice:
        st.info(plain(notice))
    return study


def heading(study: Study) -> None:
    """The study's name, and in one line what it is about."""
    st.title(plain(study.path.name), anchor=False)
    st.caption(plain(summary_line(study)))


def classes_words(info: StudyInfo) -> str:
    """How many classes the network answers for, of how many there are."""
    of_all = f" of {len(info.all_classes)}" if info.all_classes else ""
    return f"{info.num_classes}{of_all} classes"


def summary_line(study: Study) -> str:
    """Model, images and ranking of a study in one line."""
    learned = study.learned
    ranking = f"ranking learned with {learned.candidates} candidates" if learned else "nothing learned yet"
    kind = ["sample, read-only"] if study.info.sample else []
    return " · ".join([network_words(study.info), ranking, *kind])


def network_words(info: StudyInfo) -> str:
    """Network and images of a study."""
    size = "x".join(str(n) for n in info.input_shape[1:])
    before = f", pruned before to {100 * info.pruned_to:.1f} % of its MACs" if info.pruned_to is not None else ""
    return f"{info.model}{before} · {info.data_name}, {classes_words(info)}, {size}"


def constraints_note(study: Study) -> None:
    """Say what is asked of the shape of every network of a study; nothing where nothing is."""
    words = study.constraints.words
    if words:
        st.caption(plain(f"Asked for: {words}."))


# -- images that are not on this machine -------------------------------------------------------------------


def data_is_here(study: Study) -> bool:
    """Whether the images of a study are on this machine."""
    from legr.data.folders import find_source

    return find_source(study.info.data_name, study.info.data_fingerprint) is not None


def data_notice(study: Study) -> bool:
    """Return whether the images are here; where not, say so and offer ways to name or fetch them."""
    if data_is_here(study):
        return True
    from legr.data.folders import downloadable

    command = ["data", "--study", str(study.path), "--json"]
    cifar = downloadable(study.info.data_name, study.info.data_fingerprint)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            plain(f"The images of this study ({study.info.data_name}) are not known on this machine.")
            + " Learn, Fine-tune and Measure need them; exploring, exporting and pictures of your own work without.",
            width="stretch",
        )
        asked = cifar is not None and st.button(f"Download {cifar.title} (170 MB)", type="primary")
        with st.popover("Use a folder"), st.form("data-folder", border=False):
            folder = st.text_input(
                "Folder that holds them", placeholder="a folder with train/ and val/, or with parquet files"
            ).strip()
            named = st.form_submit_button("Use this folder")
    if named and folder:
        _fetch("Comparing the images with those of the study", [*command, "--folder", folder])
    if asked and cifar is not None:
        _fetch(f"Downloading {cifar.title}", [*command, "--download"])
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


def optimism_note(study: Study) -> None:
    """Say where losses on held-out images may be too good."""
    if study.info.weights_origin == "elsewhere":
        st.caption(
            "These weights were trained elsewhere and may have seen the held-out images: losses and "
            "accuracies on held-out images may be optimistic. Test accuracy is not affected."
        )
