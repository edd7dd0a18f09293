"""Small pictures as large ones, pixel by pixel: what a network sees is not smoothed over.

It does not know where they come from. Nothing that a browser sent is decoded here.
"""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def enlarged(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Repeat the pixels of an image until its longer side has `side`, or somewhat more.

    Args:
        pixels: (C, H, W), grey or colour.

    Returns:
        (H * n, W * n, C), or without the last axis where it is grey.
    """
    times = max(1, -(-side // max(pixels.shape[1:])))
    large = pixels.repeat(times, axis=1).repeat(times, axis=2)
    return large[0] if len(large) == 1 else large.transpose(1, 2, 0)


def decoded(text: str, side: int) -> NDArray[np.uint8]:
    """A picture that a command of ours has written as base64, its longer side at least `side`."""
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        pixels = np.asarray(image.convert("L" if image.mode == "L" else "RGB"))
    return enlarged(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1), side)
