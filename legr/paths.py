"""Where things are: this machine's data sets, caches and locks, and the explorer with its samples."""

import os
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

__all__ = ["cache_folder", "data_folder", "explorer_folder"]

_INSTALLED = Path(__file__).resolve().with_name("_explorer")  # where the wheel has it; a checkout has no such folder


def data_folder() -> Path:
    """Return the folder of what must last: `LEGR_DATA`, or the platform's user data folder."""
    chosen = os.environ.get("LEGR_DATA")
    return Path(os.path.realpath(chosen)) if chosen else user_data_path("legr", appauthor=False)


def cache_folder() -> Path:
    """Return the folder of what can be built again: `LEGR_CACHE`, or the platform's user cache folder."""
    chosen = os.environ.get("LEGR_CACHE")
    return Path(os.path.realpath(chosen)) if chosen else user_cache_path("legr", appauthor=False)


def explorer_folder() -> Path:
    """Return the folder of `streamlit_app.py`, `app/`, `pages/` and `samples/`: in the package, or the checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1]
