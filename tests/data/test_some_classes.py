"""A data set of some of its classes: their images alone, in the same order, labels counted anew."""

import pytest
import torch

from legr.data.images import Dataset
from legr.data.load import load_dataset
from legr.errors import SettingsError


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits", (3, 8, 8))


def test_images_and_labels_are_those_of_the_classes(digits: Dataset) -> None:
    some = digits.of_classes(["7", "2", "3"])
    assert (some.classes, some.name, some.fingerprint) == (("2", "3", "7"), digits.name, digits.fingerprint)
    for part in ("train", "heldout", "test"):
        before, after = getattr(digits, part), getattr(some, part)
        rows = [row for row, label in enumerate(before.labels.tolist()) if label in (2, 3, 7)]
        assert torch.equal(after.images, before.images[rows])
        assert after.labels.tolist() == [{2: 0, 3: 1, 7: 2}[int(label)] for label in before.labels[rows]]


@pytest.mark.parametrize(
    ("names", "said"),
    [(["2"], "at least two"), ([], "at least two"), (["2", "2"], "different"), (["2", "cat"], "no class 'cat'")],
)
def test_what_cannot_be_chosen_is_said(digits: Dataset, names: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        digits.of_classes(names)
