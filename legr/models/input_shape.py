"""Parse the input of a network as a user writes it: "1x3x224x224" is one image of 3 x 224 x 224. No torch."""

import re
from math import prod

from legr.data.encoded import ImageShape
from legr.errors import SettingsError

_LARGEST = 2**30  # values of one input: 4 GiB in float32


def input_shapes(text: str) -> tuple[tuple[int, ...], ...]:
    """Return the shapes that `text` names, the batch of 1 in front: "3x32x32,1x7" is ((1, 3, 32, 32), (1, 7)).

    Args:
        text: inputs separated by commas, sizes by "x"; three sizes are channels, height and width.

    Raises:
        SettingsError: that is no list of sizes, or the batch is not 1.
    """
    return tuple(_shape(part.strip(), text) for part in text.split(","))


def image_shape(text: str) -> ImageShape:
    """Return channels, height and width of the one image that `text` names.

    Raises:
        SettingsError: it names something else.
    """
    shapes = input_shapes(text)
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise SettingsError(f"the input must be one image, such as 1x3x224x224, got {text!r}")
    _, channels, height, width = shapes[0]
    return channels, height, width


def _shape(part: str, text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,9}(x\d{1,9})+", part):
        raise SettingsError(f"an input is sizes separated by x, such as 1x3x224x224, got {text!r}")
    sizes = tuple(map(int, part.split("x")))
    shape = (1, *sizes) if len(sizes) == 3 else sizes
    if shape[0] != 1:
        raise SettingsError(f"the batch of an input must be 1 (costs are those of one image), got {part!r}")
    if not 1 <= prod(shape) <= _LARGEST:
        raise SettingsError(f"the sizes of an input must be at least 1 and hold 2**30 values at most, got {part!r}")
    return shape
