"""Batches: normalisation against torchvision's, and augmentation against every crop there can be."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as reference  # type: ignore[import-untyped]

from legr.data.batches import Augmentation
from legr.data.load import IMAGENET_NORMALIZATION, Normalization, Split, iterate
from legr.errors import SettingsError


def random_split(count: int, height: int = 16, width: int = 16) -> Split:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator)
    return Split(images, torch.arange(count))


# (byte / 255 - 0) / (1 / 255) = byte: the inputs are the bytes themselves, and black is the mean colour.
BYTES = Normalization("custom", (0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))


def expected(images: Tensor) -> Tensor:
    scaled = reference.to_dtype(images, torch.float64, scale=True)
    normalised: Tensor = reference.normalize(
        scaled, list(IMAGENET_NORMALIZATION.mean), list(IMAGENET_NORMALIZATION.std)
    )
    return normalised


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-12), (torch.float32, 1e-6), (torch.bfloat16, 2**-7)])
def test_inputs_are_normalised_like_torchvision_does(dtype: torch.dtype, atol: float) -> None:
    split = random_split(5)
    ((inputs, labels),) = iterate(split, IMAGENET_NORMALIZATION, batch=8, dtype=dtype)
    assert inputs.dtype == dtype
    torch.testing.assert_close(inputs.double(), expected(split.images), rtol=0, atol=atol)
    assert torch.equal(labels, split.labels)


@pytest.mark.parametrize("channels_last", [True, False])
def test_the_memory_format_is_the_one_asked_for(channels_last: bool) -> None:
    for augment in (None, Augmentation(torch.Generator())):
        ((inputs, _),) = iterate(
            random_split(4), IMAGENET_NORMALIZATION, batch=4, channels_last=channels_last, augment=augment
        )
        assert inputs.is_contiguous(memory_format=torch.channels_last) == channels_last
        assert inputs.is_contiguous() != channels_last


def test_batches_follow_the_order_and_the_last_may_be_short() -> None:
    split = random_split(10)
    order = torch.tensor([7, 7, 0, 9, 3])
    batches = list(iterate(split, BYTES, batch=2, order=order))
    assert [labels.tolist() for _, labels in batches] == [[7, 7], [0, 9], [3]]
    inputs = torch.cat([inputs for inputs, _ in batches])
    torch.testing.assert_close(inputs, split.images[order].float(), rtol=0, atol=1e-3)
    assert sum(len(labels) for _, labels in iterate(split, BYTES, batch=3)) == 10
    assert list(iterate(split, BYTES, batch=3, order=order[:0])) == []


def crop_and_flip_of(image: Tensor, original: Tensor, pad: tuple[int, int]) -> tuple[int, int, bool]:
    """Return the only (down, right, flipped) that makes `image` of `original`."""
    height, width = original.shape[1:]
    found = []
    for flipped in (False, True):
        turned = original.flip(2) if flipped else original
        padded = torch.nn.functional.pad(turned, (pad[1], pad[1], pad[0], pad[0]))
        for down in range(2 * pad[0] + 1):
            for right in range(2 * pad[1] + 1):
                if torch.equal(padded[:, down : down + height, right : right + width], image):
                    found.append((down, right, flipped))
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("flip", [True, False])
def test_augmented_images_are_random_crops_of_the_padded_ones(flip: bool) -> None:
    split = random_split(200, height=16, width=8)
    generator = torch.Generator().manual_seed(0)
    ((inputs, labels),) = iterate(split, BYTES, batch=200, augment=Augmentation(generator, flip))
    assert torch.equal(labels, split.labels)
    changes = [
        crop_and_flip_of(image, original, (2, 1))
        for image, original in zip(inputs.round().to(torch.uint8), split.images, strict=True)
    ]
    assert {down for down, _, _ in changes} == {0, 1, 2, 3, 4}
    assert {right for _, right, _ in changes} == {0, 1, 2}
    n_flipped = sum(flipped for _, _, flipped in changes)
    assert 70 <= n_flipped <= 130 if flip else n_flipped == 0


def test_the_border_is_zero_after_normalisation() -> None:
    white = Split(torch.full((64, 3, 16, 16), 255, dtype=torch.uint8), torch.zeros(64, dtype=torch.int64))
    generator = torch.Generator().manual_seed(0)
    ((inputs, _),) = iterate(white, IMAGENET_NORMALIZATION, batch=64, augment=Augmentation(generator))
    border = inputs[inputs < 1]  # white itself is above 2
    assert len(border) > 0
    assert border.abs().max() <= 0.5 / 255 / min(IMAGENET_NORMALIZATION.std)


def test_the_generator_alone_decides_the_augmentation() -> None:
    def run(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.cat(
            [inputs for inputs, _ in iterate(random_split(9), BYTES, batch=4, augment=Augmentation(generator))]
        )

    before = torch.get_rng_state()
    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_split_is_not_changed() -> None:
    split = random_split(6)
    before = split.images.clone()
    for inputs, _ in iterate(split, BYTES, batch=3, augment=Augmentation(torch.Generator())):
        inputs.zero_()
    assert torch.equal(split.images, before)


def test_wrong_settings_raise_at_the_call() -> None:
    with pytest.raises(SettingsError, match="batch must be at least 1, got 0"):
        iterate(random_split(2), BYTES, batch=0)
    with pytest.raises(SettingsError, match=r"floating-point type, got torch.uint8"):
        iterate(random_split(2), BYTES, batch=1, dtype=torch.uint8)


def test_a_border_may_be_black() -> None:
    white = Split(torch.full((64, 3, 16, 16), 255, dtype=torch.uint8), torch.zeros(64, dtype=torch.int64))
    augment = Augmentation(torch.Generator().manual_seed(0), black=True)
    ((inputs, _),) = iterate(white, BYTES, batch=64, augment=augment)
    assert set(inputs.unique().tolist()) == {0, 255}
    assert inputs[:, :, 2:-2, 2:-2].min() == 255  # the border is 16 / 8 pixels wide
