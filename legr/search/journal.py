"""The file that remembers every candidate: Optuna's journal, mended after a crash.

It does not know what a candidate is.
"""

import json
import logging
import shutil
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from legr.errors import StudyError

log = logging.getLogger(__name__)

_NAME = "legr"


class _SystemLock:
    """A lock that the system frees when its holder dies, so that none is ever stale."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path)

    def acquire(self) -> bool:
        self._lock.acquire()
        return True

    def release(self) -> None:
        self._lock.release()


def open_journal(path: Path, sampler: optuna.samplers.BaseSampler) -> optuna.Study:
    """Open the journal, or begin one; a torn end is cut off first.

    Raises:
        StudyError: the journal cannot be read or written.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mend(path)
        lock = _SystemLock(path.with_name(f".{path.name}.lock"))
        storage = JournalStorage(JournalFileBackend(str(path), lock_obj=lock))  # type: ignore[arg-type]
        return optuna.create_study(storage=storage, study_name=_NAME, sampler=sampler, load_if_exists=True)
    except OSError as error:
        raise StudyError(
            f"{path.name} cannot be written ({error.strerror}); free some space in {path.parent.name}, "
            "or change its permissions, and try again"
        ) from error
    except (KeyError, ValueError, TypeError) as error:
        raise StudyError(
            f"{path.name} is not a search journal of this program ({error}); move it away and learn again"
        ) from error


def mend(path: Path) -> int:
    """Cut a journal back to the lines before the first unreadable one; return how many lines went.

    A process killed while writing leaves half a line. The candidates that are cut off are evaluated
    again, and come out the same; the damaged file is kept beside it.
    """
    if not path.exists():
        return 0
    lines = path.read_bytes().splitlines(keepends=True)
    good = next((i for i, line in enumerate(lines) if not _is_whole(line)), len(lines))
    if good == len(lines):
        return 0
    shutil.copyfile(path, path.with_name(f"{path.name}.damaged"))
    with open(path, "rb+") as file:
        file.truncate(sum(len(line) for line in lines[:good]))
    log.warning(
        "line %d of %s was not written whole; the search goes on from the line before it (the old file is %s.damaged)",
        good + 1,
        path.name,
        path.name,
    )
    return len(lines) - good


def _is_whole(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False
