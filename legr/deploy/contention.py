"""Contention: processor time that other programs take of the machine while something is timed."""

import os
import time
from types import TracebackType
from typing import Self

import psutil

_TOLERATED = 0.25  # of a core; less is always at work
_NOT_WORK = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is counted as the user's as well


class Contention:
    """Measures, within a `with`, how many of this process's cores other programs (and other tenants) keep busy."""

    cores = 0.0  # that others kept busy, in the mean; set when the `with` is left

    def __enter__(self) -> Self:
        self._since = _now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wall, others = (after - before for before, after in zip(self._since, _now(), strict=True))
        self.cores = max(0.0, others / wall) if wall > 0 else 0.0

    def slows(self, threads: int) -> bool:
        """Whether others left fewer cores than a computation of so many threads needs: its times are too long."""
        cores = len(_own_cores())
        return cores - self.cores < min(threads, cores) - _TOLERATED


def _now() -> tuple[float, float]:
    """Seconds of the clock, and processor seconds that others have used on the cores of this process."""
    cores, own = psutil.cpu_times(percpu=True), psutil.Process().cpu_times()
    counted = [cores[number]._asdict() for number in _own_cores() if number < len(cores)]
    busy = sum(seconds for core in counted for name, seconds in core.items() if name not in _NOT_WORK)
    return time.monotonic(), busy - own.user - own.system


def _own_cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
