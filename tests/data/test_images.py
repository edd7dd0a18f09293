"""Splits, statistics and normalisations, checked against NumPy."""

import math

import numpy as np
import pytest
import torch

from legr.data import images as images_module
from legr.data.load import IMAGENET_NORMALIZATION, Dataset, Normalization, Split
from legr.errors import DataError, SettingsError


def test_statistics_are_those_of_numpy_over_the_training_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images_module, "CHUNK_VALUES", 1000)  # several chunks, the last one short
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 200, (17, 3, 9, 9), dtype=torch.uint8, generator=generator)
    pixels[:, 1] += 50
    other = Split(torch.zeros(1, 3, 9, 9, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))
    train = Split(pixels, torch.zeros(17, dtype=torch.int64))
    found = Dataset("a", ("one",), train, other, other, "f", flip=True).statistics()
    values = pixels.numpy() / 255
    assert found.kind == "dataset"
    np.testing.assert_allclose(found.mean, values.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(found.std, values.std(axis=(0, 2, 3)), rtol=1e-9)


def test_a_channel_of_one_value_says_nothing_and_is_no_mistake() -> None:
    pixels = torch.randint(0, 255, (5, 3, 4, 4), dtype=torch.uint8)
    pixels[:, 2] = 77
    split = Split(pixels, torch.zeros(5, dtype=torch.int64))
    found = Dataset("a", ("one",), split, split, split, "f", flip=True).statistics()
    assert (found.mean[2], found.std[2]) == (77 / 255, 1.0) and max(found.std[:2]) < 1.0


@pytest.mark.parametrize(
    ("mean", "std", "rule"),
    [
        ((0.5, 0.5), (1.0, 1.0), "mean must be three"),
        ((0.5,), (1.0, 1.0, 1.0), "std must be 1 numbers above 0"),
        ((0.5, math.nan, 0.5), (1.0, 1.0, 1.0), "mean must be three"),
        ((0.5, 0.5, 0.5), (1.0, 0.0, 1.0), "std must be 3 numbers above 0"),
        ((0.5, 0.5, 0.5), (1.0, math.inf, 1.0), "std must be 3 numbers above 0"),
    ],
)
def test_a_normalisation_out_of_range_is_refused(mean: tuple[float, ...], std: tuple[float, ...], rule: str) -> None:
    with pytest.raises(SettingsError, match=rule):
        Normalization("custom", mean, std)


def test_a_split_of_other_tensors_is_refused() -> None:
    images, labels = torch.zeros(4, 3, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64)
    assert len(Split(images, labels)) == 4
    with pytest.raises(DataError, match=r"uint8 of shape \(N, 3, H, W\) or .*, got torch.float32 \(4, 3, 8, 8\)"):
        Split(images.float(), labels)
    with pytest.raises(DataError, match=r"got torch.uint8 \(4, 2, 8, 8\)"):
        Split(images[:, :2], labels)
    with pytest.raises(DataError, match=r"int64 of shape \(4,\), got torch.int64 \(3,\)"):
        Split(images, labels[:3])


def test_imagenet_normalisation_has_the_published_numbers() -> None:
    assert IMAGENET_NORMALIZATION.mean == (0.485, 0.456, 0.406)
    assert IMAGENET_NORMALIZATION.std == (0.229, 0.224, 0.225)
