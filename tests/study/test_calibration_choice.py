"""The images that batch norms are recalibrated on, as a study keeps them; figures of other images do not mix."""

from dataclasses import replace
from pathlib import Path

import pytest

from legr.errors import StudyError
from legr.study.calibration_choice import (
    CalibrationChoice,
    JudgedDifference,
    JudgedNetwork,
    calibration_words,
    needs_choice,
    read_choice,
    write_choice,
)
from legr.study.known import known_networks, measured_points
from legr.study.records import Point
from legr.study.store import Study
from legr.training.calibration import CALIBRATIONS, PLAIN, Calibration

CHOICE = CalibrationChoice(
    images="augmented",
    border="black",
    heldout_images=1000,
    heldout_seen=True,
    networks=(JudgedNetwork(0.5, {"given": 0.196, "plain": 0.334, "augmented": 0.342, "both": 0.341}),),
    differences={"given": JudgedDifference(-0.138, 0.013), "augmented": JudgedDifference(0.023, 0.005)},
    deviations={"mean": 0.02, "black": 0.003},
)
POINT = Point("identity", "", 0.5, 100, 10, 0.5, 0.33, 2.0, 1000, True, None, keep_id="a" * 12)


@pytest.fixture
def study(study_path: Path) -> Study:
    return Study.open(study_path).with_info(weights_origin="elsewhere")


def test_a_choice_is_read_again(study: Study) -> None:
    assert read_choice(study.path) is None and study.calibration == PLAIN
    write_choice(study.path, CHOICE)
    assert read_choice(study.path) == CHOICE
    assert study.calibration == Calibration("augmented", "black")


@pytest.mark.parametrize("calibration", CALIBRATIONS, ids=lambda calibration: calibration.key)
def test_a_calibration_is_named_by_its_key(calibration: Calibration) -> None:
    assert Calibration.of(calibration.key) == calibration


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"recalibrated on one of plain, given, .*, got 'noise'"):
        Calibration.of("noise")


def test_a_damaged_choice_is_one_sentence(study: Study) -> None:
    (study.path / "statistics_choice.json").write_text('{"images": "noise"}')
    with pytest.raises(StudyError, match=r"statistics_choice.json cannot be read .*images.*; restore the file, or"):
        _ = study.calibration


def test_a_choice_is_made_for_a_study_without_figures(study: Study) -> None:
    assert needs_choice(study.path, study.info)
    assert calibration_words(study.path, study.info) == (
        "images that are chosen when a network is evaluated for the first time"
    )
    for changes in ({"sample": True}, {"weights_origin": "none"}):
        assert not needs_choice(study.path, replace(study.info, **changes))
    write_choice(study.path, CHOICE)
    assert not needs_choice(study.path, study.info)


@pytest.mark.parametrize(
    "measured", ["points.json", "finetuned/a-b.json", "compared/a-b.safetensors", "statistics/a-b.safetensors"]
)
def test_what_an_earlier_version_measured_with_plain_images_stays_with_them(study: Study, measured: str) -> None:
    path = study.path / measured
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert not needs_choice(study.path, study.info) and study.calibration == PLAIN
    assert "as in earlier versions" in calibration_words(study.path, study.info)


def test_a_choice_says_why() -> None:
    assert CHOICE.words == (
        "augmented training images (cropped from a border of black), on 1,000 held-out images at 1 budget 2.3 points "
        "better than plain ones (standard error 0.5)"
    )
    assert replace(CHOICE, images="plain", border="mean").words == (
        "plain training images, as on 1,000 held-out images at 1 budget nothing else is better by more than the noise"
    )


def test_points_of_other_images_are_not_shown_beside(study: Study) -> None:
    before = POINT  # of an earlier version, which noted nothing
    after = replace(POINT, calibration="augmented-black", top1=0.34)
    original = replace(POINT, ranking="original", budget=1.0, keep_id="b" * 12)
    for point in (before, after, original):
        study.add_point(point)
    assert study.points == [before, original]
    assert [p.keep_id for p in measured_points(study)] == [before.keep_id, original.keep_id]
    write_choice(study.path, CHOICE)
    assert study.points == [after, original]
    assert known_networks(measured_points(study), [])[POINT.keep_id].top1_before == 0.34
    assert study.all_points == [before, after, original]  # and nothing is lost
