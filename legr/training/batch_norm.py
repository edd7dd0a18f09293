"""Statistics of batch norms, the mean and variance that they normalize by: set, recalibrated, or the better chosen.

A pruned network has those of the network before. It is evaluated with the better of these and of recalibrated ones; a
search compares candidates by the statistics of a kind (`settings.Statistics`).
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from legr.data.batches import Augmentation, iterate
from legr.data.images import Dataset
from legr.data.normalization import Normalization
from legr.training.calibration import PLAIN, Calibration
from legr.training.device import fast_dtype
from legr.training.evaluate import batch_size_for, evaluate_split
from legr.training.settings import Statistics

CALIBRATION_IMAGES = 2048  # training images that batch norm is recalibrated on
COMPARISON_IMAGES = 2000  # held-out images that decide between own and recalibrated statistics
_NAMES = ("running_mean", "running_var")


def statistics_of(network: nn.Module) -> dict[str, Tensor]:
    """Mean and variance of every batch norm, float32[C] each, by name in the state of the network."""
    return {name: value for name, value in network.state_dict().items() if name.rpartition(".")[2] in _NAMES}


def set_statistics(network: nn.Module, kind: Statistics, calibration: Sequence[Tensor] = ()) -> nn.Module:
    """Put a network in evaluation mode with statistics of a kind; in place.

    Args:
        kind: "batch": those of each batch at hand; "recalibrated": those of `calibration`; "stale": those it has, as
            in LeGR's code.
        calibration: batches of inputs; each one counts the same.
    """
    network.eval()
    if kind == "recalibrated":
        recalibrate(network, calibration)
    elif kind == "batch":
        for norm in _batch_norms(network):
            norm.track_running_stats = False
            norm.running_mean = norm.running_var = None
    return network


def restart_norms(network: nn.Module) -> None:
    """Begin the batch norms of a network anew: scales of 1, offsets of 0, no statistics; in place."""
    for norm in _batch_norms(network):
        norm.reset_parameters()


def recalibrate(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace the statistics of a network by the mean of those of some batches of inputs; in place.

    The number of batches that a norm was trained on stays: a network is the same one whether its statistics are
    computed now or were kept from before.
    """
    norms = _batch_norms(network.eval())
    before = [(norm.momentum, copy.deepcopy(norm.num_batches_tracked)) for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # plain average over batches
        norm.train()
    with torch.no_grad():
        for inputs in batches:
            network(inputs)
    for norm, (momentum, count) in zip(norms, before, strict=True):
        norm.momentum, norm.num_batches_tracked = momentum, count
    network.eval()


def recalibrated(
    model: nn.Module,
    dataset: Dataset,
    normalization: Normalization,
    *,
    device: torch.device,
    calibration: Calibration = PLAIN,
    n_images: int = CALIBRATION_IMAGES,
    seed: int = 0,
) -> nn.Module:
    """Return a copy on `device`, recalibrated on shuffled training images unless the statistics stay as given."""
    network = cast(nn.Module, copy.deepcopy(model).to(device, memory_format=torch.channels_last))  # type: ignore[call-overload]
    if calibration.images == "given":
        return network
    order = torch.randperm(len(dataset.train), generator=torch.Generator().manual_seed(seed))
    order, batch = order[: calibration.of_each_kind(n_images)], batch_size_for(dataset.train)
    order = order[: len(order) // batch * batch] if len(order) > batch else order  # a short last batch weighs too much
    recalibrate(network, calibration_batches(dataset, normalization, device, calibration, order, seed=seed))
    return network


def calibration_batches(
    dataset: Dataset,
    normalization: Normalization,
    device: torch.device,
    calibration: Calibration,
    order: Tensor,
    dtype: torch.dtype = torch.float32,
    *,
    seed: int,
) -> Iterator[Tensor]:
    """Batches of training images to recalibrate on; a batch counts by itself, so "both" gives the mean of its kinds.

    Args:
        order: int64[M], the images of each kind.
        seed: of crops and flips.
    """
    generator = torch.Generator().manual_seed(seed)
    augmented = Augmentation(generator, dataset.flip, black=calibration.border == "black")
    kinds = {"plain": (None,), "augmented": (augmented,), "both": (None, augmented)}[calibration.images]
    batch = batch_size_for(dataset.train)
    for kind in kinds:
        for inputs, _ in iterate(
            dataset.train, normalization, batch=batch, device=device, dtype=dtype, order=order, augment=kind
        ):
            yield inputs


def with_better_statistics(
    model: nn.Module,
    dataset: Dataset,
    normalization: Normalization,
    *,
    device: torch.device,
    calibration: Calibration = PLAIN,
) -> tuple[nn.Module, bool]:
    """Compare a model with a recalibrated copy on held-out images; return the better, and whether that is the copy."""
    if not has_batch_norms(model) or calibration.images == "given":
        return model, False
    order = torch.arange(min(COMPARISON_IMAGES, len(dataset.heldout)))
    copied = recalibrated(model, dataset, normalization, device=device, calibration=calibration)
    own, other = (
        evaluate_split(network, dataset.heldout, normalization, device=device, dtype=fast_dtype(device), order=order)
        for network in (model, copied)
    )
    copy_is_better = (other.top1, -other.loss) > (own.top1, -own.loss)
    return (copied, True) if copy_is_better else (model, False)


def has_batch_norms(network: nn.Module) -> bool:
    """Whether there is anything to recalibrate."""
    return bool(_batch_norms(network))


def mean_deviation(network: nn.Module, other: nn.Module) -> float:
    """How far the means of batch norms are from those of another network, in its standard deviations: mean of all."""
    pairs = zip(_batch_norms(network), _batch_norms(other), strict=True)
    deviations = [
        (norm.running_mean.cpu() - beside.running_mean.cpu()).abs() / (beside.running_var.cpu() + beside.eps).sqrt()
        for norm, beside in pairs
        if norm.running_mean is not None and beside.running_mean is not None and beside.running_var is not None
    ]
    return float(torch.cat(deviations).double().mean()) if deviations else 0.0


def _batch_norms(network: nn.Module) -> list[_BatchNorm]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]
