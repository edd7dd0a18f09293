"""One image from anywhere, read with care: a known format, of bounded size, upright, in colour."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from legr.data.decode import covering, fit
from legr.data.encoded import ImageShape
from legr.errors import DataError
from legr.outside import require_plain_file
from legr.schema import SchemaError

__all__ = ["MAX_MEGABYTES", "fitted", "open_image"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MAX_MEGABYTES = 20
MAX_PIXELS = 50_000_000  # 150 MB once decoded
_DEEP = ("I", "F")  # modes of 16 and 32 bits a pixel begin so


def open_image(path: Path) -> Image.Image:
    """Read an image file: turned upright as its camera says, transparent parts white, three channels of 8 bits.

    Raises:
        DataError: it is missing, of another format, damaged, or too large.
    """
    try:
        size = require_plain_file(path)
    except OSError as error:
        raise DataError(f"the image file cannot be read ({error.strerror}); check its path") from error
    except SchemaError as error:
        raise DataError(f"the image file cannot be read ({error}); name a picture") from error
    if size > MAX_MEGABYTES * 10**6:
        raise DataError(f"an image file may have {MAX_MEGABYTES} MB, this one has {size / 1e6:.1f} MB; make it smaller")
    try:
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            opened = Image.open(path, formats=FORMATS)
        with opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise _too_large(f"{opened.width:,} x {opened.height:,}")
            return _upright(opened)
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large("far more") from error
    except UnidentifiedImageError as error:
        raise DataError("the file is no PNG, JPEG, WebP or BMP image; save the picture as one of these") from error
    except Exception as error:  # a damaged image can fail with nearly any type, also from inside the codecs
        raise DataError(f"the image is damaged ({error}); save the picture again") from error


def fitted(image: Image.Image, shape: ImageShape) -> tuple[NDArray[np.uint8], str]:
    """Bring an RGB image into a network's shape, and say how that was done.

    Raises:
        DataError: it is so narrow that scaling it would take too much memory.
    """
    channels, height, width = shape
    high, wide = covering(image.height, image.width, height, width)
    if high * wide > MAX_PIXELS:
        raise DataError(f"{image.width:,} x {image.height:,} pixels are too narrow to be scaled; crop the picture")
    steps = [f"{image.width:,} x {image.height:,} pixels"]
    if (wide, high) != image.size:
        steps.append(f"scaled to {wide:,} x {high:,}")
    if (wide, high) != (width, height):
        steps.append(f"the middle {width} x {height} taken")
    return fit(image, shape), ", ".join([*steps, *(["made grey"] if channels == 1 else [])])


def _upright(image: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(_DEEP):  # Pillow would cut values above 255 off
        return Image.fromarray((np.asarray(upright) // 256).clip(0, 255).astype(np.uint8)).convert("RGB")
    if not upright.has_transparency_data:
        return upright.convert("RGB")
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright.convert("RGBA")).convert("RGB")


def _too_large(pixels: str) -> DataError:
    return DataError(f"an image may have {MAX_PIXELS / 1e6:.0f} million pixels, this one has {pixels}; make it smaller")
