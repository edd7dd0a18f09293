"""Choose which training images the batch norms of one network's pruned networks are recalibrated on.

Every alternative to plain images is compared with them on the same held-out images, over networks of several budgets.
It is chosen where it is right on more of them than chance would explain. All is judged in float32, so that the choice,
a condition of every figure, depends on no processor. Dims of tensors: N held-out images.
"""

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from legr.data.images import Dataset
from legr.data.normalization import Normalization
from legr.training.batch_norm import mean_deviation, recalibrated, statistics_of
from legr.training.calibration import PLAIN, Border, Calibration, CalibrationImages
from legr.training.evaluate import correct

#: Fractions of MACs of the networks that judge; the whole one stands for those that are hardly pruned.
BUDGETS = (1.0, 0.7, 0.5, 0.3)
HELDOUT_IMAGES = 1000  # that judge; fewer where fewer are held out
TRAINING_IMAGES = 1024  # of each kind; twice as many change no accuracy by more than the noise
#: By which an alternative has to be better than plain images. Two would do for one alternative and for images that the
#: weights have never seen.
STANDARD_ERRORS = 3.0
_BORDER_IMAGES = 512
_ALTERNATIVES: tuple[CalibrationImages, ...] = ("given", "augmented", "both")


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better than plain images an alternative is, over all networks."""

    mean: float  # of top-1, in [-1, 1]
    noise: float  # standard error of the mean if both were equally good, of paired answers (McNemar)

    @property
    def is_better(self) -> bool:
        """Whether chance hardly explains it."""
        return self.mean > STANDARD_ERRORS * self.noise


@dataclass(frozen=True, slots=True)
class Verdict:
    """The images that were chosen, and why.

    Attributes:
        top1: of every network, in the order given, by the images that it was recalibrated on.
        differences: of every alternative to plain images.
        deviations: of the whole network's statistics from the given ones, in standard deviations of a channel, where
            it is recalibrated on images cropped from a border of each colour. Training had the border of the smaller.
    """

    calibration: Calibration
    top1: tuple[Mapping[CalibrationImages, float], ...]
    differences: Mapping[CalibrationImages, Difference]
    deviations: Mapping[Border, float]
    heldout_images: int


def choose_calibration(
    model: nn.Module,
    networks: Iterable[nn.Module],
    dataset: Dataset,
    normalization: Normalization,
    device: torch.device,
    judged: Callable[[int], None] = lambda networks: None,
) -> Verdict:
    """Judge the alternatives on networks of several budgets.

    Args:
        model: the original network.
        networks: pruned from it, or itself.
        judged: called after each network with the number of those done.
    """
    deviations = _deviations(model, dataset, normalization, device)
    border = min(deviations, key=lambda colour: deviations[colour])
    top1: list[Mapping[CalibrationImages, float]] = []
    answers: dict[CalibrationImages, list[Tensor]] = {}
    order = torch.arange(min(HELDOUT_IMAGES, len(dataset.heldout)))
    for number, network in enumerate(networks, 1):
        found: dict[CalibrationImages, float] = {}
        for images, candidate in _recalibrated(network, dataset, normalization, device, border).items():
            right = correct(candidate, dataset.heldout, normalization, device=device, order=order)
            answers.setdefault(images, []).append(right)
            found[images] = float(right.double().mean())
        top1.append(found)
        judged(number)
    means = {images: torch.stack(right).double().mean(0) for images, right in answers.items()}  # float64[N]
    differences = {images: difference(means[images], means["plain"]) for images in _ALTERNATIVES}
    return Verdict(_best(differences, border), tuple(top1), differences, deviations, len(order))


def difference(alternative: Tensor, plain: Tensor) -> Difference:
    """Compare paired answers: of every image the share of networks that are right, float64[N] each."""
    paired = alternative - plain
    return Difference(float(paired.mean()), math.sqrt(float(paired.square().sum())) / len(paired))


def _best(differences: Mapping[CalibrationImages, Difference], border: Border) -> Calibration:
    better = [images for images, found in differences.items() if found.is_better]
    if not better:
        return PLAIN
    best = max(better, key=lambda images: differences[images].mean)
    return Calibration(best, border if best != "given" else PLAIN.border)


def _deviations(
    model: nn.Module, dataset: Dataset, normalization: Normalization, device: torch.device
) -> dict[Border, float]:
    """How far the statistics are from the given ones with a border of each colour."""
    borders: tuple[Border, ...] = ("mean", "black")
    return {
        border: mean_deviation(
            recalibrated(
                model,
                dataset,
                normalization,
                device=device,
                calibration=Calibration("augmented", border),
                n_images=_BORDER_IMAGES,
            ),
            model,
        )
        for border in borders
    }


def _recalibrated(
    network: nn.Module, dataset: Dataset, normalization: Normalization, device: torch.device, border: Border
) -> dict[CalibrationImages, nn.Module]:
    """The network by the images that it is recalibrated on; for "both" no image is passed again."""
    plain, augmented = (
        recalibrated(network, dataset, normalization, device=device, calibration=calibration, n_images=TRAINING_IMAGES)
        for calibration in (PLAIN, Calibration("augmented", border))
    )
    both = copy.deepcopy(plain)
    own, other = statistics_of(both), statistics_of(augmented)
    for name, value in own.items():  # the tensors of the network themselves
        value.lerp_(other[name], 0.5)
    return {"given": network, "plain": plain, "augmented": augmented, "both": both}
