"""What users write about inputs, read or refused."""

import pytest

from legr.errors import SettingsError
from legr.models.input_shape import image_shape, input_shapes


def test_shapes_are_read() -> None:
    assert image_shape("1x1x96x160") == image_shape("1x96x160") == (1, 96, 160)
    assert input_shapes("3x32x32, 1x7") == ((1, 3, 32, 32), (1, 7))
    assert input_shapes("1x3x8x32x32") == ((1, 3, 8, 32, 32),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("224", "sizes separated by x"),
        ("1x3x-1x2", "sizes separated by x"),
        ("1x3xAx2", "sizes separated by x"),
        ("", "sizes separated by x"),
        ("2x3x32x32", "the batch of an input must be 1"),
        ("1x3x0x32", "at least 1"),
        ("1x999999999x9x9", r"2\*\*30"),
    ],
)
def test_anything_else_is_refused(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        input_shapes(text)


def test_a_study_takes_one_image() -> None:
    for text in ("1x7", "3x32x32,1x7"):
        with pytest.raises(SettingsError, match="the input must be one image"):
            image_shape(text)
