"""The inputs on which an exported file is compared with its network: how many there are, whatever images are here."""

import numpy as np
import pytest
import torch

from legr.commands.export import CHECK_IMAGES, _check_batches
from legr.data.images import Dataset, Split
from legr.deploy.onnx_file import OnnxSettings
from legr.study.catalog import SAMPLES
from legr.study.store import Study

SHAPE = (3, 32, 32)


def split_of(images: int) -> Split:
    pixels = torch.arange(images * 3 * 32 * 32).reshape(images, *SHAPE) % 251
    return Split(pixels.to(torch.uint8), torch.zeros(images, dtype=torch.int64))


@pytest.mark.parametrize(
    ("test", "train", "expected"), [(1100, 50, 1024), (1024, 50, 1024), (359, 2000, 1024), (300, 100, 400)]
)
def test_test_images_come_first_and_training_images_fill_up(test: int, train: int, expected: int) -> None:
    assert CHECK_IMAGES == 1024
    study, of_test, of_train = Study.open(SAMPLES / "digits-resnet20"), split_of(test), split_of(train)
    dataset = Dataset("made", ("a", "b"), of_train, of_test, of_test, "made", False)
    found = list(_check_batches(study, SHAPE, dataset, OnnxSettings(preprocess="uint8")))
    assert sum(len(inputs) for inputs, _ in found) == expected
    assert all(len(inputs) == len(fed) > 0 for inputs, fed in found)
    bytes_fed = np.concatenate([fed for _, fed in found])
    shown = torch.cat([of_test.images, of_train.images])[:expected] if test < 1024 else of_test.images[:expected]
    assert np.array_equal(bytes_fed, shown.permute(0, 2, 3, 1).numpy())


def test_without_images_noise_is_compared() -> None:
    study = Study.open(SAMPLES / "digits-resnet20")
    found = list(_check_batches(study, SHAPE, None, OnnxSettings()))
    assert sum(len(inputs) for inputs, _ in found) == CHECK_IMAGES
