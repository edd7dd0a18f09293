"""Decoding: crops, colours and damage, and resizing against Pillow."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from legr.data.decode import decode_split, resize_arrays
from legr.data.encoded import EncodedImage, EncodedSplit
from legr.errors import DataError
from legr.progress import Progress
from tests.data.pictures import encoded


def split_of(*contents: bytes | Path) -> EncodedSplit:
    images = [EncodedImage(f"number {number}", content) for number, content in enumerate(contents)]
    chunks = [images[start : start + 2] for start in range(0, len(images), 2)]
    return EncodedSplit(np.zeros(len(images), dtype=np.int64), lambda: iter(chunks))


def test_images_keep_their_order_and_progress_is_told(tmp_path: Path) -> None:
    file = tmp_path / "blue.png"
    file.write_bytes(encoded((0, 0, 255), (16, 16)))
    told: list[Progress] = []
    contents = (encoded((255, 0, 0), (8, 8)), encoded((0, 255, 0), (8, 8)), file)
    images = decode_split(split_of(*contents), (3, 8, 8), "decoding", told.append)
    assert images.shape == (3, 3, 8, 8)
    assert images[:, :, 4, 4].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert told == [Progress("decoding", 2, 3), Progress("decoding", 3, 3)]


@pytest.mark.parametrize("size", [(24, 8), (8, 24), (48, 16), (6, 2)])
def test_the_centre_square_is_what_is_kept(size: tuple[int, int]) -> None:
    """Three equal parts along the long side, red, green and blue: only the green one is left."""
    picture = Image.new("RGB", size)
    wide = size[0] > size[1]
    third = max(size) // 3
    for number, colour in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255))):
        start, stop = number * third, (number + 1) * third
        picture.paste(colour, (start, 0, stop, size[1]) if wide else (0, start, size[0], stop))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    (image,) = decode_split(split_of(buffer.getvalue()), (3, 8, 8), "decoding")
    assert image[:, 4, 4].tolist() == [0, 255, 0]
    if min(size) == 8:  # not resized: green to the very edge
        assert (image == np.array([0, 255, 0]).reshape(3, 1, 1)).all()


@pytest.mark.parametrize(("mode", "colour"), [("L", 100), ("RGBA", (100, 100, 100, 255)), ("1", 1), ("P", 3)])
def test_other_colour_modes_become_rgb(mode: str, colour: int | tuple[int, ...]) -> None:
    picture = Image.new(mode, (8, 8), colour)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    (image,) = decode_split(split_of(buffer.getvalue()), (3, 8, 8), "decoding")
    assert np.array_equal(image[:, 0, 0], np.asarray(picture.convert("RGB"))[0, 0])


def noise(kind: str) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
def test_a_truncated_image_is_named(kind: str, share: float) -> None:
    content = noise(kind)
    whole = encoded((0, 0, 0), (32, 32))
    with pytest.raises(DataError, match=r"the image number 2 cannot be read .* replace the file or delete it"):
        decode_split(split_of(whole, whole, content[: int(share * len(content))]), (3, 32, 32), "decoding")


def test_what_progress_raises_stops_the_work() -> None:
    class CancelledError(Exception):
        pass

    def cancel(*_: object) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        decode_split(split_of(encoded((0, 0, 0))), (3, 8, 8), "decoding", cancel)


def test_resizing_arrays_is_bilinear_like_pillow() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
    for size in (4, 8, 32):
        for image, found in zip(pixels, resize_arrays(pixels, (3, size, size)), strict=True):
            picture = Image.fromarray(image.transpose(1, 2, 0)).resize((size, size), Image.Resampling.BILINEAR)
            difference = np.asarray(picture).transpose(2, 0, 1).astype(int) - found.astype(int)
            assert np.abs(difference).max() <= 1  # Pillow rounds between its two passes
