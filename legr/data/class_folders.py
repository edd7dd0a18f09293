"""Read a folder with one folder of image files a class: train/<class>/* with test/<class>/* or val/<class>/*."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from legr.data.encoded import CHUNK, EncodedImage, EncodedSplit, ImageFolder, labelled
from legr.errors import DataError

__all__ = ["LAYOUT", "open_class_folders"]

LAYOUT = "train/<class>/ with test/<class>/ or val/<class>/"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff"})


def open_class_folders(folder: Path) -> ImageFolder | None:
    """Return the images of `folder`, or None where it has no train/<class>/; test/ goes before val/.

    Raises:
        DataError: there is neither test/ nor val/, a class lacks training images, or the classes differ.
    """
    classes = _subfolders(folder / "train")
    if not classes:
        return None
    tests = next((name for name in ("test", "val") if _subfolders(folder / name)), None)
    if tests is None:
        raise DataError(f"{folder} has train/<class>/ but neither test/<class>/ nor val/<class>/: add one")
    unknown = sorted(set(_subfolders(folder / tests)) - set(classes))
    if unknown:
        raise DataError(f"{folder / tests} has the class {unknown[0]!r}, which train/ lacks: name the classes alike")
    train, train_paths = _open_split(folder / "train", classes)
    test, test_paths = _open_split(folder / tests, classes)
    empty = set(range(len(classes))) - set(train.labels.tolist())
    if empty:
        raise DataError(f"{folder / 'train' / classes[min(empty)]} holds no images: add some or delete the folder")
    files = tuple(path.relative_to(folder).as_posix() for path in (*train_paths, *test_paths))
    return ImageFolder(folder, files, classes, train, test)


def _open_split(folder: Path, classes: Sequence[str]) -> tuple[EncodedSplit, list[Path]]:
    labels: list[int] = []
    paths: list[Path] = []
    for label, name in enumerate(classes):
        images = _images_below(folder / name)
        labels += [label] * len(images)
        paths += images
    return labelled(str(folder), labels, len(classes), partial(_chunks, paths)), paths


def _subfolders(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "."))


def _images_below(folder: Path) -> list[Path]:
    """Return the image files under `folder`, hidden ones left out, in order of their relative names."""
    paths = {}
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            paths[relative.as_posix()] = path
    return [paths[name] for name in sorted(paths)]


def _chunks(paths: Sequence[Path]) -> Iterator[list[EncodedImage]]:
    for start in range(0, len(paths), CHUNK):
        yield [EncodedImage(str(path), path) for path in paths[start : start + CHUNK]]
