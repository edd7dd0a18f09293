"""What a first visit is told: the four steps with a door to each, and what to do first where something is missing.

It does not know what a step does.
"""

from dataclasses import dataclass

import streamlit as st

from app import state
from legr.study.store import Study

_GUIDE, _SHOWN, _HIDDEN = "guide", "on", "off"


@dataclass(frozen=True)
class Step:
    """One of the four steps."""

    name: str
    about: str
    page: str
    door: str  # what the link to the page says


STEPS = (
    Step(
        "Choose a study",
        "A network, its weights and its images: a sample that comes with the program, or your own.",
        "pages/studies.py",
        "Studies",
    ),
    Step(
        "Learn the ranking",
        "Once, in the background: which filters of the whole network matter least.",
        "pages/learn.py",
        "Learn",
    ),
    Step(
        "Drag the budget",
        "Every budget is pruned at once, and shows what it costs and what it keeps.",
        "pages/explore.py",
        "Explore",
    ),
    Step(
        "Fine-tune and export",
        "Win accuracy back, and take the network away as ONNX and safetensors.",
        "pages/finetune.py",
        "Fine-tune & export",
    ),
)


def show_welcome() -> None:
    """The first page where there is no study at all: the first step can be taken, the others are told."""
    st.title("Trade accuracy against cost", anchor=False)
    st.write(
        "Learn once which filters of a ConvNet matter, then move one slider to prune it to any budget. "
        "There is no study here yet: begin by making one."
    )
    for number, (column, step) in enumerate(zip(st.columns(len(STEPS)), STEPS, strict=True), 1):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{number} · {step.name}**")
            st.caption(step.about)
            later = number > 1
            why = "It needs a study: begin with step 1." if later else None
            st.page_link(step.page, label=step.door, icon=":material/arrow_forward:", disabled=later, help=why)


def learn_first(study: Study) -> None:
    """Where nothing has been learned yet: what that means, and the way to change it."""
    if study.learned is None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("Nothing is learned yet: filters go by their plain L2 norm.", width="content")
            st.page_link("pages/learn.py", label="Learn the ranking", icon=":material/arrow_forward:")


def show_guide(study: Study) -> None:
    """The four steps in one line, above a sample that nobody has worked on yet, until they are hidden."""
    if not study.info.sample:
        return
    if state.view(_GUIDE, (_SHOWN, _HIDDEN)) == _HIDDEN:
        state.keep_view(_GUIDE, _HIDDEN)  # in the address line too, for a reload
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="guide"):
        for number, step in enumerate(STEPS, 1):
            st.page_link(step.page, label=f"{number} · {step.name}", help=step.about)
        st.space("stretch")
        st.button("Hide", type="tertiary", icon=":material/close:", on_click=state.keep_view, args=(_GUIDE, _HIDDEN))
