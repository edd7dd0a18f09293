"""How an export is to be, on a page: the usual is chosen, and the rest is one click away."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from app.budget_dial.image_sizes import chosen_height, heights_of, remember_height
from app.views.weights import WEIGHTS, Weights, chosen_weights, set_weights
from legr.data.normalization import Preprocess
from legr.requests.export import DYNAMIC
from legr.requests.ranges import OPSET
from legr.study.records import RankingName
from legr.study.store import Study

_BATCHES = {"1": "One", DYNAMIC: "Any number"}
_INPUTS: dict[Preprocess, str] = {
    "none": "float32, normalised by your program",
    "normalize": "float32 from 0 to 255, normalised by the file",
    "uint8": "Bytes as decoders give them, normalised by the file",
}


class ExportOptions(NamedTuple):
    """The fields of an `ExportRequest` that say how its ONNX file is to be."""

    batch: str = "1"
    opset: int | None = None
    preprocess: Preprocess = "none"
    size: int | None = None


def choose_size(study: Study, ranking: RankingName) -> int | None:
    """Ask for which height of images a network is exported, where several were measured; None: the study's own.

    It is the height that the dial on Explore shows.
    """
    heights, chosen = heights_of(study, ranking), chosen_height(study, ranking)
    if len(heights) < 2:
        return None
    key = f"export-size-{study.path.name}"
    st.session_state[key] = chosen
    found = st.segmented_control(
        "Height of its images", heights, required=True, format_func=lambda height: f"{height} px", key=key,
        on_change=lambda: remember_height(study, st.session_state[key]),
    )  # fmt: skip
    return None if found in (None, study.info.input_shape[1]) else found


def choose_export_options(size: int | None = None) -> ExportOptions:
    """Ask how the ONNX file is to be.

    Args:
        size: height of its images; None: the study's own.
    """
    with st.expander("Options of the ONNX file"), st.container(horizontal=True):
        batch = st.segmented_control(
            "Images at a time", list(_BATCHES), default="1", required=True, format_func=_BATCHES.__getitem__,
            key="export-batch", persist_state="session",
            help="Every runtime and compiler takes one. Those for accelerators often refuse a file for any number.",
        )  # fmt: skip
        preprocess = st.selectbox(
            "Input", list(_INPUTS), format_func=_INPUTS.__getitem__, key="export-preprocess",
            persist_state="session", width=390,
            help="input.json and predict.py in the zip say how a picture becomes this input.",
        )  # fmt: skip
        opset = st.number_input(
            "Opset", OPSET.low, OPSET.high, None, key="export-opset", persist_state="session", width=140,
            placeholder="lowest",
            help="If empty, the lowest that the network allows, from 13 on, so that older runtimes take it.",
        )  # fmt: skip
    return ExportOptions(batch or "1", opset, preprocess, size)


def choose_weights(found: Sequence[Weights]) -> Weights:
    """Ask whose weights are exported, where the network has several: those that were chosen on See it or in the map.

    Args:
        found: that the network has; those that are usually handed out come first.
    """
    if len(found) < 2:
        return found[0]
    key = "export-weights"
    st.session_state[key] = chosen_weights(found)
    chosen = st.segmented_control(
        "Weights", found, required=True, format_func=WEIGHTS.__getitem__, key=key, label_visibility="collapsed",
        on_change=lambda: set_weights(st.session_state[key]),
    )  # fmt: skip
    return chosen or found[0]


def options_line(batch: str, opset: int, preprocess: str) -> str:
    """How the ONNX file of an export is, in one sentence; "" where an earlier version made it and did not say."""
    if not opset:
        return ""
    images = "any number of images" if batch == DYNAMIC else "one image" if batch == "1" else f"{batch} images"
    kind = {"normalize": ", float32 from 0 to 255,", "uint8": ", as bytes,"}.get(preprocess, "")
    return f"The ONNX file takes {images}{kind} at a time and needs opset {opset}."
