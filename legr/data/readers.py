"""Open a folder of labelled images, whichever of the known layouts it has."""

from collections.abc import Callable
from pathlib import Path

from legr.data import class_folders, parquet_folders
from legr.data.encoded import ImageFolder
from legr.errors import DataError

__all__ = ["open_folder"]

LAYOUTS: dict[str, Callable[[Path], ImageFolder | None]] = {
    parquet_folders.LAYOUT: parquet_folders.open_parquet_folder,
    class_folders.LAYOUT: class_folders.open_class_folders,
}


def open_folder(folder: Path) -> ImageFolder:
    """Return the images of `folder`; nothing is decoded yet.

    Raises:
        DataError: no layout fits (the message lists them), or the one that fits is incomplete or damaged.
    """
    for opened in (open_layout(folder) for open_layout in LAYOUTS.values()):
        if opened is not None:
            return opened
    raise DataError(f"{folder} holds no images in a known layout; looked for {', and for '.join(LAYOUTS)}")
