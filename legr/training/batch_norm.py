"""Statistics of batch norms: recalibrated, of the batch at hand, or as they are stored."""

import copy
from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from legr.data.batches import iterate
from legr.data.images import Dataset
from legr.data.normalization import Normalization
from legr.training.device import fast_dtype
from legr.training.evaluate import batch_for, score
from legr.training.settings import Statistics

CALIBRATION_IMAGES = 2048  # training images that batch norm is recalibrated on, unaugmented
COMPARISON_IMAGES = 2000  # held-out images that decide between own and recalibrated statistics


def recalibrate(
    model: nn.Module, dataset: Dataset, normalization: Normalization, *, device: torch.device, seed: int = 0
) -> nn.Module:
    """Return a copy whose batch norms hold the statistics of shuffled training images, not of an earlier network."""
    network = cast(nn.Module, copy.deepcopy(model).to(device, memory_format=torch.channels_last)).eval()  # type: ignore[call-overload]
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(dataset.train), generator=generator)[:CALIBRATION_IMAGES]
    batch = batch_for(dataset.train)
    order = order[: len(order) // batch * batch] if len(order) > batch else order  # a short last batch weighs too much
    batches = iterate(dataset.train, normalization, batch=batch, device=device, order=order)
    return with_statistics_of(network, (inputs for inputs, _ in batches))


def with_statistics_of(network: nn.Module, batches: Iterable[Tensor]) -> nn.Module:
    """Give the batch norms of a network the statistics of these inputs, every batch counting the same; in place."""
    norms = [module for module in network.eval().modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # plain average over batches
        norm.train()
    with torch.no_grad():
        for inputs in batches:
            network(inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return network.eval()


def with_better_statistics(
    model: nn.Module, dataset: Dataset, normalization: Normalization, *, device: torch.device
) -> tuple[nn.Module, bool]:
    """Compare own and recalibrated batch-norm statistics on held-out images; return the better, and which it is."""
    if not any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules()):
        return model, False
    order = torch.arange(min(COMPARISON_IMAGES, len(dataset.heldout)))
    candidates: Sequence[nn.Module] = (model, recalibrate(model, dataset, normalization, device=device))
    scores = [
        score(candidate, dataset.heldout, normalization, device=device, dtype=fast_dtype(device), order=order)
        for candidate in candidates
    ]
    own, other = ((found.top1, -found.loss) for found in scores)
    return (candidates[1], True) if other > own else (candidates[0], False)


def set_statistics(network: nn.Module, kind: Statistics, calibration: Sequence[Tensor] = ()) -> nn.Module:
    """Put a network in evaluation mode with batch norms that use the statistics of a kind.

    Args:
        kind: "batch": of the batch at hand; "recalibrated": of `calibration`; "stale": those it has (LeGR's code).
        calibration: batches of inputs; each one counts the same.
    """
    if kind == "recalibrated":
        return with_statistics_of(network, calibration)
    network.eval()
    if kind == "batch":
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.track_running_stats = False
                module.running_mean = module.running_var = None
    return network
