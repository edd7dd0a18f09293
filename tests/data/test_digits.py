"""The digits that come with the program: the same images, labels and split in every version."""

from hashlib import sha256

import numpy as np
import pytest

from legr.data.digits import FILE, digits_arrays

# Of train images, train labels, test images and test labels, as scikit-learn 1.9's `load_digits` gave them.
HASHES = {
    (1, 8, 8): ("d4079b501350ffc3", "f41b20ca0f463e1e", "3f62433419ffc1bf", "672b4cab99211aed"),
    (3, 8, 8): ("a1d0a0f59d576a4a", "f41b20ca0f463e1e", "f7849bb7f072271e", "672b4cab99211aed"),
    (3, 32, 32): ("3504411bcf773eeb", "f41b20ca0f463e1e", "0782a16e16f150d3", "672b4cab99211aed"),
}


@pytest.mark.parametrize("shape", HASHES)
def test_digits_are_bit_for_bit_those_of_scikit_learn(shape: tuple[int, int, int]) -> None:
    arrays = digits_arrays(shape)
    parts = (arrays.train_images, arrays.train_labels, arrays.test_images, arrays.test_labels)
    assert tuple(sha256(part.tobytes()).hexdigest()[:16] for part in parts) == HASHES[shape]


def test_digits_are_scaled_and_split_four_to_one() -> None:
    arrays = digits_arrays((3, 8, 8))
    assert len(arrays.train_labels) == 1438
    assert len(arrays.test_labels) == 359
    # In eight by eight pixels the images are the stored ones, 0..16 stretched to 0..255.
    images = np.concatenate([arrays.train_images, arrays.test_images])
    labels = np.concatenate([arrays.train_labels, arrays.test_labels])
    with np.load(FILE) as stored:
        expected = {(i.tobytes(), t) for i, t in zip(stored["images"], stored["labels"], strict=True)}
    back = np.round(images[:, 0] / 255 * 16).astype(np.uint8)
    assert {(i.tobytes(), t) for i, t in zip(back, labels, strict=True)} == expected
    assert (images == images[:, :1]).all()  # grey
    assert images.max() == 255


def test_digits_grow_to_the_size_asked_for() -> None:
    arrays = digits_arrays((3, 32, 32))
    assert arrays.train_images.shape == (1438, 3, 32, 32)
    assert np.array_equal(arrays.train_labels, digits_arrays((3, 8, 8)).train_labels)


def test_source_and_licence_lie_beside_the_digits() -> None:
    notice = FILE.with_suffix(".txt").read_text(encoding="utf-8")
    assert "Creative Commons Attribution 4.0" in notice and "10.24432/C50P49" in notice
