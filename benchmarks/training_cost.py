"""What trainings and searches cost, counted: MACs x images, forward once and backward twice, in epochs of the original.

One epoch of the original is a forward and a backward pass of the whole network for every training image. A teacher's
outputs are counted as one forward pass of the original per image and epoch, though later runs read them from a cache.
"""

from dataclasses import replace

from legr.search.types import PASSES_PER_TRAINING_IMAGE
from legr.study.records import FineTuned
from legr.study.supernets import SupernetRun
from legr.training.settings import TrainSettings
from legr.training.supernet_settings import SupernetSettings

_TEACHER = 1 / PASSES_PER_TRAINING_IMAGE


def of_training(settings: TrainSettings, macs_fraction: float, epochs: int) -> float:
    """Epochs of the original that a training of one network costs."""
    return epochs * (macs_fraction + _TEACHER * settings.distill)


def of_finetuning(run: FineTuned) -> float:
    """Epochs of the original that a fine-tuning has cost."""
    assert run.settings is not None
    return of_training(run.settings, run.macs_fraction, run.epochs)


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
