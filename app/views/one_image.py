"""One image on the page See it: a picture of the user's own or a test image, and what both networks predict.

The predictions come from the process that keeps networks loaded. A file that a browser sends is not decoded in the
server, and its name is never used.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import state
from app.networks import NETWORKS
from app.views.selected_network import Reference, SelectedNetwork
from app.widgets.chart import show_chart
from app.widgets.page import guarded, show_error
from app.words import plain
from legr.charts.pictures import decoded, middle_marked
from legr.charts.predictions import predictions_figure, predictions_table, short, verdict
from legr.commands.questions import Answer, LookResult, Picture, Prediction, Question
from legr.requests.measure import LookRequest
from legr.requests.ranges import IMAGE_NUMBER
from legr.study.comparison import Comparison
from legr.study.store import Study

FILE_TYPES = ["png", "jpg", "jpeg", "webp", "bmp"]
MAX_MEGABYTES = 20
_DROPS, _RESULTS, _COUNTS = "see-drops", "see-outcomes", "see-counts"
_MAX_RESULTS = 16  # remembered in a tab
_MIN_SIDE, _WIDTH = 640, 200  # pixels of a picture, and of its place on the page
_NO_IMAGES = "A test image: get the images first, under All test images"
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
    image = _choose_image(selected, comparison, available)
    NETWORKS.start()
    words, below = st.empty(), st.empty()  # at once: what was said of another image must not stand beside this one
    if image is None:
        words.caption("Drop a picture, or take a test image, to see what both networks predict.")
        return

    def show(picture: Picture) -> None:
        with below.container():
            _show_answers(selected, reference, picture, (), ())

    words.info("Running both networks …")
    with words:  # an error stands there as well
        result = _look(selected, image, available, show)
        beside = _look(reference.held, image, available) if result and reference.held else result
    if result is None or beside is None:
        return
    others = beside.pruned if reference.held else result.original
    _say_who_is_right(selected, reference, words, result, others)
    with below.container():
        _show_answers(selected, reference, result, result.pruned, others)
        st.caption(plain(_notes(selected.study, result)))


def pick(study: Study, number: int) -> None:
    """Choose a test image by its number. Call only from a Streamlit callback."""
    st.session_state[_number_key(study)] = number
    _forget_file()
    state.remember_view("images", "one")


def _number_key(study: Study) -> str:
    return f"see-number-{study.path.name}"


def _forget_file() -> None:
    """Let the place for a file be empty: another one stands there from now on."""
    st.session_state[_DROPS] = st.session_state.get(_DROPS, 0) + 1


def _choose_image(selected: SelectedNetwork, comparison: Comparison | None, available: bool) -> Image | None:
    """The image chosen last, a dropped file or a test image; the other is forgotten, so that one of them shows."""
    study, n_images = selected.study, _count_images(selected.study, comparison)
    left, right = st.columns(2, gap="large")
    with left:
        file = st.file_uploader(
            "A picture of yours",
            FILE_TYPES,
            key=f"see-file-{st.session_state.get(_DROPS, 0)}",
            max_upload_size=MAX_MEGABYTES,
            on_change=_forget_number,
            args=(study,),
        )
    with right, st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            (f"A test image, 1 to {n_images:,}" if n_images else "A test image") if available else _NO_IMAGES,
            IMAGE_NUMBER.low,
            IMAGE_NUMBER.high,
            value=None,
            key=_number_key(study),
            persist_state="session",
            placeholder="its number",
            disabled=not available,
            on_change=_forget_file,
        )
        if available:
            st.button("Another", on_click=_pick_any, args=(study, n_images))
            differing = (np.flatnonzero(comparison.differ) + 1).tolist() if comparison else []
            st.button(
                "One they classify differently",
                disabled=not differing,
                on_click=_pick_of,
                args=(study, differing),
                help="Known from the comparison on all test images.",
            )
    if file is not None:
        return file.getvalue()
    return int(number) if number is not None and available else None


def _forget_number(study: Study) -> None:
    st.session_state[_number_key(study)] = None


def _count_images(study: Study, comparison: Comparison | None) -> int | None:
    """How many test images the study has; None where nothing has counted them yet."""
    if comparison:
        return len(comparison.labels)
    count: int | None = st.session_state.get(_COUNTS, {}).get(study.info.data_fingerprint)
    if count:
        return count
    point = next((point for point in reversed(study.points) if point.ranking == "original"), None)
    return point.images if point else None


def _pick_any(study: Study, n_images: int | None) -> None:
    pick(study, random.randint(1, n_images or 1))


def _pick_of(study: Study, numbers: list[int]) -> None:
    current = st.session_state.get(_number_key(study))
    pick(study, random.choice([number for number in numbers if number != current] or numbers))


def _look(
    selected: SelectedNetwork, image: Image, available: bool, show: Callable[[Picture], None] = lambda picture: None
) -> LookResult | None:
    """Ask about an image, or take the result from this tab; None where an error is shown.

    Args:
        show: shows the image as soon as it was read.
    """
    image_key = hashlib.sha256(image).hexdigest() if isinstance(image, bytes) else image
    key = (str(selected.study.path), selected.study.info.created, selected.comparison_name, image_key, available)
    results: dict[tuple[str | int, ...], LookResult] = st.session_state.setdefault(_RESULTS, {})
    if key not in results:
        answer = _ask(selected, image, show)
        if answer.result is None:
            show_error(answer.sentence)
            return None
        results[key] = answer.result
        while len(results) > _MAX_RESULTS:
            del results[next(iter(results))]
    result = results[key]
    if result.test_images:
        st.session_state.setdefault(_COUNTS, {})[selected.study.info.data_fingerprint] = result.test_images
    return result


def _ask(selected: SelectedNetwork, image: Image, show: Callable[[Picture], None]) -> Answer:
    """Ask the process that has the networks; the content of a file is handed over in a folder that nobody else has."""
    request = LookRequest.from_arguments(selected.request.arguments())
    question = Question(str(selected.study.path), request.to_dict(), network=selected.comparison_name)
    if isinstance(image, int):
        return NETWORKS.ask(replace(question, test_image=image), show)
    with TemporaryDirectory(prefix="legr-") as folder:
        path = Path(folder) / "image"
        path.write_bytes(image)
        return NETWORKS.ask(replace(question, image=str(path)), show)


def _say_who_is_right(
    selected: SelectedNetwork,
    reference: Reference,
    place: DeltaGenerator,
    result: LookResult,
    beside: Sequence[Prediction],
) -> None:
    kind, sentence = verdict(beside[0], result.pruned[0], result.label, _label_name(selected, result), reference.words)
    {"success": place.success, "warning": place.warning, "info": place.info}[kind](plain(sentence))


def _label_name(selected: SelectedNetwork, picture: Picture) -> str | None:
    return None if picture.label is None else selected.study.info.classes[picture.label]


def _show_answers(
    selected: SelectedNetwork,
    reference: Reference,
    picture: Picture,
    pruned: Sequence[Prediction],
    beside: Sequence[Prediction],
) -> None:
    """Show the image, and what both networks predict; nothing yet where they were not run.

    Args:
        beside: predictions of the reference.
    """
    pictures, left, right = st.columns([1.6, 1.2, 1.2] if picture.file_image else [1, 1.2, 1.2], gap="medium")
    with pictures, st.container(horizontal=True):
        _show_pictures(selected, picture)
    with left:
        _show_predictions("reference", reference.title, beside, picture.label, reference.colour)
    with right:
        _show_predictions("pruned", selected.title, pruned, picture.label, selected.colour)


def _show_predictions(
    network: str, title: str, predictions: Sequence[Prediction], label: int | None, colour: str
) -> None:
    st.markdown(f"**{plain(title)}**")
    figure = predictions_figure(predictions_table(predictions, label), colour)
    listed = "; ".join(f"{prediction.name} {100 * prediction.probability:.1f} %" for prediction in predictions)
    key = f"answers-{network}" if predictions else f"unanswered-{network}"  # both are drawn in one run
    show_chart(figure, key=key, alt=f"{title}: {listed or 'not run yet'}.")


def _show_pictures(selected: SelectedNetwork, picture: Picture) -> None:
    """The image as the networks see it; before it, the whole of a picture of the user, what they see of it marked.

    Where the pruned network takes smaller images than the original, it is its own that is shown.
    """
    seen, number, total = decoded(picture.network_input, _MIN_SIDE), picture.test_image, picture.test_images
    name, who = _label_name(selected, picture), "pruned network sees" if selected.height else "networks see"
    pictures = [(f"Test image {number:,} of {total:,}: {name}", seen)] if number and total else []
    if picture.file_image:
        ratio = seen.shape[1] / seen.shape[0]
        whole = middle_marked(decoded(picture.file_image, _MIN_SIDE), ratio)
        pictures = [("Your picture", whole), (f"What the {who}", seen)]
    for caption, pixels in pictures:
        with st.container(width=_WIDTH):
            st.image(pixels, plain(caption), "stretch", output_format="PNG", alt=caption)


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
