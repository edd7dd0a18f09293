"""Guidance for a first visit: the four steps of the work, each with a link, and one line that says what to do next."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import state
from app.widgets.status import status_bar
from legr.study.store import Study

_GUIDE, _ON, _OFF = "guide", "on", "off"


@dataclass(frozen=True)
class Step:
    """One of the four steps."""

    name: str
    about: str
    page: str
    page_title: str  # the text of the link


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
        "Prune to any budget at once, and see what the network costs and keeps.",
        "pages/explore.py",
        "Explore",
    ),
    Step(
        "Fine-tune and export",
        "Regain accuracy, and export the network as ONNX and safetensors.",
        "pages/finetune.py",
        "Fine-tune & export",
    ),
)


def show_welcome() -> None:
    """The page where there is no study at all: the four steps, of which only the first can be taken yet."""
    st.title("Trade accuracy against cost", anchor=False)
    st.write(
        "Learn once which filters of a ConvNet matter, then drag one slider to prune it to any budget. "
        "There is no study yet: make one first."
    )
    for number, (column, step) in enumerate(zip(st.columns(len(STEPS)), STEPS, strict=True), 1):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{number:d} · {step.name}**")
            st.caption(step.about)
            needs_study = number > 1
            reason = "This needs a study: start with step 1." if needs_study else None
            st.page_link(
                step.page, label=step.page_title, icon=":material/arrow_forward:", disabled=needs_study, help=reason
            )


def show_help(study: Study) -> None:
    """What to do next, in one line of the status bar: learn a ranking, or what a newcomer can do with a sample."""
    if study.learned is None:
        with status_bar(), help_line():
            st.caption("Nothing is learned yet: filters are ranked by their plain L2 norm.", width="content")
            st.page_link("pages/learn.py", label="Learn the ranking", icon=":material/arrow_forward:")
    elif study.info.sample and state.view(_GUIDE, (_ON, _OFF)) == _ON:
        with status_bar(), help_line():
            st.caption("New here? Drag the slider to prune the network to any budget.", width="content")
            st.page_link("pages/finetune.py", label="Then fine-tune and export it")
            st.page_link("pages/studies.py", label="Make a study of your own network")
            st.button("Hide", type="tertiary", on_click=state.remember_view, args=(_GUIDE, _OFF))


def help_line() -> DeltaGenerator:
    """One line of the status bar."""
    return st.container(horizontal=True, vertical_alignment="center", gap="small", key="help")
