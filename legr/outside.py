"""Files from elsewhere, looked at before a library opens them: plain files only, and no larger than makes sense.

`legr.schema.read_bytes` is the same for files that are read whole.
"""

import os
import stat
from pathlib import Path

from legr.schema import MEGABYTE, SchemaError, require_size

__all__ = ["LARGEST_WEIGHTS", "require_plain_file"]

LARGEST_WEIGHTS = 16 * 1024 * MEGABYTE


def require_plain_file(path: Path, largest: int = LARGEST_WEIGHTS) -> int:
    """Return the size of a file in bytes; a pipe would never end, and reading a device may do anything.

    Raises:
        OSError: it is not there.
        SchemaError: it is a folder, a pipe, a socket or a device, or too large.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise SchemaError(f"it is {_KINDS.get(stat.S_IFMT(status.st_mode), 'a device')}, not a file")
    require_size(status.st_size, largest)
    return status.st_size


_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
