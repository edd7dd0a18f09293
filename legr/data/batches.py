"""From a split to normalized, optionally augmented batches: whole batches at a time, never image by image.

Every random number comes from the generator that is given. Shapes: B images of a batch, C channels, H, W pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from legr.data.images import Split
from legr.data.normalization import Normalization
from legr.errors import SettingsError

__all__ = ["AUGMENTATION", "Augmentation", "iterate"]

AUGMENTATION = 1  # raised whenever a generator gives other crops and flips than before
PAD_FRACTION = 8  # augmentation pads every side by height / 8: 4 pixels of 32, as in the ResNet paper


@dataclass(frozen=True)
class Augmentation:
    """Random crops and flips.

    Every image is padded on each side by H // 8 and W // 8 pixels of one colour, cropped back to its size at a random
    place and, where `flip`, flipped left to right with probability 1/2.

    Attributes:
        generator: on the CPU.
        flip: whether it may flip; a data set says so by `Dataset.flip`.
        black: pads with black, as programs do that crop before they normalize. Else with the mean colour (rounded to
            1/255, so zero after normalization to within half a step), as this program does where it trains.
    """

    generator: Generator
    flip: bool = True
    black: bool = False


def iterate(
    split: Split,
    normalization: Normalization,
    *,
    batch: int,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    order: Tensor | None = None,
    channels_last: bool = True,
    augment: Augmentation | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (inputs, labels), dtype[B, C, H, W] and int64[B], on `device`; the last batch may be short.

    Args:
        split: images and labels; they may lie on `device` already.
        normalization: applied in float32 (float64 where that is the dtype), then rounded to `dtype`.
        batch: images a batch, at least 1.
        device: where the batches go.
        dtype: floating-point type of the inputs.
        order: int64[M], the images to take, in this order; None takes all as they come. It may be shorter
            than the split, and may repeat.
        channels_last: memory format of the inputs; convolutions are faster so.
        augment: how images are changed at random; None leaves them as they are.

    Raises:
        SettingsError: the batch is below 1, or the dtype is no floating-point type.
    """
    if batch < 1:
        raise SettingsError(f"batch must be at least 1, got {batch}")
    if not dtype.is_floating_point:
        raise SettingsError(f"the dtype of the inputs must be a floating-point type, got {dtype}")
    # The generator is a function of its own, so that wrong settings raise here and not at the first batch.
    return _batches(split, normalization, batch, torch.device(device), dtype, order, channels_last, augment)


def _batches(
    split: Split,
    normalization: Normalization,
    batch: int,
    device: torch.device,
    dtype: torch.dtype,
    order: Tensor | None,
    channels_last: bool,
    augment: Augmentation | None,
) -> Iterator[tuple[Tensor, Tensor]]:
    if order is not None:
        order = order.to(split.images.device)
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    scale, shift = _affine(normalization, device, torch.float64 if dtype == torch.float64 else torch.float32)
    for start in range(0, len(split) if order is None else len(order), batch):
        images, labels = _rows(split, order, start, start + batch)
        images, labels = images.to(device), labels.to(device)  # still bytes: a quarter of the traffic
        if augment is not None:
            images = _crop_and_flip(images, normalization, augment)
        inputs = torch.empty(images.shape, dtype=scale.dtype, device=device, memory_format=memory_format)
        torch.mul(images, scale, out=inputs)
        yield inputs.add_(shift).to(dtype), labels


def _affine(
    normalization: Normalization, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:  # dtype[1, C, 1, 1] each
    """Return scale and shift such that byte * scale + shift is the normalized value."""
    mean = torch.tensor(normalization.mean, dtype=torch.float64).view(1, -1, 1, 1)
    std = torch.tensor(normalization.std, dtype=torch.float64).view(1, -1, 1, 1)
    return (1 / (255 * std)).to(device, dtype), (-mean / std).to(device, dtype)


def _rows(split: Split, order: Tensor | None, start: int, stop: int) -> tuple[Tensor, Tensor]:
    if order is None:
        return split.images[start:stop], split.labels[start:stop]
    rows = order[start:stop]
    return split.images.index_select(0, rows), split.labels.index_select(0, rows)


def _crop_and_flip(images: Tensor, normalization: Normalization, augment: Augmentation) -> Tensor:
    """Return uint8[B, C, H, W]: each image at a random place in a border, and maybe flipped."""
    generator = augment.generator
    count, channels, height, width = images.shape
    pad_y, pad_x = height // PAD_FRACTION, width // PAD_FRACTION
    down = torch.randint(2 * pad_y + 1, (count, 1), generator=generator)
    right = torch.randint(2 * pad_x + 1, (count, 1), generator=generator)
    ys = torch.arange(height) + down  # int64[B, H]: the padded row that each row shows
    xs = torch.arange(width).expand(count, width)
    if augment.flip:
        mirrored = torch.rand((count, 1), generator=generator) < 0.5
        xs = torch.where(mirrored, xs.flip(1), xs)
    xs = xs + right  # int64[B, W]
    mean = torch.tensor(normalization.mean).mul(255).round().clamp(0, 255).to(images)
    colour = torch.zeros_like(mean) if augment.black else mean
    padded = colour.view(1, channels, 1, 1).repeat(count, 1, height + 2 * pad_y, width + 2 * pad_x)
    padded[:, :, pad_y : pad_y + height, pad_x : pad_x + width] = images
    ys, xs = ys.to(images.device), xs.to(images.device)
    places = ys[:, :, None] * (width + 2 * pad_x) + xs[:, None, :]  # int64[B, H, W]: into the flattened image
    places = places.view(count, 1, height * width).expand(-1, channels, -1)
    return padded.flatten(2).gather(2, places).view_as(images)
