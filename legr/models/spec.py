"""What is known about an architecture before it is built."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from legr.data.encoded import ImageShape

__all__ = ["ModelSpec"]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One architecture.

    Attributes:
        name: what studies and recipes call it.
        build: number of classes -> a model with random weights.
        input_shape: (channels, height, width) where nobody names another.
        dense: whether it predicts for every place of an image (segmenters, detectors); others return [N, classes].
        num_classes: outputs where nobody names another number.
    """

    name: str
    build: Callable[[int], nn.Module]
    input_shape: ImageShape
    dense: bool
    num_classes: int
