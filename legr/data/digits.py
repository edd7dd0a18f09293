"""scikit-learn's handwritten digits: images that need no download.

They do not know how the training images are split.
"""

import numpy as np

from legr.data.array_cache import ImageArrays
from legr.data.decode import resize_arrays
from legr.data.encoded import ImageShape
from legr.data.shuffle import permutation

__all__ = ["DIGITS_FINGERPRINT", "digits_arrays"]

DIGITS_FINGERPRINT = "digits-1"  # a constant is enough: scikit-learn ships them
TEST_FRACTION = 0.2
TEST_SEED = 0  # fixed, so that no choice of held-out images lets a test image into training


def digits_arrays(shape: ImageShape) -> ImageArrays:
    """Return scikit-learn's 1,797 handwritten digits, 1,438 for training, resized from 8 x 8 grey pixels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.round(digits.images * (255 / 16)).astype(np.uint8)  # (N, 8, 8), stored as 0..16
    images = resize_arrays(np.repeat(grey[:, None], 3, axis=1), shape)
    labels = digits.target.astype(np.int64)
    shuffled = permutation(len(labels), TEST_SEED)
    n_test = round(TEST_FRACTION * len(labels))
    test, train = shuffled[:n_test], shuffled[n_test:]
    return ImageArrays(images[train], labels[train], images[test], labels[test])
