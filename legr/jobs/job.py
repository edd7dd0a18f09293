"""One job, and the record of it that a study keeps: a JSON file, which may come from anyone and is read strictly."""

import json
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, with_config

from legr.errors import JobError, SettingsError
from legr.jobs.register import ACTIVE, Pid, Seconds, State
from legr.requests.job import JobRequest
from legr.requests.jobs import JOB_REQUESTS
from legr.schema import MEGABYTE, STRICT, Count, Number, Plain, parse, read_bytes

RESUMABLE: tuple[State, ...] = ("cancelled", "interrupted", "failed")
ID = re.compile(r"[a-z]+-[A-Za-z0-9-]{1,80}")
MOST_JOBS = 10**9  # of a study
_LARGEST = 8 * MEGABYTE  # of a record
Numbers = dict[str, Number]


@dataclass(frozen=True)
class Job:
    """One piece of background work on a study."""

    id: str
    request: JobRequest  # what it was asked to do
    device: str
    state: State = "queued"
    created: float = 0.0  # seconds since 1970
    finished: float | None = None
    pid: int | None = None
    pid_started: float | None = None  # `process_start`: the system may have given the pid to another process since
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    values: dict[str, Any] = field(default_factory=dict)
    history: tuple[dict[str, Any], ...] = ()  # the values after each step
    error: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    number: int = 0  # of the study's jobs, in the order they were started, whatever clocks say
    known: bool = False  # this machine started it, and can cancel and resume it; never stored

    @property
    def kind(self) -> str:
        """The command that does the work."""
        return self.request.command

    @property
    def active(self) -> bool:
        """Waiting or running."""
        return self.state in ACTIVE

    @property
    def resumable(self) -> bool:
        """Ended before it was done. The same request goes on where the job stopped."""
        return self.state in RESUMABLE


@with_config(STRICT)
@dataclass(frozen=True)
class _Stored:
    """A record as JSON has it. Version 0.1 stored the arguments of the command in place of the request."""

    id: str
    kind: str
    device: str = ""
    request: dict[str, Plain] | None = None
    arguments: tuple[str, ...] | None = None
    state: State = "queued"
    created: Seconds = 0.0
    finished: Seconds | None = None
    pid: Pid | None = None
    pid_started: float | None = None
    stage: str = ""
    done: Count = 0
    total: Count = 0
    seconds_left: Annotated[float, Field(ge=0, lt=2**37)] | None = None
    values: Numbers = field(default_factory=dict)
    history: tuple[Numbers, ...] = ()
    error: str = ""
    result: dict[str, Plain] = field(default_factory=dict)
    number: Annotated[int, Field(ge=0, le=MOST_JOBS)] = 0


def content_of(job: Job) -> bytes:
    """The record of a job, as its study keeps it."""
    data = {f.name: getattr(job, f.name) for f in fields(Job) if f.name != "known"}
    data |= {"kind": job.kind, "request": job.request.to_dict()}
    return (json.dumps(data, allow_nan=False) + "\n").encode()


def read(path: Path) -> Job:
    """Read a record as it was written.

    Raises:
        JobError: it is damaged.
    """
    try:
        stored = parse(read_bytes(path, _LARGEST), _Stored)
        if stored.id != path.stem or not ID.fullmatch(stored.id):
            raise ValueError("it is called otherwise than its job")
        facts = {f.name: getattr(stored, f.name) for f in fields(_Stored)}
        for name in ("kind", "arguments"):
            del facts[name]
        return Job(**{**facts, "request": _request(stored)})
    except (OSError, ValueError, KeyError, SettingsError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, why: object) -> JobError:
    return JobError(f"the record of job {path.stem} is damaged ({why}); remove jobs/{path.name}")


def _request(stored: _Stored) -> JobRequest:
    """What a job was asked to do."""
    request = JOB_REQUESTS[stored.kind]
    if stored.request is not None:
        return request.from_dict(stored.request)
    if stored.arguments is None:
        raise ValueError("it does not say what was asked for")
    return request.from_arguments(stored.arguments)
