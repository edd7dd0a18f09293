"""What trainings and searches cost, counted: MACs x images, forward once and backward twice, in epochs of the original.

One epoch of the original is a forward and a backward pass of the whole network for every training image. A teacher's
outputs are one forward pass of the original per image and epoch; runs of a study read those of the runs before.
"""

from collections.abc import Iterable
from dataclasses import replace

from legr.search.types import PASSES_PER_TRAINING_IMAGE
from legr.study.records import FineTuned
from legr.study.supernets import SupernetRun
from legr.training.settings import TrainSettings
from legr.training.supernet_settings import SupernetSettings

_TEACHER = 1 / PASSES_PER_TRAINING_IMAGE


def of_trainings(runs: Iterable[tuple[TrainSettings, float, int]]) -> float:
    """Epochs of the original that trainings of single networks of one study cost together.

    Args:
        runs: settings, fraction of the MACs and epochs of each; all have one seed and one batch size, so a teacher's
            outputs of an epoch serve them all.
    """
    runs = list(runs)
    taught = max((epochs for settings, _, epochs in runs if settings.distill), default=0)
    return sum(epochs * macs_fraction for _, macs_fraction, epochs in runs) + taught * _TEACHER


def of_finetunings(runs: Iterable[FineTuned]) -> float:
    """Epochs of the original that fine-tunings of one study have cost together."""
    return of_trainings((run.settings, run.macs_fraction, run.epochs) for run in runs if run.settings is not None)


def of_supernet(run: SupernetRun) -> float:
    """Epochs of the original that a shared training has cost, in the mean over the budgets that are drawn."""
    assert isinstance(run.settings, SupernetSettings)
    return of_supernet_settings(replace(run.settings, epochs=run.epochs, smallest=run.smallest))


def of_supernet_settings(settings: SupernetSettings) -> float:
    """Epochs of the original that a shared training costs, in the mean over the budgets that are drawn."""
    return settings.epochs * (settings.macs_of_step + _TEACHER * settings.distill)


def of_passes(passes: float, images: int, training_images: int) -> float:
    """Epochs of the original that forward passes of a search cost, at most: its networks are smaller.

    Args:
        passes: over `images`; training images are counted by what they cost.
        training_images: of an epoch.
    """
    return passes * images / training_images / PASSES_PER_TRAINING_IMAGE
