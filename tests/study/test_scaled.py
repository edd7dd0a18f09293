"""Points with images of other heights: kept with the study, read back, and not shown once their ranking is another."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from legr.errors import StudyError
from legr.ranking.constraints import Constraints
from legr.study.latency import Latency
from legr.study.left_out import left_out
from legr.study.scaled import SCALED, ScaledPoint, add_scaled, read_scaled, scaled_points
from legr.study.store import Study
from legr.study.supernets import SupernetPoint, SupernetRun, save_supernet, weights_path
from legr.training.supernet_settings import SupernetSettings

HERE = Latency(1.5, "PyTorch", "cpu", 1, 1, "Robot")
POINT = ScaledPoint("identity", "", "a" * 12, 24, "", 50, 9, 0.5, 0.8, 0.7, 10, True, "plain", HERE)


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path)


def test_a_point_is_read_back_and_takes_the_place_of_its_like(study: Study) -> None:
    smaller, slower = replace(POINT, height=20), replace(POINT, latency=replace(HERE, threads=2))
    add_scaled(study, [POINT, smaller])
    add_scaled(study, [slower])
    assert scaled_points(study) == [POINT, smaller, slower]
    add_scaled(study, [better := replace(POINT, top1=0.9)])
    assert scaled_points(study) == [smaller, slower, better]


def test_points_of_another_ranking_supernet_or_recalibration_are_not_shown(study: Study) -> None:
    shared = replace(POINT, supernet="abc")
    others = [replace(POINT, ranking_id="before"), replace(POINT, calibration="augmented-black")]
    add_scaled(study, [POINT, shared, *others, replace(POINT, ranking="learned")])
    assert scaled_points(study) == [POINT]  # nothing was learned, and there is no supernet
    network = SupernetPoint("a" * 12, 100, 9, 0.5, 32, 0.8, 0.7, 10)
    save_supernet(study, SupernetRun("abc", "identity", "", 0.5, SupernetSettings(), 0.5, 1, 9.0, "plain", (network,)))
    weights_path(study, "abc").touch()
    assert scaled_points(study) == [POINT, shared]
    study.save_constraints(Constraints(multiple=4))
    assert scaled_points(study) == []
    study.save_constraints(Constraints())
    assert scaled_points(study) == [POINT, shared]


def test_a_damaged_point_hides_itself_and_is_kept_beside(study: Study) -> None:
    add_scaled(study, [POINT, replace(POINT, height=20)])
    path = study.path / SCALED
    stored = json.loads(path.read_text())
    stored["points"][0]["top1"] = 7
    path.write_text(json.dumps(stored))
    assert [point.height for point in scaled_points(study)] == [20]
    assert left_out(study) == [f"{study.path.name}/scaled.json: points[0].top1 must be at most 1, got 7"]
    add_scaled(study, [POINT])
    assert json.loads(path.with_name("scaled.json.damaged").read_text()) == stored
    path.write_text('{"format": 1, "torn')
    assert read_scaled(study.path)[0] == [] and "scaled.json cannot be read (" in left_out(study)[0]


def test_a_sample_gets_no_points(study: Study) -> None:
    with pytest.raises(StudyError, match="is a sample and stays as it is"):
        add_scaled(study.mark_as_sample(), [POINT])
