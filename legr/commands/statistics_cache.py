"""A network as it is reported, also where its images are not: its batch-norm statistics are kept once they are chosen.

It does not know what the network is asked.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from legr.commands.network import Network, ready
from legr.data.images import Dataset
from legr.errors import DataError, WeightsError
from legr.models.weights import load_state, save_weights
from legr.paths import cache_folder
from legr.study.comparison import comparison_name
from legr.study.store import Study

_KINDS = ("running_mean", "running_var")


@dataclass(frozen=True)
class Prepared:
    """A network, and which statistics its batch norms have."""

    model: nn.Module
    recalibrated: bool
    known: bool  # False: those of its weights, as the images that would decide are not here


def prepared(study: Study, network: Network, images: Callable[[], Dataset], device: torch.device) -> Prepared:
    """The network as `ready` gives it: of statistics chosen before, else chosen now, else with those of its weights.

    Args:
        images: loads the images of the study; raises DataError where they are not here.
    """
    own = statistics_of(network.model)
    if not own or (network.is_dense and network.run is None):
        return Prepared(network.model, False, True)
    for path in (_in_study(study, network), _in_cache(study, network)):
        chosen = _read(path, own)
        if chosen is not None:
            load_state(network.model, chosen[0])
            return Prepared(network.model, chosen[1], True)
    try:
        dataset = images()
    except DataError:
        return Prepared(network.model, False, False)
    model, recalibrated = ready(study, network, dataset, device)
    with suppress(WeightsError):  # a cache: without it the next call is as slow as this one
        _write(_in_cache(study, network), model, recalibrated)
    return Prepared(model, recalibrated, True)


def keep_statistics(study: Study, network: Network, model: nn.Module, recalibrated: bool) -> None:
    """Keep in the study which statistics `ready` chose for a network: they go where the study goes.

    Raises:
        WeightsError: they cannot be written.
    """
    if statistics_of(model):
        _write(_in_study(study, network), model, recalibrated)


def statistics_of(model: nn.Module) -> dict[str, Tensor]:
    """Mean and variance of every batch norm, by name in the state of the model."""
    return {name: value for name, value in model.state_dict().items() if name.rpartition(".")[2] in _KINDS}


def _in_study(study: Study, network: Network) -> Path:
    return study.path / "statistics" / f"{comparison_name(network.keep, network.run)}.safetensors"


def _in_cache(study: Study, network: Network) -> Path:
    info = study.info
    seen = info.data_fingerprint, info.split_seed, info.classes, info.input_shape, dict(info.normalization)
    facts = info.weights_sha256, seen, comparison_name(network.keep, network.run)
    return cache_folder() / "statistics" / f"{hashlib.sha256(repr(facts).encode()).hexdigest()}.safetensors"


def _write(path: Path, model: nn.Module, recalibrated: bool) -> None:
    save_weights(statistics_of(model), path, {"recalibrated": str(recalibrated)})


def _read(path: Path, own: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], bool] | None:
    """Statistics in a file, where they fit the network; anything else is chosen anew."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: file.get_tensor(name) for name in file.keys()}
            recalibrated = (file.metadata() or {}).get("recalibrated") == "True"
    except (OSError, SafetensorError):
        return None
    fits = found.keys() == own.keys() and all(
        value.shape == own[name].shape and value.dtype == own[name].dtype and bool(value.isfinite().all())
        for name, value in found.items()
    )
    return (found, recalibrated) if fits else None
