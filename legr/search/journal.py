"""The file that remembers every candidate: Optuna's journal, mended after a crash.

It does not know how candidates are proposed, scored or compared. A candidate is one line or none: what was
under way when a process died is proposed and scored again, and comes out the same.
"""

import json
import logging
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from filelock import FileLock
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from legr.errors import StudyError
from legr.ranking.types import Affine
from legr.search.types import Candidate, Proposal

log = logging.getLogger(__name__)

_NAME = "legr"


class Journal:
    """The candidates of one search, in order.

    Raises:
        StudyError: the file cannot be read or written, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self._study = _open(path)
        try:
            trials = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            self.finished = [_candidate(trial) for trial in trials]
        except (KeyError, ValueError, TypeError) as error:
            raise _foreign(path, error) from error

    def add(self, candidate: Candidate) -> None:
        """Remember a candidate for good."""
        proposal = candidate.proposal
        losses = [[None if math.isnan(loss) else loss for loss in row] for row in candidate.losses.tolist()]
        facts: dict[str, Any] = {
            "alpha": proposal.affine.alpha.tolist(),
            "kappa": proposal.affine.kappa.tolist(),
            "state": dict(proposal.state),
            "final": proposal.final,
            "losses": losses,
            "passes": candidate.passes,
            "seconds": candidate.seconds,
            "stopped": candidate.stopped,
            "key": candidate.key,
        }
        self._study.add_trial(create_trial(value=candidate.value, user_attrs={"candidate": facts}))
        self.finished.append(candidate)


class _SystemLock:
    """A lock that the system frees when its holder dies, so that none is ever stale."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path)

    def acquire(self) -> bool:
        self._lock.acquire()
        return True

    def release(self) -> None:
        self._lock.release()


def _candidate(trial: FrozenTrial) -> Candidate:
    facts = trial.user_attrs["candidate"]
    assert trial.value is not None
    return Candidate(
        Proposal(Affine.of(facts["alpha"], facts["kappa"]), facts["state"], final=facts.get("final", False)),
        np.array(facts["losses"], dtype=np.float64),
        trial.value,
        facts["passes"],
        facts["seconds"],
        facts["stopped"],
        facts["key"],
    )


def _open(path: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mend(path)
        lock = _SystemLock(path.with_name(f".{path.name}.lock"))
        storage = JournalStorage(JournalFileBackend(str(path), lock_obj=lock))  # type: ignore[arg-type]
        return optuna.create_study(storage=storage, study_name=_NAME, load_if_exists=True)
    except OSError as error:
        raise StudyError(
            f"{path.name} cannot be written ({error.strerror}); free some space in {path.parent.name}, "
            "or change its permissions, and try again"
        ) from error
    except (KeyError, ValueError, TypeError) as error:
        raise _foreign(path, error) from error


def _foreign(path: Path, error: Exception) -> StudyError:
    return StudyError(f"{path.name} is not a search journal of this program ({error}); move it away and learn again")


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
