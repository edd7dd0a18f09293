"""An export as a user hands it over: a recipe, its folder, or the zip.

Of a zip, only the recipe and the weights are read, by their names and up to a size; paths in it are not followed.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from legr.deploy.bundle import RECIPE, WEIGHTS
from legr.errors import ExportError

LARGEST = {RECIPE: 64 * 2**20, WEIGHTS: 4 * 2**30}  # bytes
_FREELY, _FOLD = 64 * 2**20, 20  # bytes that are unpacked in any case; beyond, how many of one


@contextmanager
def unpacked(bundle: Path) -> Iterator[Path]:
    """Yield the path of the recipe in a bundle, its weights beside it; what a zip held is gone afterwards.

    Args:
        bundle: a `recipe.json`, the folder that it lies in, or the zip of both.

    Raises:
        ExportError: there is no recipe there, or the zip is damaged or too large.
    """
    if bundle.is_dir():
        bundle = bundle / RECIPE
    if not bundle.is_file():
        raise ExportError(f"there is no {bundle.name} there; name a {RECIPE}, its folder, or the zip of an export")
    if not zipfile.is_zipfile(bundle):
        yield bundle
        return
    with tempfile.TemporaryDirectory() as folder:
        _extract(bundle, Path(folder))
        yield Path(folder) / RECIPE


def _extract(bundle: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(bundle) as archive:
            names = archive.namelist()
            twice = [name for name in LARGEST if names.count(name) > 1]
            if twice:
                raise ExportError(f"{bundle.name} holds {twice[0]} twice; choose the zip of an export")
            missing = [name for name in LARGEST if name not in names]
            if missing:
                raise ExportError(f"{bundle.name} holds no {' and no '.join(missing)}; choose the zip of an export")
            for name, most in LARGEST.items():
                if archive.getinfo(name).file_size > most:  # zipfile reads no more than this size
                    raise ExportError(f"{name} in {bundle.name} is larger than {most >> 20} MB; it is not unpacked")
                part = archive.getinfo(name)
                if part.file_size > _FREELY + _FOLD * part.compress_size:
                    sizes = f"{part.file_size >> 20} MB from {part.compress_size >> 20} MB"
                    raise ExportError(
                        f"{name} in {bundle.name} unfolds to {sizes}, as no weights do; it is not unpacked"
                    )
                with archive.open(name) as packed, (folder / name).open("xb") as file:
                    shutil.copyfileobj(packed, file)
    except ExportError:
        raise
    except Exception as error:  # a zip may come from anywhere, and fails in many ways
        raise ExportError(f"{bundle.name} cannot be unpacked ({error}); copy or download it again") from error
