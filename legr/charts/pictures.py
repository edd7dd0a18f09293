"""Small images enlarged pixel by pixel, without smoothing, so that they look as a network sees them.

Only images from the program's own commands are decoded here, never a file that a browser sent.
"""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_DARKENED = 0.4


def enlarged(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Repeat the pixels of an image until its longer side has at least `side` pixels.

    Args:
        pixels: uint8[C, H, W] with C = 1 (grey) or 3.

    Returns:
        uint8[n * H, n * W, C]; uint8[n * H, n * W] where it is grey.
    """
    times = max(1, -(-side // max(pixels.shape[1:])))
    large = pixels.repeat(times, axis=1).repeat(times, axis=2)
    return large[0] if len(large) == 1 else large.transpose(1, 2, 0)


def decoded(text: str, side: int) -> NDArray[np.uint8]:
    """Decode an image that a command of the program returned as base64; its longer side gets at least `side` pixels."""
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        pixels = np.asarray(image.convert("L" if image.mode == "L" else "RGB"))
    return enlarged(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1), side)


def middle_marked(pixels: NDArray[np.uint8], ratio: float) -> NDArray[np.uint8]:
    """Darken what a network does not see of a picture: it takes the largest middle part of its own shape.

    Args:
        pixels: uint8[H, W, C] or uint8[H, W].
        ratio: width of what the network takes, divided by its height.
    """
    high, wide = pixels.shape[:2]
    rows, columns = round(min(high, wide / ratio)), round(min(wide, high * ratio))
    top, left = (high - rows) // 2, (wide - columns) // 2
    middle = (slice(top, top + rows), slice(left, left + columns))
    marked = (pixels * _DARKENED).astype(np.uint8)
    marked[middle] = pixels[middle]
    return marked
