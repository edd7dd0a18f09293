"""What the commands about background jobs return. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from legr.record import Record


@dataclass(frozen=True)
class JobRow(Record):
    """A background job, as `jobs` lists it."""

    study: str
    id: str
    kind: str
    state: str
    stage: str
    done: int
    total: int
    seconds_left: float | None
    error: str
    result: Mapping[str, Any]  # JSON of what its command returned; {} before it is done


@dataclass(frozen=True)
class JobRows(Record):
    """`jobs`: newest first within a study."""

    jobs: tuple[JobRow, ...]


@dataclass(frozen=True)
class CancelledJob(Record):
    """`cancel`: the job and its state now."""

    id: str
    state: str
