"""One image from anywhere: prepared as Pillow would by hand, and refused in one sentence where it is none."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from legr.data.single import MAX_PIXELS, fitted, open_image
from legr.errors import DataError

RNG = np.random.default_rng(0)


def write(folder: Path, image: Image.Image, kind: str = "PNG", **options: Any) -> Path:
    path = folder / "image"  # no ending: the content tells the format
    image.save(path, kind, **options)
    return path


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("size", [(64, 48), (48, 64), (33, 32), (16, 20)])
def test_an_image_is_scaled_to_cover_and_its_middle_taken(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    image = noise(*size)
    pixels, words = fitted(
        open_image(write(tmp_path, image, kind, **({"lossless": True} if kind == "WEBP" else {}))), (3, 32, 32)
    )
    scale = 32 / min(size)
    wide, high = round(size[0] * scale), round(size[1] * scale)
    left, top = (wide - 32) // 2, (high - 32) // 2
    expected = image.resize((wide, high), Image.Resampling.BILINEAR).crop((left, top, left + 32, top + 32))
    assert np.array_equal(pixels, np.asarray(expected).transpose(2, 0, 1))
    assert words.startswith(f"{size[0]} x {size[1]} pixels") and "the middle 32 x 32 taken" in words
    assert ("scaled" in words) == (min(size) != 32)


def test_an_image_of_the_right_size_stays_as_it_is(tmp_path: Path) -> None:
    image = noise(32, 32)
    pixels, words = fitted(open_image(write(tmp_path, image)), (3, 32, 32))
    assert np.array_equal(pixels, np.asarray(image).transpose(2, 0, 1)) and words == "32 x 32 pixels"


def test_a_network_of_grey_images_is_given_grey(tmp_path: Path) -> None:
    image = noise(24, 8)
    pixels, words = fitted(open_image(write(tmp_path, image)), (1, 8, 24))
    assert np.array_equal(pixels, np.asarray(image.convert("L"))[None]) and words.endswith("made grey")


def test_grey_images_become_three_equal_channels(tmp_path: Path) -> None:
    grey = RNG.integers(0, 256, (8, 8), dtype=np.uint8)
    pixels, _ = fitted(open_image(write(tmp_path, Image.fromarray(grey))), (3, 8, 8))
    assert np.array_equal(pixels, np.stack([grey] * 3))


def test_sixteen_bits_are_scaled_not_cut_off(tmp_path: Path) -> None:
    deep = RNG.integers(0, 2**16, (8, 8), dtype=np.uint16)
    pixels, _ = fitted(open_image(write(tmp_path, Image.fromarray(deep))), (3, 8, 8))
    assert np.array_equal(pixels[0], (deep >> 8).astype(np.uint8))


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (8, 8), (200, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 4, 8))
    image.paste((0, 0, 200, 128), (4, 0, 8, 4))
    pixels, _ = fitted(open_image(write(tmp_path, image)), (3, 8, 8))
    assert pixels[:, 0, 0].tolist() == [255, 255, 255] and pixels[:, 7, 7].tolist() == [200, 0, 0]
    half = 128 / 255
    assert (
        np.abs(pixels[:, 0, 7] - np.array([255 * (1 - half), 255 * (1 - half), 200 * half + 255 * (1 - half)])).max()
        < 1
    )


def test_a_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.paste(1, (4, 0, 8, 8))
    pixels, _ = fitted(open_image(write(tmp_path, image, transparency=0)), (3, 8, 8))
    assert pixels[:, 0, 0].tolist() == [255, 255, 255] and pixels[:, 0, 7].tolist() == [40, 50, 60]


def test_a_photograph_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 8), (255, 0, 0))
    image.paste((0, 0, 255), (8, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: what is at the left comes to the top
    upright = open_image(write(tmp_path, image, exif=exif))
    assert upright.size == (8, 16)
    assert upright.getpixel((4, 2)) == (255, 0, 0) and upright.getpixel((4, 13)) == (0, 0, 255)


def test_a_single_pixel_fills_the_picture(tmp_path: Path) -> None:
    pixels, words = fitted(open_image(write(tmp_path, Image.new("RGB", (1, 1), (1, 2, 3)))), (3, 32, 24))
    assert pixels.shape == (3, 32, 24) and np.array_equal(np.unique(pixels.reshape(3, -1), axis=1), [[1], [2], [3]])
    assert words == "1 x 1 pixels, scaled to 32 x 32, the middle 24 x 32 taken"


def declared(width: int, height: int) -> bytes:
    """A PNG that says it is so large and holds one row of zeros, well compressed."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 + 3 * min(width, 100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(30_000, 30_000), (10_000, 10_000), (MAX_PIXELS + 1, 1)])
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "image"
    path.write_bytes(declared(*size))
    with pytest.raises(DataError, match=r"50 million pixels, this one has .*; make it smaller"):
        open_image(path)


def test_a_file_of_many_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "image"
    with path.open("wb") as file:
        file.truncate(20_000_001)
    with pytest.raises(DataError, match=r"an image file may have 20 MB, this one has 20\.0 MB"):
        open_image(path)


def test_a_strip_that_would_grow_beyond_memory_is_refused(tmp_path: Path) -> None:
    strip = open_image(write(tmp_path, Image.new("RGB", (100_000, 1))))
    with pytest.raises(DataError, match="100,000 x 1 pixels are too narrow"):
        fitted(strip, (3, 224, 224))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_text("this is no picture")
    with pytest.raises(DataError, match="no PNG, JPEG, WebP or BMP image"):
        open_image(path)
    Image.new("RGB", (8, 8)).save(path, "TIFF")
    with pytest.raises(DataError, match="no PNG, JPEG, WebP or BMP image"):
        open_image(path)
    with pytest.raises(DataError, match=r"cannot be read .*check its path"):
        open_image(tmp_path / "none.png")
    with pytest.raises(DataError):
        open_image(tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_a_damaged_image_is_one_sentence(tmp_path: Path, kind: str) -> None:
    stream = io.BytesIO()
    noise(32, 32).save(stream, kind)
    path = tmp_path / "image"
    path.write_bytes(stream.getvalue()[: len(stream.getvalue()) // 2])
    with pytest.raises(DataError, match=r"is damaged|no PNG"):
        open_image(path)
