"""The form that makes a new study.

It does not know how a study is made: `python -m legr new` does it, in a process of its own.
"""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import state
from app.commands import Outcome, run_command
from app.widgets import show_error
from legr.study.places import studies_folder

MODELS = (
    "cifar_resnet20",
    "cifar_resnet32",
    "cifar_resnet44",
    "cifar_resnet56",
    "cifar_resnet110",
    "resnet18",
    "resnet50",
    "mobilenet_v2",
)
DATA = {
    "digits": "Digits (comes with the program)",
    "cifar10": "CIFAR-10 (downloaded once if it is not here, 170 MB)",
    "folder": "A folder of images",
}
NORMALIZE = {
    "auto": "Automatic: what suits the weights better",
    "imagenet": "Mean and deviation of ImageNet",
    "dataset": "Mean and deviation of these images",
}


def new_study_form(done: Callable[[str], None]) -> None:
    """Ask for a new study, make it, and hand its name to `done`."""
    with st.container(border=True):
        left, right = st.columns(2, gap="large")
        with left:
            name = st.text_input("Name", placeholder="letters, digits, - and _", max_chars=60)
            model = st.selectbox("Network", MODELS)
            weights = st.file_uploader(
                "Weights (none: random ones)",
                ["pth", "th", "pt", "safetensors"],
                help="Plain tensors only: a pickle that holds anything else is refused.",
            )
        with right:
            data = st.selectbox("Images", list(DATA), format_func=DATA.__getitem__)
            if data == "folder":
                place = "with train/ and val/, or with parquet files"
                data = st.text_input("Folder", placeholder=place).strip()
            normalize = st.selectbox(
                "Normalisation",
                list(NORMALIZE),
                format_func=NORMALIZE.__getitem__,
                help="It belongs to the weights: choose the one that they were trained with.",
            )
        if not st.button("Make the study", type="primary"):
            return
        problem = problem_with(name, data)
        if problem:
            show_error(problem)
            return
        with st.spinner("Loading the network and checking that zeroed = removed …", show_time=True):
            outcome = make(name, model, weights, data, normalize)
        if outcome.ok:
            done(name)
        else:
            show_error(outcome.sentence)


def problem_with(name: str, data: str) -> str | None:
    """One sentence about what is wrong with the form, or None."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name):
        return f"a study's name has letters, digits, - and _ only, got {name!r}; choose another"
    if name in state.known_studies() or (studies_folder() / name).exists():
        return f"there is a study or a folder {name} already; choose another name"
    if not data:
        return "name the folder that holds the images"
    return None


def make(name: str, model: str, weights: UploadedFile | None, data: str, normalize: str) -> Outcome:
    """Run `python -m legr new`; an uploaded file lives only as long as that takes."""
    with tempfile.TemporaryDirectory() as scratch:
        file = "none"
        if weights is not None:
            path = Path(scratch) / Path(weights.name).name  # errors name the file as the user knows it
            path.write_bytes(weights.getbuffer())
            file = str(path)
        arguments = ["new", "--study", str(studies_folder() / name), "--model", model, "--weights", file]
        arguments += ["--data", data]
        arguments += [] if normalize == "auto" else ["--normalize", normalize]
        return run_command([*arguments, "--json"])
