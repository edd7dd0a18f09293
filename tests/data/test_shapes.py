"""Images of other shapes than colour squares: covered, cut in the middle, grey as Pillow makes it."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from legr.data.array_cache import shape_name
from legr.data.batches import Augmentation, iterate
from legr.data.decode import decode_split, resize_arrays
from legr.data.load import load_dataset
from tests.data.pictures import write_class_folders
from tests.data.test_decode import split_of


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("own", "shape"), [((20, 60), (3, 10, 20)), ((60, 20), (1, 10, 20)), ((10, 20), (1, 10, 20))])
def test_files_are_covered_and_cut_in_the_middle(own: tuple[int, int], shape: tuple[int, int, int]) -> None:
    picture = Image.fromarray(noise(*own))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    scale = max(shape[1] / own[0], shape[2] / own[1])
    high, wide = round(own[0] * scale), round(own[1] * scale)
    top, left = (high - shape[1]) // 2, (wide - shape[2]) // 2
    expected = picture.resize((wide, high), Image.Resampling.BILINEAR) if scale != 1 else picture
    expected = expected.crop((left, top, left + shape[2], top + shape[1])).convert("L" if shape[0] == 1 else "RGB")
    (found,) = decode_split(split_of(buffer.getvalue()), shape, "decoding")
    assert np.array_equal(
        found, np.asarray(expected)[None] if shape[0] == 1 else np.asarray(expected).transpose(2, 0, 1)
    )


def test_arrays_go_the_same_way() -> None:
    pixels = noise(8, 8)
    (found,) = resize_arrays(pixels.transpose(2, 0, 1)[None], (1, 8, 16))
    expected = Image.fromarray(pixels).convert("L").resize((16, 16), Image.Resampling.BILINEAR).crop((0, 4, 16, 12))
    assert found.shape == (1, 8, 16)
    assert np.abs(found[0].astype(int) - np.asarray(expected).astype(int)).max() <= 1  # Pillow rounds in between


def test_a_grey_data_set_makes_grey_batches(own_folders: Path) -> None:
    dataset = load_dataset("digits", (1, 12, 20))
    normalization = dataset.statistics()
    assert len(normalization.mean) == len(normalization.std) == 1
    batches = iterate(
        dataset.train, normalization, batch=64, augment=Augmentation(torch.Generator().manual_seed(0), flip=False)
    )
    inputs, _ = next(batches)
    assert inputs.shape == (64, 1, 12, 20)
    whole = torch.cat([x for x, _ in iterate(dataset.train, normalization, batch=500)])
    assert abs(float(whole.mean())) < 1e-4 and abs(float(whole.std()) - 1) < 1e-3


def test_every_shape_is_cached_on_its_own(own_folders: Path) -> None:
    folder = str(write_class_folders(own_folders / "insects"))
    shapes = [
        load_dataset(folder, shape).test.images.shape[1:] for shape in ((3, 8, 8), (1, 8, 8), (3, 8, 16), (3, 8, 8))
    ]
    assert shapes == [(3, 8, 8), (1, 8, 8), (3, 8, 16), (3, 8, 8)]
    assert [shape_name(shape) for shape in ((3, 8, 8), (1, 8, 8), (3, 8, 16))] == ["8", "1x8x8", "3x8x16"]
