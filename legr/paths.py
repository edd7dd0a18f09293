"""Where this machine keeps what is not part of a study: data sets, caches, locks.

It does not know what the files hold.
"""

import os
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

__all__ = ["cache_folder", "data_folder"]


def data_folder() -> Path:
    """Return the folder of what must last: `LEGR_DATA`, or the platform's user data folder."""
    chosen = os.environ.get("LEGR_DATA")
    return Path(chosen).resolve() if chosen else user_data_path("legr", appauthor=False)


def cache_folder() -> Path:
    """Return the folder of what can be built again: `LEGR_CACHE`, or the platform's user cache folder."""
    chosen = os.environ.get("LEGR_CACHE")
    return Path(chosen).resolve() if chosen else user_cache_path("legr", appauthor=False)
