"""The parent of the requests that run as jobs.

A job keeps its request, so that it can be started again; pages make one to start a job.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from legr.requests.options import Request

_OF_A_MACHINE = ("device", "threads", "workers")


class JobRequest(Request):
    """Parent of the requests that run as jobs."""

    def with_paths(self, relocate: Callable[[Path], Path]) -> Self:
        """The same request, with paths where they are now."""
        return self

    def elsewhere(self, exports: Path) -> Self:
        """The same work on another machine: devices, processors and folders of the first one are left out.

        Args:
            exports: folder of the study that exports are written to.
        """
        return type(self).from_dict({k: value for k, value in self.to_dict().items() if k not in _OF_A_MACHINE})
