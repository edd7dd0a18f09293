"""Memory that a process has freed, kept for its next tensors."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # of glibc's malloc.h
_MOST_ON_HEAP = 2**25  # bytes: the most that glibc takes; larger tensors are mapped each time
_AHEAD, _KEPT = 2**26, 2**31 - 1  # bytes


def keep_freed_memory() -> bool:
    """Keep memory that is freed, until the process ends; False where the C library is not glibc.

    By default every tensor of some megabytes is given back at once, and the next one is filled with fresh pages, which
    is 6 % of a step of training (`benchmarks/training_memory.py`). Nothing may be timed in PyTorch afterwards: the
    processes that networks are handed out to do not do this.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    options = {_M_MMAP_THRESHOLD: _MOST_ON_HEAP, _M_TRIM_THRESHOLD: _KEPT, _M_TOP_PAD: _AHEAD}
    return all(mallopt(option, value) == 1 for option, value in options.items())
