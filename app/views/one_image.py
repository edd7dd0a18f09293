"""One image: a picture of the user's own or a test image, what both networks answer, and what they see.

It does not know how networks are asked: a command in a process of its own does that. What a browser sends is never
decoded in this one, and its name is never used.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.charts.pictures import decoded
from app.charts.predictions import answers_figure, answers_info, short, verdict
from app.charts.style import CAPTIONS, COLOURS, PLOTLY_CONFIG
from app.run_command import run_command
from app.views.selected_network import SelectedNetwork
from app.widgets.page import guarded, show_error
from app.words import plain
from legr.study.comparison import Comparison
from legr.study.store import Study

TYPES = ["png", "jpg", "jpeg", "webp", "bmp"]
MEGABYTES = 20
_KIND, _OUTCOMES, _COUNTS = "see-kind", "see-outcomes", "see-counts"
_FILE = "see-file"
_REMEMBERED = 16  # answers to images, in this tab
_SIDE = 640  # pixels that a picture has at least when it is shown
_NAMED = 12  # classes in a sentence

Image = bytes | int  # a file's content, or the number of a test image


@st.fragment
@guarded()
def show_one_image(shown: SelectedNetwork, comparison: Comparison | None, available: bool) -> None:
    """Choose an image, and see it and both answers; only this part runs again when another one is chosen.

    Args:
        available: whether the test images are on this machine.
    """
    st.subheader("One image", anchor=False)
    image = _chosen(shown, comparison, available)
    if image is None:
        st.caption("Drop a picture, or take a test image: both networks are asked about it.")
        return
    found = _ask(shown, image, available)
    if found is not None:
        _show(shown, found)


def pick(study: Study, number: int) -> None:
    """Show a test image, by its number; for callbacks."""
    st.session_state[_number_key(study)], st.session_state[_KIND] = number, "number"


def _number_key(study: Study) -> str:
    return f"see-number-{study.path.name}"


def _chosen(shown: SelectedNetwork, comparison: Comparison | None, available: bool) -> Image | None:
    """What was chosen last: the file that was dropped, or the number of a test image."""
    known = _images(shown, comparison)
    left, right = st.columns(2, gap="large")
    with left:
        file = st.file_uploader(
            "A picture of yours",
            TYPES,
            key=_FILE,
            max_upload_size=MEGABYTES,
            on_change=_prefer,
            args=("file",),
        )
    with right:
        number = st.number_input(
            f"A test image, 1 to {known:,}" if known else "A test image",
            1,
            value=None,
            key=_number_key(shown.study),
            persist_state="session",
            placeholder="its number",
            disabled=not available,
            on_change=_prefer,
            args=("number",),
        )
        with st.container(horizontal=True):
            st.button("Another", disabled=not available, on_click=_pick_any, args=(shown.study, known))
            different = (np.flatnonzero(comparison.differ) + 1).tolist() if comparison else []
            st.button(
                "One they classify differently",
                disabled=not (available and different),
                on_click=_pick_of,
                args=(shown.study, different),
                help="Found by the comparison on all test images, below.",
            )
    if file is not None and (st.session_state.get(_KIND) != "number" or number is None):
        return file.getvalue()
    return int(number) if number is not None and available else None


def _images(shown: SelectedNetwork, comparison: Comparison | None) -> int | None:
    """How many test images there are; None where nobody has said so yet."""
    if comparison:
        return len(comparison.labels)
    told: int | None = st.session_state.get(_COUNTS, {}).get(shown.study.info.data_fingerprint)
    if told:
        return told
    point = next((point for point in reversed(shown.study.points) if point.ranking == "original"), None)
    return point.images if point else None


def _prefer(kind: str) -> None:
    st.session_state[_KIND] = kind


def _pick_any(study: Study, known: int | None) -> None:
    pick(study, random.randint(1, known or 1))


def _pick_of(study: Study, numbers: list[int]) -> None:
    before = st.session_state.get(_number_key(study))
    pick(study, random.choice([number for number in numbers if number != before] or numbers))


def _ask(shown: SelectedNetwork, image: Image, available: bool) -> dict[str, Any] | None:
    """What `look` says of an image, remembered in this tab; an error is shown."""
    what = hashlib.sha256(image).hexdigest() if isinstance(image, bytes) else image
    key = (str(shown.study.path), shown.study.info.created, shown.name, what, available)
    outcomes: dict[Any, dict[str, Any]] = st.session_state.setdefault(_OUTCOMES, {})
    if key not in outcomes:
        with st.spinner("Asking both networks …", show_time=True), TemporaryDirectory(prefix="legr-") as folder:
            outcome = run_command(_command(shown, image, Path(folder)))
        if not outcome.ok:
            show_error(outcome.sentence)
            return None
        outcomes[key] = outcome.result
        while len(outcomes) > _REMEMBERED:
            del outcomes[next(iter(outcomes))]
    found = outcomes[key]
    if found["test_images"]:
        st.session_state.setdefault(_COUNTS, {})[shown.study.info.data_fingerprint] = found["test_images"]
    return found


def _command(shown: SelectedNetwork, image: Image, folder: Path) -> list[str]:
    if isinstance(image, bytes):
        path = folder / "image"
        path.write_bytes(image)
        asked = ["--image", str(path)]
    else:
        asked = ["--test-image", str(image)]
    return ["look", "--study", str(shown.study.path), *shown.request.arguments(), *asked, "--json"]


def _show(shown: SelectedNetwork, found: Mapping[str, Any]) -> None:
    classes = shown.study.info.classes
    label = found["label"]
    name = classes[label] if label is not None else None
    kind, sentence = verdict(found["original"][0], found["pruned"][0], name, label)
    {"success": st.success, "warning": st.warning, "info": st.info}[kind](plain(sentence))
    shares = [1, 1, 1.2, 1.2] if found["picture"] else [1, 1.15, 1.15]
    *pictures, middle, right = st.columns(shares, gap="medium")
    _show_pictures(found, name, pictures)
    for column, side, title, colour in (
        (middle, "original", CAPTIONS["original"], COLOURS["original"]),
        (right, "pruned", "Pruned, fine-tuned" if shown.run else "Pruned", shown.colour),
    ):
        with column:
            st.markdown(f"**{title}**")
            info = answers_info(found[side], label)
            alt = "; ".join(f"{row.name} {row.percent:.1f} %" for row in info.itertuples(index=False))
            st.plotly_chart(
                answers_figure(info, colour), key=f"answers-{side}", config=PLOTLY_CONFIG, alt=f"{title}: {alt}."
            )
    st.caption(plain(_notes(shown, found)))


def _show_pictures(found: Mapping[str, Any], name: str | None, columns: Sequence[DeltaGenerator]) -> None:
    """The image as the networks see it; before it, one of the user's own as it was."""
    title = "What the networks see"
    if not found["picture"]:
        title = f"Test image {found['test_image']:,} of {found['test_images']:,}: {name}"
    shown = [("Your picture", found["picture"]), (title, found["seen"])]
    for column, (caption, text) in zip(columns, shown[-len(columns) :], strict=True):
        with column:
            st.image(decoded(text, _SIDE), plain(caption), "stretch", output_format="PNG", alt=caption)


def _notes(shown: SelectedNetwork, found: Mapping[str, Any]) -> str:
    """How the image was prepared, what the networks know, and which statistics were not at hand."""
    classes = shown.study.info.classes
    kind = shown.study.info.normalization["kind"]
    named = ", ".join(short(name) for name in classes[:_NAMED]) + (", …" if len(classes) > _NAMED else "")
    lines = [
        f"Prepared: {found['prepared']}, then normalised by the {'ImageNet' if kind == 'imagenet' else kind} values."
    ]
    if found["picture"]:
        lines.append(f"Whatever a picture shows, the answer is one of {len(classes):,} classes: {named}.")
    if not found["statistics_known"]:
        lines.append(
            "The pruned network runs with the batch-norm statistics of its weights, as the images to recalibrate "
            "them with are not here: before fine-tuning it answers worse than was measured."
        )
    return " ".join(lines)
