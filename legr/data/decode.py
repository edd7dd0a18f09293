"""From encoded images to uint8 arrays of one shape: resized to cover it, centre cropped, RGB or grey.

Shapes: N images, C, H, W of `ImageShape`.
"""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from legr.data.encoded import EncodedImage, EncodedSplit, ImageShape
from legr.errors import DataError
from legr.outside import require_plain_file
from legr.progress import Progress, Report, silent
from legr.schema import MEGABYTE

__all__ = ["covering", "decode_split", "fit", "resize_arrays"]

# Below this size Python's own work dominates and threads only fight for the interpreter: the CIFAR-10
# files (2 kB each) take 105 us alone and 140 us on two threads.
THREADS_FROM_BYTES = 8192
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "PPM", "TIFF")  # Pillow has others, and starts programs for some
LARGEST_FILE, MAX_PIXELS = 512 * MEGABYTE, 100_000_000  # 300 MB once decoded
LUMA = (0.299, 0.587, 0.114)  # red, green, blue -> grey (ITU-R 601), as Pillow does it


def decode_split(
    split: EncodedSplit, shape: ImageShape, stage: str, report: Report = silent
) -> NDArray[np.uint8]:  # uint8[N, C, H, W]
    """Decode every image of `split` in parallel threads; `stage` names the work for `report`.

    Raises:
        DataError: an image is damaged or no image; the message names it.
    """
    total = len(split.labels)
    images = np.empty((total, *shape), dtype=np.uint8)
    done = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for chunk in split.chunks():
            rows = images[done : done + len(chunk)]
            sizes = [len(image.content) for image in chunk if isinstance(image.content, bytes)]
            apply = map if sizes and sum(sizes) < THREADS_FROM_BYTES * len(sizes) else pool.map
            for row, pixels in enumerate(apply(_decode, chunk, [shape] * len(chunk))):
                rows[row] = pixels
            done += len(chunk)
            report(Progress(stage, done, total))
    assert done == total, f"{stage}: {total} labels but {done} images"
    return images


def resize_arrays(images: NDArray[np.uint8], shape: ImageShape) -> NDArray[np.uint8]:
    """Bring colour images into a shape, uint8[N, C, H, W]: scaled bilinearly to cover it, then the centre."""
    import torch
    from torch.nn.functional import interpolate

    channels, height, width = shape
    if images.shape[1:] == shape:
        return images
    high, wide = covering(images.shape[2], images.shape[3], height, width)
    top, left = (high - height) // 2, (wide - width) // 2
    grey = torch.tensor(LUMA).view(1, 3, 1, 1)
    resized = np.empty((len(images), *shape), dtype=np.uint8)
    for start in range(0, len(images), 1024):
        chunk = torch.tensor(images[start : start + 1024], dtype=torch.float32)
        chunk = (chunk * grey).sum(1, keepdim=True) if channels == 1 else chunk
        chunk = interpolate(chunk, (high, wide), mode="bilinear", align_corners=False, antialias=True)
        chunk = chunk[:, :, top : top + height, left : left + width]
        resized[start : start + 1024] = chunk.round().clamp_(0, 255).to(torch.uint8).numpy()
    return resized


def fit(image: Image.Image, shape: ImageShape) -> NDArray[np.uint8]:  # uint8[C, H, W]
    """Bring an RGB image into a shape: scaled bilinearly until it covers it, then the centre; grey for one channel."""
    pixels = np.asarray(_centre(image, *shape[1:]).convert("L" if shape[0] == 1 else "RGB"))
    return pixels[None] if shape[0] == 1 else pixels.transpose(2, 0, 1)


def covering(own_height: int, own_width: int, height: int, width: int) -> tuple[int, int]:
    """Height and width of the smallest scaled image that covers `height` x `width`."""
    if height * own_width >= width * own_height:
        return height, round(own_width * height / own_height)
    return round(own_height * width / own_width), width


def _decode(image: EncodedImage, shape: ImageShape) -> NDArray[np.uint8]:
    source = io.BytesIO(image.content) if isinstance(image.content, bytes) else image.content
    try:
        if isinstance(source, Path):
            require_plain_file(source, LARGEST_FILE)
        with Image.open(source, formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise ValueError(f"{opened.width} x {opened.height} pixels, over {MAX_PIXELS // 10**6} million")
            return fit(opened.convert("RGB"), shape)
    except Exception as error:  # a damaged image can fail with nearly any type, also from inside the codecs
        raise DataError(f"the image {image.name} cannot be read ({error}): replace the file or delete it") from error


def _centre(image: Image.Image, height: int, width: int) -> Image.Image:
    """Resize until `height` x `width` is just covered, then cut the centre."""
    if image.size == (width, height):
        return image
    high, wide = covering(image.height, image.width, height, width)
    left, top = (wide - width) // 2, (high - height) // 2
    resized = image.resize((wide, high), Image.Resampling.BILINEAR)
    return resized.crop((left, top, left + width, top + height))
