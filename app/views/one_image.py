"""One image on the page See it: a picture of the user's own or a test image, and what both networks predict.

The predictions come from the command `look`, in a process of its own. A file that a browser sends is not decoded in
the server, and its name is never used.
"""

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.run_command import run_command
from app.views.selected_network import Reference, SelectedNetwork
from app.widgets.page import guarded, show_error
from app.words import plain
from legr.charts.pictures import decoded
from legr.charts.predictions import predictions_figure, predictions_table, short, verdict
from legr.charts.style import PLOTLY_CONFIG
from legr.commands.results import LookResult, Prediction
from legr.requests.ranges import IMAGE_NUMBER
from legr.study.comparison import Comparison
from legr.study.store import Study

FILE_TYPES = ["png", "jpg", "jpeg", "webp", "bmp"]
MAX_MEGABYTES = 20
_SOURCE, _RESULTS, _COUNTS = "see-kind", "see-outcomes", "see-counts"
_FILE = "see-file"
_MAX_RESULTS = 16  # remembered in a tab
_MIN_SIDE = 640  # pixels of a picture on the page
_MAX_NAMES = 12  # classes in a sentence
_NORMALIZATIONS = {
    "imagenet": "mean and deviation of ImageNet",
    "dataset": "mean and deviation of the data set",
    "custom": "mean and deviation given with the network",
}

Image = bytes | int  # the content of a file, or the number of a test image, from 1


@st.fragment
@guarded()
def show_one_image(
    selected: SelectedNetwork, reference: Reference, comparison: Comparison | None, available: bool
) -> None:
    """Let the user choose an image, and show both predictions; as a fragment, so that the page does not rerun.

    Args:
        reference: what the network is compared with.
        available: whether the test images are on this machine.
    """
    st.header("One image", anchor=False)
    image = _choose_image(selected, comparison, available)
    answers = st.empty()  # at once: what was said of another image must not stand below this one
    if image is None:
        answers.caption("Drop a picture, or take a test image, to see what both networks predict.")
        return
    with answers:
        result = _look(selected, image, available)
        beside = _look(reference.held, image, available) if result and reference.held else result
    if result is not None and beside is not None:
        with answers.container():
            _show_result(selected, reference, result, beside.pruned if reference.held else result.original)


def pick(study: Study, number: int) -> None:
    """Choose a test image by its number. Call only from a Streamlit callback."""
    st.session_state[_number_key(study)], st.session_state[_SOURCE] = number, "number"


def _number_key(study: Study) -> str:
    return f"see-number-{study.path.name}"


def _choose_image(selected: SelectedNetwork, comparison: Comparison | None, available: bool) -> Image | None:
    """The image chosen last: a dropped file or a test image."""
    study, n_images = selected.study, _count_images(selected.study, comparison)
    left, right = st.columns(2, gap="large")
    with left:
        file = st.file_uploader(
            "A picture of yours",
            FILE_TYPES,
            key=_FILE,
            max_upload_size=MAX_MEGABYTES,
            on_change=_set_source,
            args=("file",),
        )
    with right:
        number = st.number_input(
            f"A test image, 1 to {n_images:,}" if n_images else "A test image",
            IMAGE_NUMBER.low,
            IMAGE_NUMBER.high,
            value=None,
            key=_number_key(study),
            persist_state="session",
            placeholder="its number",
            disabled=not available,
            on_change=_set_source,
            args=("number",),
        )
        with st.container(horizontal=True):
            st.button("Another", disabled=not available, on_click=_pick_any, args=(study, n_images))
            differing = (np.flatnonzero(comparison.differ) + 1).tolist() if comparison else []
            st.button(
                "One they classify differently",
                disabled=not (available and differing),
                on_click=_pick_of,
                args=(study, differing),
                help="Known from the comparison on all test images, below.",
            )
    if file is not None and (st.session_state.get(_SOURCE) != "number" or number is None):
        return file.getvalue()
    return int(number) if number is not None and available else None


def _count_images(study: Study, comparison: Comparison | None) -> int | None:
    """How many test images the study has; None where nothing has counted them yet."""
    if comparison:
        return len(comparison.labels)
    count: int | None = st.session_state.get(_COUNTS, {}).get(study.info.data_fingerprint)
    if count:
        return count
    point = next((point for point in reversed(study.points) if point.ranking == "original"), None)
    return point.images if point else None


def _set_source(source: str) -> None:
    st.session_state[_SOURCE] = source


def _pick_any(study: Study, n_images: int | None) -> None:
    pick(study, random.randint(1, n_images or 1))


def _pick_of(study: Study, numbers: list[int]) -> None:
    current = st.session_state.get(_number_key(study))
    pick(study, random.choice([number for number in numbers if number != current] or numbers))


def _look(selected: SelectedNetwork, image: Image, available: bool) -> LookResult | None:
    """Run `look` on an image, or take its result from this tab; None where an error is shown."""
    image_key = hashlib.sha256(image).hexdigest() if isinstance(image, bytes) else image
    key = (str(selected.study.path), selected.study.info.created, selected.comparison_name, image_key, available)
    results: dict[tuple[str | int, ...], LookResult] = st.session_state.setdefault(_RESULTS, {})
    if key not in results:
        with st.spinner("Running both networks …", show_time=True), TemporaryDirectory(prefix="legr-") as folder:
            outcome = run_command(_command(selected, image, Path(folder)))
        if not outcome.ok:
            show_error(outcome.sentence)
            return None
        results[key] = LookResult.from_dict(outcome.result)
        while len(results) > _MAX_RESULTS:
            del results[next(iter(results))]
    result = results[key]
    if result.test_images:
        st.session_state.setdefault(_COUNTS, {})[selected.study.info.data_fingerprint] = result.test_images
    return result


def _command(selected: SelectedNetwork, image: Image, folder: Path) -> list[str]:
    """Arguments of the program; the content of a file is written to `folder`."""
    if isinstance(image, bytes):
        path = folder / "image"
        path.write_bytes(image)
        which = ["--image", str(path)]
    else:
        which = ["--test-image", str(image)]
    return ["look", "--study", str(selected.study.path), *selected.request.arguments(), *which, "--json"]


def _show_result(
    selected: SelectedNetwork, reference: Reference, result: LookResult, beside: Sequence[Prediction]
) -> None:
    """Show the predictions of both networks.

    Args:
        beside: those of the reference.
    """
    classes = selected.study.info.classes
    label_name = classes[result.label] if result.label is not None else None
    kind, sentence = verdict(beside[0], result.pruned[0], result.label, label_name, reference.words)
    {"success": st.success, "warning": st.warning, "info": st.info}[kind](plain(sentence))
    widths = [1, 1, 1.2, 1.2] if result.file_image else [1, 1.15, 1.15]
    *pictures, left, right = st.columns(widths, gap="medium")
    _show_pictures(result, label_name, pictures)
    with left:
        _show_predictions("original", reference.title, beside, result.label, reference.colour)
    with right:
        title = "Pruned, fine-tuned" if selected.weights == "finetuned" else "Pruned"
        _show_predictions("pruned", title, result.pruned, result.label, selected.colour)
    st.caption(plain(_notes(selected.study, result)))


def _show_predictions(
    network: str, title: str, predictions: Sequence[Prediction], label: int | None, colour: str
) -> None:
    st.markdown(f"**{plain(title)}**")
    figure = predictions_figure(predictions_table(predictions, label), colour)
    listed = "; ".join(f"{prediction.name} {100 * prediction.probability:.1f} %" for prediction in predictions)
    st.plotly_chart(figure, key=f"answers-{network}", config=PLOTLY_CONFIG, alt=f"{title}: {listed}.")


def _show_pictures(result: LookResult, label_name: str | None, columns: Sequence[DeltaGenerator]) -> None:
    """The image as the networks see it; before it, the user's own picture as it was."""
    if result.file_image:
        pictures = [("Your picture", result.file_image), ("What the networks see", result.network_input)]
    else:
        pictures = [(f"Test image {result.test_image:,} of {result.test_images:,}: {label_name}", result.network_input)]
    for column, (caption, encoded) in zip(columns, pictures, strict=True):
        with column:
            st.image(decoded(encoded, _MIN_SIDE), plain(caption), "stretch", output_format="PNG", alt=caption)


def _notes(study: Study, result: LookResult) -> str:
    """How the image was prepared, which classes the networks know, and whether batch norms could be recalibrated."""
    classes, normalization = study.info.classes, _NORMALIZATIONS[study.info.normalization.kind]
    lines = [f"Prepared: {result.preparation}, then normalised with {normalization}."]
    if result.file_image:
        names = ", ".join(short(name) for name in classes[:_MAX_NAMES]) + (", …" if len(classes) > _MAX_NAMES else "")
        lines.append(f"Whatever a picture shows, the prediction is one of {len(classes):,} classes: {names}.")
    if not result.statistics_known:
        lines.append(
            "The pruned network uses the batch-norm statistics of its weights, as the images to recalibrate them with "
            "are not on this machine: before fine-tuning its predictions are worse than was measured."
        )
    return " ".join(lines)
