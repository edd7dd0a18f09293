"""Searching: the same ranking however often it is interrupted."""

import json
from pathlib import Path

import numpy as np
import pytest

from legr.errors import SettingsError, StudyError
from legr.progress import Progress, silent
from legr.ranking.types import Affine
from legr.search.journal import mend
from legr.search.learn import _open, learn, search_settings
from legr.study.records import Learned, SearchSettings
from legr.study.store import Study

SETTINGS = SearchSettings(pool=8, draw=3)


class Bowl:
    """A loss that costs nothing, with its minimum away from the identity; may be told to die."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.calls, self.dies_after = 0, dies_after

    def __call__(self, affine: Affine) -> float:
        if self.calls == self.dies_after:
            raise KeyboardInterrupt
        self.calls += 1
        return float(np.square(np.log(affine.alpha) - 0.5).sum() + np.abs(affine.kappa).sum())


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


def learned(study: Study, n_candidates: int) -> Learned:
    learn(study, SETTINGS, n_candidates, Bowl(), silent)
    found = study.learned
    assert found is not None
    return found


def same(a: Learned, b: Learned) -> bool:
    return (a.alpha, a.kappa, a.trace, a.best_candidate) == (b.alpha, b.kappa, b.trace, b.best_candidate)


@pytest.fixture
def whole(made_study: Path, tmp_path: Path) -> Learned:
    """The result of a search that nothing disturbed."""
    path = tmp_path / "undisturbed"
    path.mkdir()
    for name in ("study.json", "structure.json"):
        (path / name).write_bytes((made_study / name).read_bytes())
    return learned(Study.open(path), 30)


def test_the_best_is_kept_and_never_worse_than_the_identity(study: Study) -> None:
    seen: list[Progress] = []
    found = learn(study, SETTINGS, 25, Bowl(), seen.append)
    assert [p.done for p in seen] == list(range(1, 26))
    assert found["best_loss"] == min(p.values["best_loss"] for p in seen) <= found["identity_loss"]
    record = study.learned
    assert record is not None
    assert Bowl()(record.affine) == found["best_loss"] == record.trace[-1]
    assert study.default_ranking == "learned"
    assert learn(study, SETTINGS, 1, None, silent)["candidates"] == 25  # finished: returns at once


def test_an_identity_that_wins_stays(study: Study) -> None:
    found = learn(study, SETTINGS, 12, lambda a: float(np.square(np.log(a.alpha)).sum()), silent)
    assert found["best_loss"] == found["identity_loss"] == 0
    assert study.learned is not None
    assert (study.learned.affine.alpha == 1).all()


def test_an_interrupted_search_ends_with_the_same_ranking(study: Study, whole: Learned) -> None:
    for dies_after in (3, 9):
        with pytest.raises(KeyboardInterrupt):
            learn(study, SETTINGS, 30, Bowl(dies_after), silent)
    assert study.learned is None
    found = learn(study, SETTINGS, 30, Bowl(), silent)
    assert found["resumed_from"] == 12
    assert study.learned is not None
    assert same(study.learned, whole)


def test_extending_is_the_same_as_searching_longer(study: Study, whole: Learned) -> None:
    learned(study, 11)
    assert same(learned(study, 30), whole)


@pytest.mark.parametrize("damage", ["torn end", "garbage in the middle", "half a number"])
def test_a_damaged_journal_loses_nothing(study: Study, whole: Learned, damage: str) -> None:
    learned(study, 20)
    journal = study.path / "search.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    if damage == "torn end":
        journal.write_bytes(b"".join(lines) + b'{"op_code": 4, "worker')
    elif damage == "garbage in the middle":
        journal.write_bytes(b"".join([*lines[:40], b"\x00\xff garbage\n", *lines[41:]]))
    else:
        journal.write_bytes(b"".join(lines)[:-7])
    assert study.learned is not None  # the slider never needs the journal
    assert same(learned(study, 30), whole)
    assert (study.path / "search.journal.damaged").exists()


def test_mending_leaves_a_whole_journal_alone(study: Study) -> None:
    learned(study, 5)
    before = (study.path / "search.journal").read_bytes()
    assert mend(study.path / "search.journal") == 0
    assert (study.path / "search.journal").read_bytes() == before
    assert all(isinstance(json.loads(line), dict) for line in before.splitlines())


def test_a_foreign_file_is_refused(study: Study) -> None:
    (study.path / "search.journal").write_text('{"a": 1}\n')
    with pytest.raises(StudyError, match="not a search journal"):
        learn(study, SETTINGS, 3, Bowl(), silent)


def test_settings_belong_to_the_search(study: Study) -> None:
    learned(study, 3)
    assert search_settings(study, {"budget": None, "seed": None}) == SETTINGS
    assert search_settings(study, {"budget": 0.47}) == SETTINGS
    with pytest.raises(SettingsError, match=r"begun with --budget 0.47, got 0.3"):
        search_settings(study, {"budget": 0.3})
    with pytest.raises(SettingsError, match="at least 1, got 0"):
        learn(study, SETTINGS, 0, Bowl(), silent)


def test_a_trial_that_was_killed_is_given_out_again(study: Study) -> None:
    learned(study, 4)
    lost = _open(study, SETTINGS).ask()
    again = _open(study, SETTINGS).ask()
    assert lost.number != again.number
    assert lost.user_attrs == again.user_attrs
    assert lost.user_attrs["candidate"] == 4


@pytest.mark.parametrize("asked", [{"budget": 0.0}, {"budget": 1.5}, {"images": 1}, {"seed": -1}])
def test_settings_out_of_range(study: Study, asked: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="must be"):
        search_settings(study, asked)
