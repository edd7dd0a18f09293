"""How a picture becomes the input of an exported network, as data for whoever feeds it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from legr.data.encoded import ImageShape
from legr.data.normalization import Normalization, Preprocess
from legr.record import Record

BYTE = 255


@dataclass(frozen=True)
class PictureInput(Record):
    """What stands in `input.json` of an export, in the order in which it is done to a picture.

    Attributes:
        input: name of the network's input; `output` is that of its output, one number a class.
        colors: order of the channels; grey is made of red, green and blue as in ITU-R 601.
        resize: it is scaled, with antialiasing, until it just covers `width` x `height`.
        crop: what is taken of it then.
        scale: by which the values of a pixel, from 0 to 255, are multiplied; then `mean` is subtracted, and the rest
            divided by `std`. All three are None where the network does that itself.
        shape: of the input, in the order of `layout`; "batch" where any number of images may be given.
        classes: by the numbers of the outputs.
    """

    input: str
    output: str
    colors: Literal["RGB", "grey"]
    width: int
    height: int
    resize: Literal["cover"]
    interpolation: Literal["bilinear"]
    crop: Literal["center"]
    scale: float | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    dtype: Literal["float32", "uint8"]
    layout: Literal["NCHW", "NHWC"]
    shape: tuple[int | str, ...]
    classes: tuple[str, ...]


def picture_input(
    names: tuple[str, str],
    image: ImageShape,
    classes: tuple[str, ...],
    normalization: Normalization,
    *,
    preprocess: Preprocess,
    batch: int | None,
) -> PictureInput:
    """The input of a network.

    Args:
        names: of its input and its output.
        image: channels, height and width.
        batch: None is any number of images.
    """
    channels, height, width = image
    outside, as_bytes = preprocess == "none", preprocess == "uint8"
    return PictureInput(
        input=names[0],
        output=names[1],
        colors="grey" if channels == 1 else "RGB",
        width=width,
        height=height,
        resize="cover",
        interpolation="bilinear",
        crop="center",
        scale=1 / BYTE if outside else None,
        mean=normalization.mean if outside else None,
        std=normalization.std if outside else None,
        dtype="uint8" if as_bytes else "float32",
        layout="NHWC" if as_bytes else "NCHW",
        shape=(batch or "batch", *((height, width, channels) if as_bytes else image)),
        classes=classes,
    )


def fed(images: NDArray[np.uint8], inputs: NDArray[np.float32], preprocess: Preprocess) -> NDArray[np.generic]:
    """What the exported network takes for images, uint8[N, C, H, W], whose normalized values are `inputs`."""
    if preprocess == "none":
        return inputs
    return images.transpose(0, 2, 3, 1) if preprocess == "uint8" else images.astype(np.float32)
