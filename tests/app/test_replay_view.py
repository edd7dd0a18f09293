"""The replay of a search: at every frame what the best candidate so far keeps."""

from pathlib import Path

import numpy as np
import pytest

from legr.charts.replay import MAX_FRAMES, replay_figure, replay_table, thin_out
from legr.ranking.budget import BudgetCurve
from legr.ranking.types import Affine
from legr.search.journal import Journal
from legr.search.replay import Frame, journal_path
from legr.search.types import Proposal
from legr.study.store import Study
from tests.app.conftest import OpenApp
from tests.app.test_job_panel import alive, write_job
from tests.search.candidates import candidate


@pytest.fixture
def study(studies: Path) -> Study:
    return Study.open(studies / "demo")


def frames_of(study: Study, number: int) -> list[Frame]:
    n_layers = len(study.structure.layers)
    rng = np.random.default_rng(0)
    maps = [
        Affine.identity(n_layers),
        *(Affine(np.exp(rng.normal(size=n_layers)), np.zeros(n_layers)) for _ in range(number - 1)),
    ]
    return [Frame(n, 1.0 + n, float(n), 1 - n / 100, 1 - n / 100, affine) for n, affine in enumerate(maps)]


def test_every_frame_is_the_network_of_its_map(study: Study) -> None:
    frames = frames_of(study, 5)
    info = replay_table(study, frames, 0.5)
    for frame, row in zip(frames, info.itertuples(index=False), strict=True):
        curve = BudgetCurve(study.structure, study.ranker.rank(frame.affine))
        assert list(row[3:]) == curve.kept[:, curve.step(macs=0.5)].tolist()
    assert len({tuple(row) for row in info.iloc[:, 3:].to_numpy()}) > 1


def test_a_long_search_is_played_from_its_first_to_its_last(study: Study) -> None:
    frames = thin_out(frames_of(study, 400))
    assert len(frames) == MAX_FRAMES and (frames[0].candidate, frames[-1].candidate) == (0, 399)
    assert [frame.candidate for frame in thin_out(frames_of(study, 3))] == [0, 1, 2]


def test_it_shows_the_end_and_plays_from_the_start(study: Study) -> None:
    info = replay_table(study, frames_of(study, 6), 0.4)
    totals = [layer.total for layer in study.structure.layers]
    figure = replay_figure(info, totals, 1.0)
    assert [frame.name for frame in figure.frames] == [str(number) for number in range(6)]
    narrow = figure.layout.meta["narrow"]
    assert narrow["xaxis"]["domain"] == narrow["xaxis2"]["domain"] == [0, 1]  # one above the other
    assert narrow["yaxis2"]["domain"][1] < narrow["yaxis"]["domain"][0]
    assert list(figure.data[2].y) == info.iloc[-1, 3:].tolist()
    assert list(figure.frames[0].data[1].y) == info.iloc[0, 3:].tolist()
    assert all(
        kept + removed == total for kept, removed, total in zip(figure.data[2].y, figure.data[3].y, totals, strict=True)
    )


def test_a_cancelled_search_beside_a_finished_one(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    assert study.learned
    journal = journal_path(study, study.learned.settings)
    n_layers = len(study.structure.layers)
    for number in range(4):
        Journal(journal).add(
            candidate(Proposal(Affine(np.full(n_layers, 1.0 + number), np.zeros(n_layers))), 1 - number / 10)
        )
    write_job(studies / "demo", "learn", state="cancelled", stage="pass", done=3, total=64)
    at = open_app("learn")
    assert not at.exception
    assert sum("best map so far keeps, at 50 %" in text.value for text in at.markdown) == 1
    write_job(studies / "demo", "learn", state="running", stage="pass", done=3, total=64, created=0.0, **alive())
    at = open_app("learn")  # the search under way, and below it the result that is in use
    assert [text.value.split(":")[0] for text in at.header] == ["The ranking in use"]
    assert sum("best map so far" in text.value for text in at.markdown) == 1
