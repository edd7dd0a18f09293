"""A search read from its journal: the same candidates, also while a line is being written."""

from pathlib import Path

import numpy as np

from legr.ranking.types import Affine
from legr.search.journal import Journal
from legr.search.replay import frames
from legr.search.types import Proposal
from tests.search.candidates import candidate


def fill(path: Path, values: list[float]) -> Journal:
    journal = Journal(path)
    for number, value in enumerate(values):
        affine = Affine(np.full(3, 1.0 + number), np.zeros(3))
        journal.add(candidate(Proposal(affine), value))
    return journal


def test_it_tells_the_best_so_far(tmp_path: Path) -> None:
    path = tmp_path / "one.journal"
    journal = fill(path, [1.0, 0.8, 0.9, 0.7])
    replay = frames(path)
    assert [frame.best for frame in replay] == [1.0, 0.8, 0.8, 0.7]
    assert [frame.affine.alpha[0] for frame in replay] == [1.0, 2.0, 2.0, 4.0]
    assert replay[-1].passes == sum(c.passes for c in journal.finished)


def test_a_line_that_is_not_whole_yet_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "one.journal"
    fill(path, [1.0, 0.8, 0.9])
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert len(frames(path)) == 2
    assert path.read_bytes() == whole[:-20]
    assert frames(tmp_path / "none.journal") == []
