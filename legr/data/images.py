"""Images in memory: a split, and a data set of three splits; `batches.py` makes batches of them.

Shapes: N images, C channels, H, W pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from legr.data.normalization import CHANNELS, IMAGENET_NORMALIZATION, Normalization
from legr.data.sizes import HEIGHTS, scaled_size
from legr.errors import DataError, SettingsError

__all__ = ["CHANNELS", "IMAGENET_NORMALIZATION", "Dataset", "Normalization", "Split"]

_NAMED = 20  # classes that a sentence lists
CHUNK_VALUES = 2**22  # pixel values that a statistic takes at a time: 16 MB as int32


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Some images with their labels.

    Attributes:
        images: uint8[N, C, H, W], red, green, blue from 0 to 255, or grey alone.
        labels: int64[N], indices into the data set's classes.

    Raises:
        DataError: the tensors have other types or shapes.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.dim() != 4 or self.images.shape[1] not in CHANNELS:
            raise DataError(
                f"images must be uint8 of shape (N, 3, H, W) or (N, 1, H, W), got {self.images.dtype} "
                f"{tuple(self.images.shape)}"
            )
        if self.labels.dtype != torch.int64 or self.labels.shape != self.images.shape[:1]:
            raise DataError(
                f"labels must be int64 of shape ({len(self.images)},), got {self.labels.dtype} "
                f"{tuple(self.labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def at_height(self, height: int) -> "Split":
        """Return the split with its images scaled (bilinear, antialiased) to a height; the width follows.

        Raises:
            SettingsError: the height is below 1 pixel or above 4096.
        """
        HEIGHTS.require("size", height)
        own = self.images.shape[-2], self.images.shape[-1]
        if height == own[0] or not len(self):
            return self
        step, size = max(1, CHUNK_VALUES // self.images[0].numel()), scaled_size(own, height)
        chunks = [interpolate(chunk, size, mode="bilinear", antialias=True) for chunk in self.images.split(step)]
        return Split(torch.cat(chunks), self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """The images of a study; every split comes shuffled, so that any run of images mixes the classes.

    Attributes:
        name: "digits", "cifar10", "cifar100" or the folder's name.
        classes: their names; labels index them.
        train: what weights are trained on and batch norm is recalibrated on.
        heldout: images out of the training set that candidates are scored on.
        test: what accuracy is reported on, and nothing is chosen by.
        fingerprint: of the content, the same on every machine; neither size nor split counts.
        flip: whether an image flipped left to right is still of its class.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    heldout: Split
    test: Split
    fingerprint: str
    flip: bool

    def of_classes(self, names: Sequence[str]) -> "Dataset":
        """Return the data set of some of its classes: their images alone, labels counted anew in the same order.

        Raises:
            SettingsError: fewer than two names, one that is not a class, or one given twice.
            DataError: a split has no image of these classes.
        """
        unknown = [name for name in names if name not in self.classes]
        if unknown:
            listed = ", ".join(self.classes[:_NAMED]) + (", …" if len(self.classes) > _NAMED else "")
            raise SettingsError(f"{self.name} has no class {unknown[0]!r}; it has {listed}")
        if len(set(names)) != len(names) or len(names) < 2:
            raise SettingsError(f"name at least two different classes, got {', '.join(names) or 'none'}")
        rows = [number for number, name in enumerate(self.classes) if name in names]
        number_of = torch.full((len(self.classes),), -1)
        number_of[rows] = torch.arange(len(rows))
        train, heldout, test = (_relabelled(split, number_of) for split in (self.train, self.heldout, self.test))
        for part, split in (("training", train), ("held-out", heldout), ("test", test)):
            if not len(split):
                raise DataError(f"{self.name} has no {part} image of these classes; name more of them")
        classes = tuple(self.classes[row] for row in rows)
        return replace(self, classes=classes, train=train, heldout=heldout, test=test)

    def at_height(self, height: int) -> "Dataset":
        """Return the data set with the images scaled, see `Split.at_height`; itself where they have that height."""
        if height == self.test.images.shape[-2]:
            return self
        train, heldout, test = (split.at_height(height) for split in (self.train, self.heldout, self.test))
        return replace(self, train=train, heldout=heldout, test=test)

    def statistics(self) -> Normalization:
        """Return the mean and standard deviation of every channel over the training split.

        A channel that holds one value only has no deviation; its std is returned as 1, which changes nothing.
        """
        images = self.train.images
        step = max(1, CHUNK_VALUES // images[0].numel())
        total = torch.zeros(images.shape[1], dtype=torch.int64, device=images.device)  # exact: sums of integers
        squares = torch.zeros_like(total)
        for start in range(0, len(images), step):
            values = images[start : start + step].to(torch.int32)
            total += values.sum(dim=(0, 2, 3), dtype=torch.int64)
            squares += values.square().sum(dim=(0, 2, 3), dtype=torch.int64)
        n_values = len(images) * images[0, 0].numel()
        mean, std = [], []
        for sum_, square in zip(total.tolist(), squares.tolist(), strict=True):
            mean.append(sum_ / n_values / 255)
            variance = n_values * square - sum_**2  # times n_values squared; whole numbers of Python do not round
            std.append(math.sqrt(variance) / n_values / 255 if variance else 1.0)
        return Normalization("dataset", tuple(mean), tuple(std))


def _relabelled(split: Split, number_of: Tensor) -> Split:
    """The images whose class has a number in int64[classes] (others: -1), with that number as their label."""
    labels = number_of.to(split.labels.device)[split.labels]
    return Split(split.images[labels >= 0], labels[labels >= 0])
