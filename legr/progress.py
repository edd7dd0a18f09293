"""How long work reports its progress: one small record, handed to a callback (a terminal, a job's file, or nobody)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a long task is done.

    Attributes:
        stage: what is counted, such as "pass" or "epoch".
        done, total: steps finished and planned.
        seconds_left: estimate for the rest, or None where unknown.
        values: figures worth showing, such as {"best_loss": 0.61}.
    """

    stage: str
    done: int
    total: int
    seconds_left: float | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """A report that nobody listens to."""


def duration(seconds: float) -> str:
    """A length of time as people say it: "8 s", "3 min", "1.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
