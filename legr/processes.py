"""Processes of this machine: which one a note is about, and whether it is still alive."""

import os
import platform
import sys
from functools import cache
from pathlib import Path

import psutil

__all__ = ["place", "process", "process_start", "runs_this_python", "start_of"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NUMBERS = Path("/proc/self/ns/pid")


@cache
def place() -> str:
    """Where process ids mean what they mean here: the machine, since it was started, and the container.

    A folder may be shared by several machines or containers, in which the same id is another process.
    """
    try:
        since = f"{_BOOT_ID.read_text().strip()} {_NUMBERS.stat().st_ino}"
    except OSError:  # not Linux
        since = ""
    return f"{platform.node()} {since}".strip()


def process(pid: int, started: float | None) -> psutil.Process | None:
    """The live process with this id that was started then, or None: the system gives an id to others later."""
    try:
        found = psutil.Process(pid)
        alive = found.status() != psutil.STATUS_ZOMBIE and abs(process_start(found) - (started or 0.0)) < 1.0
    except (psutil.Error, ValueError, OverflowError):
        return None
    return found if alive else None


def process_start(found: psutil.Process) -> float:
    """When a process started, in seconds since the machine did on Linux, elsewhere since 1970.

    On Linux psutil adds the time of boot, which moves whenever the clock is set.
    """
    return float(found.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0))


def start_of(pid: int) -> float | None:
    """`process_start` of the process with this id now; None where there is none."""
    try:
        return process_start(psutil.Process(pid))
    except psutil.Error:
        return None


def runs_this_python(found: psutil.Process) -> bool:
    """Whether a process is one of the same user that runs the same Python as this one."""
    try:
        same_user = not hasattr(os, "getuid") or found.uids().real == os.getuid()
        return same_user and Path(found.exe()).samefile(sys.executable)
    except (psutil.Error, OSError):
        return False
