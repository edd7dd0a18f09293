"""Images as they lie on disk, labelled but not decoded: what every reader returns and the decoder takes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from legr.errors import DataError

__all__ = ["CHUNK", "EncodedImage", "EncodedSplit", "ImageFolder", "ImageShape", "labelled"]

CHUNK = 1024
"""Images that a reader hands over at a time."""

ImageShape = tuple[int, int, int]
"""Channels (3, or 1 for grey), height, width of a decoded image."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """One image: its name for messages, and its bytes or its path."""

    name: str
    content: bytes | Path


@dataclass(frozen=True, slots=True, eq=False)
class EncodedSplit:
    """The images of a split, a chunk at a time, with all their labels.

    Attributes:
        labels: int64[N].
        chunks: starts a pass over the N images in the order of the labels.
    """

    labels: NDArray[np.int64]
    chunks: Callable[[], Iterator[list[EncodedImage]]]


@dataclass(frozen=True, slots=True, eq=False)
class ImageFolder:
    """What a folder holds.

    Attributes:
        root: what `files` are relative to.
        files: everything the images and labels are read from, with forward slashes.
        classes: their names; labels index them.
        train: the training images.
        test: the images accuracy is reported on.
    """

    root: Path
    files: tuple[str, ...]
    classes: tuple[str, ...]
    train: EncodedSplit
    test: EncodedSplit


def labelled(
    place: str, labels: Sequence[int], n_classes: int, chunks: Callable[[], Iterator[list[EncodedImage]]]
) -> EncodedSplit:
    """Return the split, after checking its labels; `place` names it in messages.

    Raises:
        DataError: there is no image, or a label is not in [0, n_classes).
    """
    if not labels:
        raise DataError(f"{place} holds no images: add some")
    wrong = next((label for label in labels if not 0 <= label < n_classes), None)
    if wrong is not None:
        raise DataError(
            f"{place} has an image with the label {wrong}, and labels must be from 0 to {n_classes - 1}: "
            "unlabelled images cannot be used, so move their files away"
        )
    return EncodedSplit(np.asarray(labels, dtype=np.int64), chunks)
