"""1,797 handwritten digits that come with the program: images that need no download.

`digits.npz` is written by `samples/make_digits_data.py`; `digits.txt` names its source and licence.
"""

from pathlib import Path

import numpy as np

from legr.data.array_cache import ImageArrays
from legr.data.decode import resize_arrays
from legr.data.encoded import ImageShape
from legr.data.shuffle import permutation

__all__ = ["DIGITS_FINGERPRINT", "digits_arrays"]

DIGITS_FINGERPRINT = "digits-1"  # a constant is enough: the program ships them
FILE = Path(__file__).with_suffix(".npz")
TEST_FRACTION = 0.2
TEST_SEED = 0  # fixed, so that no choice of held-out images lets a test image into training


def digits_arrays(shape: ImageShape) -> ImageArrays:
    """Return the digits, 1,438 of 1,797 for training, resized from 8 x 8 grey pixels."""
    with np.load(FILE, allow_pickle=False) as file:
        raw, labels = file["images"], file["labels"].astype(np.int64)
    grey = np.round(raw * (255 / 16)).astype(np.uint8)  # uint8[N, 8, 8], stored as 0..16
    images = resize_arrays(np.repeat(grey[:, None], 3, axis=1), shape)
    shuffled = permutation(len(labels), TEST_SEED)
    n_test = round(TEST_FRACTION * len(labels))
    test, train = shuffled[:n_test], shuffled[n_test:]
    return ImageArrays(images[train], labels[train], images[test], labels[test])
