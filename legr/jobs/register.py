"""This machine's own register of jobs, in its data folder: which process works on which study, and how it ended.

Studies are handed around, so what one says about processes is never acted upon. A job that is not in here was started
by another machine, and is only history.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from filelock import FileLock, Timeout
from pydantic import Field, JsonValue, TypeAdapter, with_config

from legr import processes
from legr.files import write_bytes
from legr.jobs.kept_space import give_up_space, keep_space, kept_long_since, write_last
from legr.paths import data_folder
from legr.schema import MEGABYTE, STRICT, parse, read_bytes
from legr.study.folder import StudyFolder

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")
Pid = Annotated[int, Field(ge=1, lt=2**31)]
Seconds = Annotated[float, Field(ge=0, lt=2**37)]  # since 1970, up to a date that calendars have

_KEPT_BYTES = 16 * 1024
_LONGEST_ERROR = 2000  # characters, of at most six bytes in JSON
_MOST_ENTRIES = 5000


@with_config(STRICT)
@dataclass(frozen=True)
class Entry:
    """What this machine knows of one of its jobs."""

    id: str
    kind: str
    request: dict[str, JsonValue]
    study: str  # where its folder was last
    volume: int  # that its folder lies on
    inode: int  # of its folder
    place: str  # where its process id means something: `processes.place`
    state: State
    created: Seconds
    pid: Pid | None = None
    pid_started: float | None = None
    finished: Seconds | None = None
    error: str = ""

    @property
    def active(self) -> bool:
        """Not ended, as far as was noted."""
        return self.state in ACTIVE

    @property
    def is_here(self) -> bool:
        """Whether its process is one of this machine and container, since the machine was started."""
        return self.place == processes.place()

    @property
    def host(self) -> str:
        """The machine that it runs on."""
        return self.place.partition(" ")[0]


_ENTRY = TypeAdapter(Entry)


def enter(study: StudyFolder, job_id: str, kind: str, request: Mapping[str, Any], created: float) -> Entry:
    """Note a job that is about to start, and keep space for its end; raises OSError."""
    found = os.stat(study.folder)
    entry = Entry(
        id=job_id,
        kind=kind,
        request=dict(request),
        study=str(study.path.resolve()),
        volume=found.st_dev,
        inode=found.st_ino,
        place=processes.place(),
        state="queued",
        created=created,
    )
    _prune()
    give_up_abandoned(_folder())
    write(entry)
    keep_space(_path(job_id), _KEPT_BYTES)
    return entry


def write(entry: Entry) -> None:
    """Note what is known of a job now; its end in the space that was kept for it. Raises OSError."""
    entry = replace(entry, error=entry.error[:_LONGEST_ERROR])
    content = _ENTRY.dump_json(entry)
    if entry.active:
        write_bytes(_path(entry.id), content)
    else:
        write_last(_path(entry.id), content)


def read(job_id: str) -> Entry | None:
    """What is known of a job; None where this machine did not start it, or the note is damaged."""
    try:
        return parse(read_bytes(_path(job_id), MEGABYTE), Entry)
    except (OSError, ValueError):  # of an id that no path can have as well
        return None


def find(study: StudyFolder, job_id: str) -> Entry | None:
    """As `read`, of a job of exactly this study folder: another study may bring a record with the same id."""
    entry = read(job_id)
    if entry is None or entry.id != job_id:
        return None
    try:
        folder = os.stat(study.folder)
    except OSError:
        return None
    # A volume may get another number when the machine is started; the path tells then.
    same_volume = folder.st_dev == entry.volume or str(study.path.resolve()) == entry.study
    return entry if folder.st_ino == entry.inode and same_volume else None


def note_failure(job_id: str, error: str) -> None:
    """Note that this process, which was to do the work of a job, failed, unless the end is noted already."""
    with suppress(OSError), lock():
        entry = read(job_id)
        if entry is not None and entry.active and entry.pid in (None, os.getpid()) and entry.is_here:
            write(replace(entry, state="failed", finished=time.time(), error=error))


def lock() -> FileLock:
    """Held while an entry is read, changed and written."""
    _folder().mkdir(parents=True, exist_ok=True)
    return FileLock(_folder() / ".register.lock")


def at_work(job_id: str) -> FileLock:
    """Held by the process of a job while it is at work, so that other machines that share the folder see that it is."""
    _folder().mkdir(parents=True, exist_ok=True)
    return FileLock(_folder() / f"{job_id}.lock")


def is_at_work(job_id: str) -> bool:
    """Whether some process, on whichever machine, holds `at_work`."""
    if not (_folder() / f"{job_id}.lock").exists():
        return False
    own = at_work(job_id)
    try:
        own.acquire(timeout=0)
    except Timeout:
        return True
    own.release()
    return False


def forget(job_id: str) -> None:
    """Remove what is known of a job."""
    path = _path(job_id)
    give_up_space(path)
    for file in (path, path.with_suffix(".lock")):
        with suppress(OSError):
            file.unlink()


def give_up_abandoned(folder: Path) -> None:
    """Remove the space that was kept in a folder of records for jobs that were killed."""
    for path in kept_long_since(folder):
        if not is_at_work(path.stem):
            give_up_space(path)


def _folder() -> Path:
    return data_folder() / "jobs"


def _path(job_id: str) -> Path:
    return _folder() / f"{job_id}.json"


def _prune() -> None:
    """Forget the oldest jobs of all that have ended."""
    paths = list(_folder().glob("*.json"))
    if len(paths) < _MOST_ENTRIES:
        return
    with suppress(OSError):
        for path in sorted(paths, key=lambda path: path.stat().st_mtime)[: -_MOST_ENTRIES // 2]:
            entry = read(path.stem)
            if entry is not None and entry.active and is_at_work(entry.id):
                continue
            forget(path.stem)
