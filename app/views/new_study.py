"""The form that makes a new study.

It does not know how a study is made: `python -m legr new` does it, in a process of its own.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import state
from app.run_command import Outcome, run_command
from app.widgets.page import show_error
from legr.arguments import repeated
from legr.data.class_names import CLASSES_OF
from legr.errors import SettingsError, StudyError
from legr.models.config_file import named_models
from legr.study.catalog import require_name, studies_folder

NETWORK, EXPORTED = BEGINNINGS = ("A network", "An exported network")
MODELS = (
    *("cifar_resnet20", "cifar_resnet32", "cifar_resnet44", "cifar_resnet56", "cifar_resnet110"),
    *("cifar_vgg16_bn", "cifar_mobilenet_v2", "resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large"),
    *("efficientnet_b0", "convnext_tiny", "regnet_y_400mf", "densenet121", "vgg16_bn", "squeezenet1_1"),
    *("shufflenet_v2_x1_0", "mnasnet1_0", "googlenet", "inception_v3"),
)
DATA = {
    "digits": "Digits (comes with the program)",
    "cifar10": "CIFAR-10 (downloaded once if it is not here, 170 MB)",
    "cifar100": "CIFAR-100 (downloaded once if it is not here, 170 MB)",
    "folder": "A folder of images",
}
NORMALIZE = {
    "auto": "Automatic: what suits the weights better",
    "imagenet": "Mean and deviation of ImageNet",
    "dataset": "Mean and deviation of these images",
}


def offered() -> tuple[str, ...]:
    """Models that may be chosen: names of the zoo, and those that this machine's configuration file lists.

    Nothing else: whoever sits at the browser must not name code that this machine then runs.

    Raises:
        SettingsError: the configuration file is damaged.
    """
    return (*MODELS, *(name for name in named_models() if name not in MODELS))


def new_study_form(done: Callable[[str], None]) -> None:
    """Ask for a new study, make it, and hand its name to `done`."""
    try:
        models = offered()
    except SettingsError as error:
        show_error(str(error))
        return
    with st.container(border=True):
        begin = st.segmented_control(
            "Begin with", (NETWORK, EXPORTED), default=NETWORK, required=True, key="begin-with"
        )
        left, right = st.columns(2, gap="large")
        with left:
            name = st.text_input("Name", placeholder="letters, digits, - and _", max_chars=60).strip()
            choice = _exported() if begin == EXPORTED else _network(models)
        with right:
            data = st.selectbox("Images", list(DATA), format_func=DATA.__getitem__)
            if data == "folder":
                place = "with train/ and val/, or with parquet files"
                data = st.text_input("Folder", placeholder=place).strip()
            if begin == EXPORTED:
                st.caption("Input size and normalisation are those that the network was exported with.")
            else:
                choice = replace(choice, classes=_classes(data), normalize=_normalize())
        if not st.button("Make the study", type="primary"):
            return
        problem = problem_with(name, data) or choice.problem(models)
        if problem:
            show_error(problem)
            return
        with st.spinner("Loading the network and checking that zeroed = removed …", show_time=True):
            outcome = make(name, choice, data)
        if outcome.ok:
            done(name)
        else:
            show_error(outcome.sentence)


@dataclass(frozen=True)
class Choice:
    """The network that a study begins with: one of the zoo with its weights, or an exported one."""

    model: str | None  # None: what the export names
    file: UploadedFile | None  # weights, or the zip of an export
    classes: tuple[str, ...] = ()  # that the network shall answer for, as `--classes` takes them; (): all
    normalize: str = "auto"

    def problem(self, models: Sequence[str]) -> str | None:
        """One sentence about what is missing, or None."""
        if self.model is None:
            return None if self.file else "choose the zip of an export"
        return None if self.model in models else f"there is no network {self.model}"

    def arguments(self, path: Path) -> list[str]:
        """Of `python -m legr new`; `path` is where the file lies."""
        if self.model is None:
            return ["--recipe", str(path)]
        given = ["--model", self.model]
        if self.file is not None:
            given += ["--weights", str(path)]
        elif not has_weights(self.model):
            given += ["--weights", "none"]
        given += repeated("--classes", self.classes)
        return given + ([] if self.normalize == "auto" else ["--normalize", self.normalize])


def _network(models: Sequence[str]) -> Choice:
    model = st.selectbox("Network", models)
    weights = st.file_uploader(
        "Weights (none: random ones)",
        ["pth", "th", "pt", "safetensors"],
        help="Plain tensors only: a pickle that holds anything else is refused.",
    )
    return Choice(model, weights)


def _exported() -> Choice:
    archive = st.file_uploader(
        "Export (zip)",
        ["zip"],
        help="The zip that Fine-tune & export hands out, on this machine or another. The network in it, as it was "
        "pruned and fine-tuned, becomes the original of the new study, and can be pruned further.",
    )
    return Choice(None, archive)


def _classes(data: str) -> tuple[str, ...]:
    """Some of the classes; of a folder, whose classes are not known here, they are typed."""
    words = (
        "A network that answers for fewer classes can be smaller. Its head is cut to these; only their images count."
    )
    label = "Classes (none: all)"
    if data in CLASSES_OF:
        return tuple(st.multiselect(label, CLASSES_OF[data], placeholder="all", help=words))
    typed = st.text_input(label, placeholder="all, or names with commas between", help=words).strip()
    return (typed,) if typed else ()


def _normalize() -> str:
    return st.selectbox(
        "Normalisation",
        list(NORMALIZE),
        format_func=NORMALIZE.__getitem__,
        help="It belongs to the weights: choose the one that they were trained with.",
    )


def problem_with(name: str, data: str) -> str | None:
    """One sentence about what is wrong with the form, or None."""
    try:
        require_name(name, studies_folder())
    except StudyError as error:
        return str(error)
    if name in state.known_studies():
        return f"there is a sample {name} already; choose another name"
    if not data:
        return "name the folder that holds the images"
    return None


def has_weights(model: str) -> bool:
    """Whether the configuration file names weights for a model."""
    named = named_models().get(model)
    return named is not None and named.weights is not None


def make(name: str, choice: Choice, data: str) -> Outcome:
    """Run `python -m legr new`; an uploaded file lives only as long as that takes."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch)
        if choice.file is not None:
            path = path / Path(choice.file.name).name  # errors name the file as the user knows it
            path.write_bytes(choice.file.getbuffer())
        study = str(studies_folder() / name)
        return run_command(["new", "--study", study, *choice.arguments(path), "--data", data, "--json"])
