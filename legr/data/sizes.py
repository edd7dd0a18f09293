"""Sizes of images that are scaled to a height; the width follows. No torch."""

from legr.bounds import Bounds

HEIGHTS = Bounds(1, 4096)  # pixels


def scaled_size(size: tuple[int, int], height: int) -> tuple[int, int]:
    """Height and width of an image of some size that is scaled to a height."""
    return height, max(1, round(size[1] * height / size[0]))


def scaled_shape(shape: tuple[int, int, int], height: int | None) -> tuple[int, int, int]:
    """The shape of such an image: channels, height, width; None leaves it as it is."""
    return shape if height is None else (shape[0], *scaled_size(shape[1:], height))
