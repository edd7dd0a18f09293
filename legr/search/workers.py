"""Threads that score networks side by side: narrow layers keep one core busy, not all of them.

They share the images' memory, and PyTorch releases the interpreter's lock while it computes. Results are those of one
worker, except for the rounding of sums that several cores add up.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from legr.errors import SettingsError

A = TypeVar("A")
B = TypeVar("B")
_USUAL = 4  # workers at most by default


class Workers:
    """A number of threads that share the processor's cores; results come in the order of the tasks.

    Args:
        number: of threads; None is one a core, up to four; one on a GPU, which is never idle.

    Raises:
        SettingsError: the number is below 1.
    """

    def __init__(self, number: int | None, device: torch.device) -> None:
        if number is not None and number < 1:
            raise SettingsError(f"workers must be at least 1, got {number}")
        cores = torch.get_num_threads()
        self.number = 1 if device.type == "cuda" else min(cores, _USUAL) if number is None else number
        share = max(1, cores // self.number)
        self._pool = (
            ThreadPoolExecutor(self.number, initializer=torch.set_num_threads, initargs=(share,))
            if self.number > 1
            else None
        )

    def map(self, work: Callable[[A], B], tasks: Sequence[A]) -> list[B]:
        """The result of every task."""
        return list((self._pool.map if self._pool else map)(work, tasks))
