"""The card of a layer: why it keeps the filters that it keeps. A browser is sent it when the layer is chosen."""

import math

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from app import state
from app.browser_files import entry
from app.budget_dial.card_types import CardData, CostsData, KernelsData
from app.budget_dial.devices import profiled_device
from app.curves import Stamp, budget_curve, stamp
from legr.charts.layer_filters import LayerFilters, layer_filters
from legr.charts.what_if import costs_by_count, possible_numbers
from legr.errors import StudyError
from legr.escape import in_data
from legr.ranking.types import Affine, FloatArray
from legr.structure.types import Layer
from legr.study.records import RankingName
from legr.study.store import Study

_MOST_PIXELS, _MOST_SIDE = 65_536, 16  # of all kernels; larger ones are no small pictures
_COLOURS = 3
_MOST_COUNTS = 48  # numbers of filters that are tried

_mount = st.components.v2.component("legr.layer_card", js=entry("card_mail.js", "card of a layer"))


def layer_names(study: Study) -> list[str]:
    """The layers that have a card: those whose filters are ranked."""
    return [layer.name for layer in study.structure.layers]


def chosen_layer(study: Study) -> str:
    """The layer whose card is open; "": none."""
    return state.view("layer", ["", *layer_names(study)])


def show_card(study: Study, ranking: RankingName, budget: float | None, table_id: str) -> None:
    """Send the dial the card of the chosen layer; it asks for little, so it is not part of the dial's own data.

    Args:
        budget: per cent of the original's MACs, for which other numbers of filters are tried; None: for none.
        table_id: of the table that the dial shows; a card of another is not shown beside it.
    """
    layer = chosen_layer(study)
    card = layer_card(str(study.path), ranking, stamp(study), layer) if layer else None
    _mount(key="layer-card", data={"card": {**card, "id": table_id} if card else None})
    costs = costs_of(study, ranking, layer, budget) if layer and budget else None
    _mount(key="layer-costs", data={"costs": {**costs, "id": table_id} if costs else None})


@st.cache_resource(max_entries=64, show_spinner=False)
def layer_card(path: str, ranking: RankingName, stamped: Stamp, name: str) -> CardData:
    """The card of a layer under a ranking; kept until the study's ranking changes, and never changed."""
    study, found = Study.open(path), _filters(path, ranking, stamped, name)
    card: CardData = {
        "id": "",
        "layer": name,
        "ranking": ranking,
        "alpha": found.alpha,
        "kappa": found.kappa,
        "numbers": found.numbers.tolist(),
        "norms": _rounded(found.norms),
        "own": _rounded(found.own),
        "scores": [None if math.isnan(score) else score for score in _rounded(found.scores)],
        "gone_below": [None if np.isinf(share) else round(100 * share, 4) for share in found.gone_below.tolist()],
        "partners": [{"layer": partner.layer, "shared": partner.shared} for partner in found.partners],
        "kernels": kernels_of(study, found.layer, found.numbers.tolist()),
    }
    return in_data(card)


@st.cache_resource(max_entries=64, show_spinner=False)
def _filters(path: str, ranking: RankingName, stamped: Stamp, name: str) -> LayerFilters:
    study = Study.open(path)
    learned = study.map_of(ranking)
    identity = Affine.identity(len(study.structure.layers))
    affine = learned.affine if learned else None if ranking == "uniform" else identity
    return layer_filters(study.ranker, budget_curve(study, ranking), name, affine)


def costs_of(study: Study, ranking: RankingName, name: str, budget: float) -> CostsData:
    """What the network of a budget would cost if a layer kept other numbers of filters: some fifty of them."""
    curve, device = budget_curve(study, ranking), profiled_device(study)
    filters = _filters(str(study.path), ranking, stamp(study), name)
    keep = curve.at(macs=max(curve.floor, min(1.0, budget / 100)))
    numbers = _tried(possible_numbers(filters), int(keep.kept(filters.layer.labels).sum()), study.constraints.multiple)
    costs = costs_by_count(study.structure, keep, filters, numbers, device.table if device else None)
    latency = costs.latency_ms
    found: CostsData = {
        "id": "",
        "layer": name,
        "ranking": ranking,
        "kept": costs.kept.tolist(),
        "macs": costs.macs.tolist(),
        "params": costs.params.tolist(),
        "latency": None if latency is None else [round(value, 5) for value in latency.tolist()],
    }
    return in_data(found)


def _tried(possible: NDArray[np.int64], own: int, multiple: int) -> NDArray[np.int64]:
    """Numbers of filters to try: multiples where the study has one, else some fifty, evenly spread; its own and all."""
    places = np.unique(np.linspace(0, len(possible) - 1, _MOST_COUNTS).round().astype(int))
    spread = possible[possible % multiple == 0] if multiple > 1 else possible[places]
    return np.union1d(spread, np.intersect1d(possible, [own, possible[-1]]))


def _rounded(values: FloatArray) -> list[float]:
    """To four digits that count."""
    return [float(f"{value:.4g}") for value in values.tolist()]


def kernels_of(study: Study, layer: Layer, numbers: list[int]) -> KernelsData | None:
    """The filters of a layer as pictures; None where they do not read three channels, are large, or cannot be read.

    Each is scaled by its own largest value; grey is zero.
    """
    shape = study.structure.shapes[layer.parameter]
    if len(shape) != 4 or shape[1] != _COLOURS or layer.dim != 0 or max(shape[2:]) > _MOST_SIDE or 1 in shape[2:]:
        return None
    if shape[0] * shape[2] * shape[3] > _MOST_PIXELS:
        return None
    try:
        with safe_open(study.weights_path, framework="np") as file:
            values = file.get_tensor(layer.parameter).astype(np.float32)
    except (SafetensorError, OSError, StudyError):
        return None
    if values.shape != tuple(shape):
        return None
    most = np.abs(values).max(axis=(1, 2, 3), keepdims=True)
    levels = np.rint(127.5 + 127.5 * values / np.maximum(most, 1e-12)).astype(np.uint8)
    pixels = [levels[number].transpose(1, 2, 0).tobytes().hex() for number in numbers]
    return {"height": shape[2], "width": shape[3], "pixels": pixels}
