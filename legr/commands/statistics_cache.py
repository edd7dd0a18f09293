"""Batch-norm statistics that were chosen once are kept: a network is then reported also where its images are not."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from legr.commands.calibration import calibration_of
from legr.commands.network import Network, ReportedNetwork, choose_statistics
from legr.data.images import Dataset
from legr.errors import DataError, WeightsError
from legr.models.weights import load_state, save_weights
from legr.paths import cache_folder
from legr.study.calibration_choice import needs_choice
from legr.study.comparison import comparison_name
from legr.study.store import Study
from legr.study.supernets import statistics_name, statistics_path
from legr.training.batch_norm import statistics_of
from legr.training.calibration import PLAIN, Calibration


def recall_statistics(
    study: Study, network: Network, images: Callable[[], Dataset], device: torch.device
) -> ReportedNetwork | Network:
    """The network with the statistics that were chosen before, else chosen now.

    Args:
        images: loads the images of the study; raises DataError where they are not here.

    Returns:
        The network as it is, its statistics undecided, where nothing was chosen before and the images are not here.

    Raises:
        DataError: the same, of a network of a supernet, which has no statistics of its own.
    """
    statistics = statistics_of(network.model)
    if not statistics or network.is_original:
        return network.with_statistics(network.model, recalibrated=False)
    if needs_choice(study.folder, study.info):  # first, as it says which statistics are the right ones
        with suppress(DataError):
            calibration_of(study, images(), device)
    calibration = study.calibration
    facts = _facts(study, network, calibration)
    measured = _of_supernet(study, network, statistics)
    if measured is not None:
        load_state(network.model, measured)
        return network.with_statistics(network.model, recalibrated=True, calibration=calibration)
    for path in (_in_study(study, network), _in_cache(study, network, calibration)):
        stored = _read(path, statistics, facts)
        if stored is not None:
            load_state(network.model, stored[0])
            return network.with_statistics(network.model, recalibrated=stored[1], calibration=calibration)
    try:
        dataset = images()
    except DataError as error:
        if network.supernet is None:
            return network
        budgets = ", ".join(f"{100 * point.macs_fraction:.1f}" for point in network.supernet.points)
        raise DataError(
            f"{error}; without images a network of the supernet needs batch norms that were measured, "
            f"which those at {budgets} % of the MACs have"
        ) from error
    reported = choose_statistics(study, network, dataset, device)
    with suppress(WeightsError):  # a cache: without it the next call is as slow as this one
        _write(_in_cache(study, network, reported.calibration), study, reported)
    return reported


def store_statistics(study: Study, network: ReportedNetwork) -> None:
    """Store in the study which statistics were chosen for a network, so that they go where the study goes.

    Raises:
        WeightsError: they cannot be written.
    """
    if statistics_of(network.model):
        _write(_in_study(study, network), study, network)


def _in_study(study: Study, network: Network) -> Path:
    return study.within("statistics", f"{_name(network)}.safetensors")


def _name(network: Network) -> str:
    """Another kept set, other weights or images of another height have other statistics."""
    return comparison_name(network.keep, network.trained_by, network.height)


def _of_supernet(study: Study, network: Network, expected: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """The statistics that a network of a supernet was measured with; None where it was not."""
    if network.supernet is None or network.supernet.calibration != study.calibration.key:
        return None
    prefix = statistics_name(network.keep_id, network.height or study.info.input_shape[1], "")
    try:
        with safe_open(statistics_path(study, network.supernet.key), framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]
            statistics = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
    except (OSError, SafetensorError):
        return None
    return statistics if _fits(statistics, expected) else None


def _in_cache(study: Study, network: Network, calibration: Calibration) -> Path:
    info = study.info
    normalization = info.normalization.to_dict()
    images = info.data_fingerprint, info.split_seed, info.classes, info.input_shape, normalization
    facts: tuple[object, ...] = info.weights_sha256, images, _name(network)
    if calibration.key != PLAIN.key:  # earlier versions knew no other
        facts = (*facts, calibration.key)
    return cache_folder() / "statistics" / f"{hashlib.sha256(repr(facts).encode()).hexdigest()}.safetensors"


def _facts(study: Study, network: Network, calibration: Calibration) -> dict[str, str]:
    """Which network statistics are of, as others may have the same shapes, and which images those of recalibration."""
    owner = f"{study.info.weights_sha256} {_name(network)}"
    return {"owner": owner, "calibration": calibration.key}


def _write(path: Path, study: Study, network: ReportedNetwork) -> None:
    header = {"recalibrated": str(network.recalibrated), **_facts(study, network, network.calibration)}
    save_weights(statistics_of(network.model), path, header)


def _read(
    path: Path, expected: Mapping[str, Tensor], facts: Mapping[str, str]
) -> tuple[dict[str, Tensor], bool] | None:
    """Statistics in a file, and whether they were recalibrated; None where they are not of these facts."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            statistics = {name: file.get_tensor(name) for name in file.keys()}
            header = file.metadata() or {}
    except (OSError, SafetensorError):
        return None
    noted = {**facts, "calibration": PLAIN.key, **header}  # earlier versions noted no owner, and took plain images
    if any(noted[name] != value for name, value in facts.items()):
        return None
    return (statistics, header.get("recalibrated") == "True") if _fits(statistics, expected) else None


def _fits(statistics: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> bool:
    return statistics.keys() == expected.keys() and all(
        value.shape == expected[name].shape and value.dtype == expected[name].dtype and bool(value.isfinite().all())
        for name, value in statistics.items()
    )
