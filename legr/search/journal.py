"""The file that remembers every candidate of a search: JSON lines, appended one by one.

A candidate is one line or none: what was under way when a process died is proposed and scored again, and comes out
the same. The lines are those of Optuna's journal storage (a study, then finished trials), so that its tools open the
file, while nothing here needs Optuna. `value` is what the search minimises; all else is in the trial's user attributes.
"""

import json
import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from legr.errors import StudyError
from legr.files import write_bytes
from legr.ranking.types import Affine
from legr.record import Record
from legr.schema import LARGEST_COUNT, MEGABYTE, Name, Real, SchemaError, parse, read_bytes
from legr.search.types import Candidate, Proposal

log = logging.getLogger(__name__)

_CREATE_STUDY, _CREATE_TRIAL = 0, 4  # Optuna's codes of the lines written here
_COMPLETE, _MINIMIZE = 1, 1  # Optuna's codes of a trial's state and a study's direction
_WRITER = "legr"
LARGEST = 256 * MEGABYTE


@dataclass(frozen=True)
class _Line(Record):
    """What every line has; Optuna wrote the first kind each time that a journal was opened."""

    op_code: Literal[0, 4]


@dataclass(frozen=True)
class _Facts(Record):
    alpha: list[Annotated[Real, Field(gt=0)]]
    kappa: list[Real]
    state: dict[Name, Any]
    losses: list[list[Real | None]]  # None: it was stopped before
    passes: Annotated[Real, Field(gt=0)]
    seconds: Annotated[Real, Field(ge=0)]
    stopped: bool
    key: Name
    final: bool = False


@dataclass(frozen=True)
class _Attributes(Record):
    candidate: _Facts


@dataclass(frozen=True)
class _Trial(Record):
    value: Annotated[float, Field(ge=-LARGEST_COUNT, allow_inf_nan=True)]  # infinite where the identity loses nothing
    user_attrs: _Attributes


class Journal:
    """The candidates of one search, in order. One process at a time may have it open (`search_lock`).

    Raises:
        StudyError: the file cannot be read or written, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with _writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                _have_to_itself(path)
                mend(path)
                if not path.exists() or not path.stat().st_size:
                    _append(path, {"op_code": _CREATE_STUDY, "study_name": "legr", "directions": [_MINIMIZE]})
            self.finished = list(read_candidates(path))
        except SchemaError as error:
            raise StudyError(
                f"{path.name} is not a search journal of this program ({error}); move it away and learn again"
            ) from error

    def add(self, candidate: Candidate) -> None:
        """Write a candidate down; it is on the disk when this returns."""
        with _writing(self._path):
            _append(self._path, _trial(candidate))
        self.finished.append(candidate)


def read_candidates(path: Path) -> Iterator[Candidate]:
    """Candidates of a journal up to the first line that is not whole; the file is left as it is.

    Raises:
        OSError: it cannot be read.
        SchemaError: it is too large, or a line is not one of a search.
    """
    for line in read_bytes(path, LARGEST).splitlines(keepends=True):
        if not _is_whole(line):
            return
        entry = parse(line, _Line)
        if entry.op_code == _CREATE_TRIAL:
            yield _candidate(parse(line, _Trial))


def mend(path: Path) -> int:
    """Cut a journal back to the lines before the first damaged one; return how many lines were cut off.

    A process killed while writing leaves half a last line, of a candidate that is evaluated again and comes out the
    same. Damage anywhere else is not the program's doing: the damaged file is kept beside it.
    """
    if not path.exists():
        return 0
    content = read_bytes(path, LARGEST)
    lines = content.splitlines(keepends=True)
    n_whole = next((i for i, line in enumerate(lines) if not _is_whole(line)), len(lines))
    if n_whole == len(lines):
        return 0
    kept = ""
    if n_whole < len(lines) - 1 or content.endswith(b"\n"):
        write_bytes(path.with_name(f"{path.name}.damaged"), content)
        kept = f" (the old file is {path.name}.damaged)"
    with open(path, "rb+") as file:
        file.truncate(sum(len(line) for line in lines[:n_whole]))
    log.warning(
        "line %d of %s was not written whole; the search goes on from the line before it%s",
        n_whole + 1,
        path.name,
        kept,
    )
    return len(lines) - n_whole


def _have_to_itself(path: Path) -> None:
    """Copy a journal that has a second name, which came with a study from elsewhere: it is appended to in its place."""
    if path.exists() and (path.is_symlink() or path.stat().st_nlink > 1):
        write_bytes(path, path.read_bytes())


def _is_whole(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(parse(line, dict[str, Any]), dict)
    except SchemaError:
        return False


def _append(path: Path, entry: Mapping[str, Any]) -> None:
    line = json.dumps({"worker_id": _WRITER, **entry}, separators=(",", ":")) + "\n"
    with open(path, "ab") as file:
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StudyError(
            f"{path.name} cannot be written ({error.strerror}); free some space in {path.parent.name}, "
            "or change its permissions, and try again"
        ) from error


def _trial(candidate: Candidate) -> dict[str, Any]:
    """A candidate as Optuna's journal holds a finished trial."""
    proposal = candidate.proposal
    losses = [[None if math.isnan(loss) else loss for loss in row] for row in candidate.losses.tolist()]
    now = datetime.now(UTC).isoformat()
    return {
        "op_code": _CREATE_TRIAL,
        "study_id": 0,
        "datetime_start": now,
        "datetime_complete": now,
        "state": _COMPLETE,
        "value": candidate.value,
        "user_attrs": {
            "candidate": {
                "alpha": proposal.affine.alpha.tolist(),
                "kappa": proposal.affine.kappa.tolist(),
                "state": dict(proposal.state),
                "final": proposal.settled,
                "losses": losses,
                "passes": candidate.passes,
                "seconds": candidate.seconds,
                "stopped": candidate.stopped,
                "key": candidate.key,
            }
        },
    }


def _candidate(trial: _Trial) -> Candidate:
    facts = trial.user_attrs.candidate
    losses = [[math.nan if loss is None else loss for loss in row] for row in facts.losses]
    if len(facts.alpha) != len(facts.kappa) or len({len(row) for row in losses}) != 1:
        raise SchemaError("the lists of a candidate differ in length")
    return Candidate(
        Proposal(Affine.of(facts.alpha, facts.kappa), facts.state, settled=facts.final),
        np.array(losses, dtype=np.float64),
        trial.value,
        facts.passes,
        facts.seconds,
        facts.stopped,
        facts.key,
    )
