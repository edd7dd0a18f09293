"""What other programs take of the machine while something is timed.

It does not know what is timed.
"""

import os
import time
from types import TracebackType
from typing import Self

import psutil

_TOLERATED = 0.25  # of a core; less is always at work


class Neighbours:
    """Counts, within a `with`, how many cores other programs (and other tenants of the machine) keep busy."""

    cores = 0.0  # in the mean, once the `with` is left

    def __enter__(self) -> Self:
        self._since = _now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wall, others = (after - before for before, after in zip(self._since, _now(), strict=True))
        self.cores = max(0.0, others / wall) if wall > 0 else 0.0

    def hinder(self, threads: int) -> bool:
        """Whether they left fewer cores than a computation of so many threads needs, so that its times are too long."""
        return (os.cpu_count() or 1) - self.cores < threads - _TOLERATED


def _now() -> tuple[float, float]:
    """Seconds of the clock, and processor seconds of all but this process."""
    whole, own = psutil.cpu_times()._asdict(), psutil.Process().cpu_times()
    idle = ("idle", "iowait", "guest", "guest_nice")  # a guest's are the user's as well
    return time.monotonic(), sum(value for name, value in whole.items() if name not in idle) - own.user - own.system
