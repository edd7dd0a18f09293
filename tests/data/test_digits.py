"""The digits that come with scikit-learn."""

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-untyped]

from legr.data.digits import digits_arrays


def test_digits_are_scaled_and_split_four_to_one() -> None:
    arrays = digits_arrays((3, 8, 8))
    assert len(arrays.train_labels) == 1438
    assert len(arrays.test_labels) == 359
    # In eight by eight pixels the images are scikit-learn's own, 0..16 stretched to 0..255.
    found = np.concatenate([arrays.train_images, arrays.test_images])
    labels = np.concatenate([arrays.train_labels, arrays.test_labels])
    original = load_digits()
    expected = {(i.tobytes(), t) for i, t in zip(original.images, original.target, strict=True)}
    back = np.round(found[:, 0] / 255 * 16).astype(np.float64)
    assert {(i.tobytes(), t) for i, t in zip(back, labels, strict=True)} == expected
    assert (found == found[:, :1]).all()  # grey
    assert found.max() == 255


def test_digits_grow_to_the_size_asked_for() -> None:
    arrays = digits_arrays((3, 32, 32))
    assert arrays.train_images.shape == (1438, 3, 32, 32)
    assert np.array_equal(arrays.train_labels, digits_arrays((3, 8, 8)).train_labels)
