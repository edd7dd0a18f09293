"""What is known about an architecture before it is built.

It does not know any architecture.
"""

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
        dense: it says something about every place of an image; the others return one answer an image, (N, classes).
        num_classes: outputs where nobody names another number.
    """

    name: str
    build: Callable[[int], nn.Module]
    input_shape: ImageShape
    dense: bool
    num_classes: int
