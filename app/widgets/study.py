"""A study in words: the heading of a page, and notes on what its networks and weights are subject to."""

import streamlit as st

from app.widgets.page import place, show_warning, status_bar
from app.words import plain
from legr.study.left_out import left_out_line
from legr.study.records import StudyInfo
from legr.study.store import Study


def heading(study: Study) -> None:
    """The study's name, and below it the study in one line."""
    st.title(plain(study.path.name), anchor=False)
    st.caption(plain(summary_line(study)))
    with place():
        if study.info.warning:
            show_warning(study.info.warning)
    damaged = left_out_line(study)
    if damaged:
        with status_bar():
            st.caption(plain(f"{damaged[:1].upper()}{damaged[1:]}."))


def summary_line(study: Study) -> str:
    """Network, images and ranking of a study in one line."""
    learned = study.learned
    ranking = f"ranking learned with {learned.candidates} candidates" if learned else "nothing learned yet"
    kind = ["sample, read-only"] if study.info.sample else []
    return " · ".join([network_description(study.info), ranking, *kind])


def network_description(info: StudyInfo) -> str:
    """Network and images of a study."""
    size = "x".join(str(n) for n in info.input_shape[1:])
    earlier = f", pruned before to {100 * info.pruned_to:.1f} % of its MACs" if info.pruned_to is not None else ""
    return f"{info.model}{earlier} · {info.data_name}, {classes_description(info)}, {size}"


def classes_description(info: StudyInfo) -> str:
    """How many classes the network distinguishes, and of how many."""
    of_all = f" of {len(info.all_classes)}" if info.all_classes else ""
    return f"{info.num_classes}{of_all} classes"


def constraints_note(study: Study) -> None:
    """Show the constraints on every network of a study; nothing where there are none."""
    words = study.constraints.words
    if words:
        st.caption(plain(f"Constraints: {words}."))


def optimism_note(study: Study) -> None:
    """Say that results on held-out images may be optimistic, where the weights may have been trained on them."""
    if study.info.weights_origin == "elsewhere":
        st.caption(
            "These weights were trained elsewhere and may have seen the held-out images: losses and "
            "accuracies on held-out images may be optimistic. Test accuracy is not affected."
        )
