"""Predictions along the slider, read once for all tabs, and as a browser is sent them."""

import base64
import io

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from app.budget_dial.along_types import AlongData, ImageAlong
from app.curves import Stamp, measured_stamp, stamp
from legr.charts.classes_along import listed_classes
from legr.charts.predictions import short
from legr.errors import StudyError
from legr.escape import in_data
from legr.study.along import FOLDER, PredictionsAlong, load_along
from legr.study.records import RankingName
from legr.study.store import Study


def predictions_along(study: Study, ranking: RankingName) -> tuple[PredictionsAlong | None, str]:
    """The stored predictions of a ranking's networks, and why they cannot be read; "" where they can, or are not there.

    They are shared by all tabs, so they must not be changed.
    """
    files = tuple(path.stat().st_mtime_ns for path in study.files(FOLDER, "*.safetensors"))
    try:
        return _loaded(str(study.path), ranking, stamp(study), measured_stamp(study), files), ""
    except StudyError as error:
        return None, str(error)


@st.cache_resource(max_entries=8, show_spinner=False)
def _loaded(path: str, ranking: RankingName, stamped: Stamp, measured: Stamp, files: Stamp) -> PredictionsAlong | None:
    return load_along(Study.open(path), ranking)


def along_data(along: PredictionsAlong, classes: tuple[str, ...]) -> AlongData:
    """As the browser is sent it.

    Args:
        classes: names, of all.
    """
    listed = listed_classes(along, classes)
    data: AlongData = {
        "percent": [round(100 * network.macs_fraction, 3) for network in along.about.networks],
        "top1": _rounded(along.top1),
        "trained": along.about.supernet is not None,
        "listed": [short(classes[place]) for place in listed],
        "top1_of_listed": [_rounded(row) for row in along.top1_of_classes(len(classes)).T[listed]],
        "names": [short(name) for name in classes],
        "images": [_image(along, number) for number in along.of_classes.tolist()],
        "changing": [_image(along, number) for number in along.changing.tolist()],
    }
    return in_data(data)


def _rounded(shares: NDArray[np.float64]) -> list[float]:
    """Per cent, to two digits behind the point."""
    return [round(100 * share, 2) for share in shares.tolist()]


def _image(along: PredictionsAlong, number: int) -> ImageAlong:
    place = int(np.flatnonzero(along.numbers == number)[0])
    return {
        "number": number + 1,
        "label": int(along.labels[number]),
        "picture": _png(along.pictures[place]),
        "classes": along.classes[:, number].tolist(),
        "percent": np.rint(100 * along.probabilities[:, place]).astype(int).tolist(),
    }


def _png(pixels: NDArray[np.uint8]) -> str:
    """uint8[C, H, W] as a data URL."""
    written = io.BytesIO()
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(written, "PNG")
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}"
