"""The form that makes a new study: it runs `python -m legr new` in a process of its own."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import state
from app.run_command import Outcome, run_command
from app.widgets.page import show_error
from legr.data.class_names import CLASSES_OF
from legr.errors import SettingsError, StudyError
from legr.models.config_file import named_models
from legr.ranking.constraints import MULTIPLES
from legr.requests.learn import NewStudyRequest
from legr.study.catalog import require_name, studies_folder

NETWORK, EXPORTED = "A network", "An exported network"
MODELS = (
    *("cifar_resnet20", "cifar_resnet32", "cifar_resnet44", "cifar_resnet56", "cifar_resnet110"),
    *("cifar_vgg16_bn", "cifar_mobilenet_v2", "resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large"),
    *("efficientnet_b0", "convnext_tiny", "regnet_y_400mf", "densenet121", "vgg16_bn", "squeezenet1_1"),
    *("shufflenet_v2_x1_0", "mnasnet1_0", "googlenet", "inception_v3"),
)
DATA = {
    "digits": "Digits (part of the program)",
    "cifar10": "CIFAR-10 (downloaded once, 170 MB)",
    "cifar100": "CIFAR-100 (downloaded once, 170 MB)",
    "folder": "A folder of images",
}
NORMALIZE = {
    "auto": "Automatic: whichever suits the weights better",
    "imagenet": "Mean and deviation of ImageNet",
    "dataset": "Mean and deviation of these images",
}


def offered_models() -> tuple[str, ...]:
    """Models to choose from: names of the zoo, and those in the configuration file of this machine.

    No other names are accepted: a browser must not name code that this machine then runs.

    Raises:
        SettingsError: the configuration file cannot be read.
    """
    return (*MODELS, *(name for name in named_models() if name not in MODELS))


def new_study_form(done: Callable[[str], None]) -> None:
    """Ask for a new study, make it, and call `done` with its name."""
    try:
        models = offered_models()
    except SettingsError as error:
        show_error(str(error))
        return
    with st.container(border=True):
        source = st.segmented_control(
            "Start with", (NETWORK, EXPORTED), default=NETWORK, required=True, key="begin-with"
        )
        left, right = st.columns(2, gap="large")
        with left:
            name = st.text_input("Name", placeholder="letters, digits, - and _", max_chars=60).strip()
            choice = _choose_export() if source == EXPORTED else _choose_network(models)
        with right:
            data = st.selectbox("Images", list(DATA), format_func=DATA.__getitem__)
            if data == "folder":
                data = st.text_input("Folder", placeholder="with train/ and val/, or with parquet files").strip()
            if source == EXPORTED:
                st.caption("Input size and normalisation are those of the export.")
            else:
                choice = replace(choice, classes=_choose_classes(data), normalize=_choose_normalization())
            choice = replace(choice, multiple=_choose_multiple())
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
    """The network of a new study: a model by its name with weights, or an export."""

    model: str | None  # None: the model that the export names
    file: UploadedFile | None  # the weights, or the zip of the export
    classes: tuple[str, ...] = ()  # that the network is cut to, as `--classes` takes them; (): all
    outputs: str = ""  # classes that the weights predict, as `--outputs` takes them; "": those of the images
    normalize: str = "auto"
    multiple: int | None = None  # that channels are rounded to; None: what suits the network

    def problem(self, models: Sequence[str]) -> str | None:
        """One sentence on what is missing; None where nothing is."""
        if self.model is None:
            return None if self.file else "choose the zip of an export"
        return None if self.model in models else f"there is no network {self.model}"

    def arguments(self, path: Path, data: str) -> list[str]:
        """Arguments of `python -m legr new`.

        Args:
            path: of the uploaded file.
            data: the images, as `--data` takes them.
        """
        if self.model is None:
            return ["--recipe", str(path), *NewStudyRequest(data=data, multiple=self.multiple).arguments()]
        random = None if has_weights(self.model) else "none"
        return NewStudyRequest(
            model=self.model,
            weights=random if self.file is None else str(path),
            data=data,
            normalize=None if self.normalize == "auto" else self.normalize,
            classes=self.classes or None,
            outputs=(self.outputs,) if self.outputs else None,
            multiple=self.multiple,
        ).arguments()


def _choose_network(models: Sequence[str]) -> Choice:
    model = st.selectbox("Network", models)
    weights = st.file_uploader(
        "Weights",
        ["pth", "th", "pt", "safetensors"],
        help="Tensors only: a pickle that holds anything else is refused.",
    )
    outputs = ""
    if weights is None and not has_weights(model):
        st.caption(
            ":material/warning: Without a file the weights are random. Such a network only guesses, and the pages "
            "cannot train it: that is done by `python -m legr train`."
        )
    if weights is not None:
        outputs = st.text_input(
            "Classes in the order of its outputs (if empty: as in the images)",
            placeholder="names separated by commas",
            help="Weights trained elsewhere may number the classes in another order, or predict more of them.",
        ).strip()
    return Choice(model, weights, outputs=outputs)


def _choose_export() -> Choice:
    archive = st.file_uploader(
        "Export (zip)",
        ["zip"],
        help="The zip that Fine-tune & export made, on this machine or another. Its network, pruned and fine-tuned, "
        "becomes the original of the new study and can be pruned further.",
    )
    return Choice(None, archive)


def _choose_classes(data: str) -> tuple[str, ...]:
    """Ask for the classes to keep; those of a folder are typed, as the form does not know them."""
    about = (
        "A network that distinguishes fewer classes can be smaller. Its last layer is cut to these classes, and only "
        "their images are used."
    )
    label = "Classes (if empty: all)"
    if data in CLASSES_OF:
        return tuple(st.multiselect(label, CLASSES_OF[data], placeholder="all", help=about))
    typed = st.text_input(label, placeholder="all, or names separated by commas", help=about).strip()
    return (typed,) if typed else ()


def _choose_normalization() -> str:
    return st.selectbox(
        "Normalisation",
        list(NORMALIZE),
        format_func=NORMALIZE.__getitem__,
        help="Choose the one that the weights were trained with.",
    )


def _choose_multiple() -> int | None:
    return st.selectbox(
        "Filters in multiples of",
        (None, *MULTIPLES),
        format_func=lambda multiple: "8, or less for few channels" if multiple is None else str(multiple),
        help="Processors and accelerators take channels several at a time, so a network with odd numbers of them may "
        "be smaller and no faster. It can be changed at any time, beside the layers.",
    )


def problem_with(name: str, data: str) -> str | None:
    """One sentence on what is wrong with name or images; None where nothing is."""
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
    """Run `python -m legr new`; an uploaded file is stored only while it runs."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch)
        if choice.file is not None:
            path = path / Path(choice.file.name).name  # so that errors show the name that the user knows
            path.write_bytes(choice.file.getbuffer())
        study = str(studies_folder() / name)
        return run_command(["new", "--study", study, *choice.arguments(path, data), "--json"])
