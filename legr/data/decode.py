"""From encoded images to uint8 arrays of one size: short side resized, centre cropped, RGB.

It does not know folders or file formats beyond what Pillow opens.
"""

import io
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from legr.data.encoded import EncodedImage, EncodedSplit, Progress
from legr.errors import DataError

__all__ = ["decode_split", "resize_arrays"]

# Below this size Python's own work dominates and threads only fight for the interpreter: the CIFAR-10
# files (2 kB each) take 105 us alone and 140 us on two threads.
THREADS_FROM_BYTES = 8192


def decode_split(
    split: EncodedSplit, size: int, what: str, progress: Progress | None = None
) -> NDArray[np.uint8]:  # (N, 3, size, size)
    """Decode every image of `split` in parallel threads; `what` names the work for `progress`.

    Raises:
        DataError: an image is damaged or no image; the message names it.
    """
    total = len(split.labels)
    images = np.empty((total, 3, size, size), dtype=np.uint8)
    done = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for chunk in split.chunks():
            rows = images[done : done + len(chunk)]
            sizes = [len(image.content) for image in chunk if isinstance(image.content, bytes)]
            apply = map if sizes and sum(sizes) < THREADS_FROM_BYTES * len(sizes) else pool.map
            for row, pixels in enumerate(apply(_decode, chunk, [size] * len(chunk))):
                rows[row] = pixels
            done += len(chunk)
            if progress is not None:
                progress(what, done, total)
    assert done == total, f"{what}: {total} labels but {done} images"
    return images


def resize_arrays(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return square images (N, 3, H, H) resized bilinearly to (N, 3, size, size); smoothed when shrinking."""
    import torch
    from torch.nn.functional import interpolate

    if images.shape[-1] == size:
        return images
    resized = np.empty((len(images), 3, size, size), dtype=np.uint8)
    for start in range(0, len(images), 1024):
        chunk = torch.tensor(images[start : start + 1024], dtype=torch.float32)
        chunk = interpolate(chunk, (size, size), mode="bilinear", align_corners=False, antialias=True)
        resized[start : start + 1024] = chunk.round_().clamp_(0, 255).to(torch.uint8).numpy()
    return resized


def _decode(image: EncodedImage, size: int) -> NDArray[np.uint8]:  # (3, size, size)
    source = io.BytesIO(image.content) if isinstance(image.content, bytes) else image.content
    try:
        with Image.open(source) as opened:
            return np.asarray(_square(opened.convert("RGB"), size)).transpose(2, 0, 1)
    except Exception as error:  # a damaged image can fail with nearly any type, also from inside the codecs
        raise DataError(f"the image {image.name} cannot be read ({error}): replace the file or delete it") from error


def _square(image: Image.Image, size: int) -> Image.Image:
    """Resize the short side to `size`, then cut the centre square."""
    width, height = image.size
    if (width, height) == (size, size):
        return image
    short = min(width, height)
    wide, high = round(width * size / short), round(height * size / short)
    left, top = (wide - size) // 2, (high - size) // 2
    resized = image.resize((wide, high), Image.Resampling.BILINEAR)
    return resized.crop((left, top, left + size, top + size))
