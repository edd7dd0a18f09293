"""The journal of a search: one line a candidate, that Optuna opens too, and journals that Optuna wrote."""

import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from legr.errors import StudyError
from legr.ranking.types import Affine
from legr.search.journal import Journal
from legr.search.replay import frames
from legr.search.types import Candidate, Proposal
from tests.search.candidates import candidate

#: Thirteen candidates of an evolution on seven layers, written through Optuna 5.0 in three sessions.
WRITTEN_BY_OPTUNA = Path(__file__).parent / "journals" / "written_by_optuna.journal"


def stopped() -> Candidate:
    proposal = Proposal(
        Affine(np.array([2.0, 0.1]), np.array([-1.5, 1 / 3])), {"steps": 10, "point": [[0.1]]}, 60, True
    )
    return Candidate(proposal, np.array([[0.5, 0.7, math.nan]]), 0.25, 1.5, 0.125, True, "abc")


def test_a_candidate_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "searches" / "one.journal"
    journal = Journal(path)
    journal.add(candidate(Proposal(Affine.identity(2)), 1.0))
    journal.add(stopped())
    assert path.read_bytes().count(b"\n") == 3
    for read in (journal.finished[1], Journal(path).finished[1]):
        expected = stopped()
        assert np.array_equal(read.affine.alpha, expected.affine.alpha)
        assert np.array_equal(read.affine.kappa, expected.affine.kappa)
        assert np.array_equal(read.losses, expected.losses, equal_nan=True)
        assert (read.proposal.state, read.proposal.settled) == (expected.proposal.state, True)
        assert (read.value, read.passes, read.seconds, read.stopped, read.key) == (0.25, 1.5, 0.125, True, "abc")


def test_opening_a_journal_again_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "one.journal"
    Journal(path).add(stopped())
    before = path.read_bytes()
    assert len(Journal(path).finished) == 1
    assert path.read_bytes() == before


def test_a_journal_that_optuna_wrote_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "one.journal"
    shutil.copy(WRITTEN_BY_OPTUNA, path)
    journal = Journal(path)
    assert len(journal.finished) == 12
    first, second = journal.finished[:2]
    assert (first.affine.alpha == 1).all() and first.value == 1 and first.key == "7f14d714467dbea4"
    assert second.value == 1.012188008513956 and second.losses[0, 0] == 10.081215742939206
    assert second.affine.alpha[-1] == 1.4819469561586491
    journal.add(stopped())
    assert path.read_bytes().startswith(WRITTEN_BY_OPTUNA.read_bytes())
    assert len(Journal(path).finished) == len(frames(path)) == 13


@pytest.mark.parametrize("earlier", [None, WRITTEN_BY_OPTUNA])
def test_optuna_opens_a_journal(tmp_path: Path, earlier: Path | None) -> None:
    optuna = pytest.importorskip("optuna")
    path = tmp_path / "one.journal"
    if earlier is not None:
        shutil.copy(earlier, path)
    journal = Journal(path)
    journal.add(candidate(Proposal(Affine.identity(2)), 0.75))
    journal.add(stopped())
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    study = optuna.load_study(study_name=None, storage=storage)
    assert [trial.value for trial in study.trials] == [c.value for c in journal.finished]
    assert {trial.state for trial in study.trials} == {optuna.trial.TrialState.COMPLETE}
    assert study.trials[-1].user_attrs["candidate"]["kappa"] == [-1.5, 1 / 3]
    assert study.best_value == 0.25


@pytest.mark.parametrize("line", ['{"a": 1}', '{"op_code": 9}', '{"op_code": 4, "value": 1}'])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path, line: str) -> None:
    path = tmp_path / "one.journal"
    path.write_text(line + "\n")
    with pytest.raises(StudyError, match=r"one.journal is not a search journal of this program .* move it away"):
        Journal(path)
    assert path.read_text() == line + "\n"
    assert frames(path) == []


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "searches").write_text("a file where the folder belongs")
    with pytest.raises(StudyError, match=r"one.journal cannot be written \(.*\); free some space in searches, or"):
        Journal(tmp_path / "searches" / "one.journal")


@pytest.mark.parametrize("give_a_second_name", [os.link, os.symlink])
def test_a_journal_with_a_second_name_leaves_the_other_alone(
    tmp_path: Path, give_a_second_name: Callable[[Path, Path], None]
) -> None:
    """A study from elsewhere may bring one; a journal is appended to in its place."""
    other, path = tmp_path / "precious", tmp_path / "a.journal"
    Journal(other)
    other.write_bytes(other.read_bytes() + b"half a line")
    before = other.read_bytes()
    give_a_second_name(other, path)
    assert Journal(path).finished == []
    assert other.read_bytes() == before and path.read_bytes() + b"half a line" == before
