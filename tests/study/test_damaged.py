"""Damaged records of a study hide themselves and are said; parts of another network are said to be so."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from legr.errors import StudyError
from legr.ranking.constraints import UNCONSTRAINED, Constraints
from legr.study.left_out import left_out, left_out_line
from legr.study.store import Study

WRITTEN = Path(__file__).parent / "format_0_1"
KEY = "f4ebfb3d2c30-73e1f92a"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    shutil.copytree(WRITTEN, tmp_path / "mine")
    (tmp_path / "mine" / "finetuned" / f"{KEY}.safetensors").touch()
    return Study.open(tmp_path / "mine")


def edit(path: Path, change: Any) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_a_damaged_point_hides_itself_and_is_kept_aside(study: Study) -> None:
    path = study.path / "points.json"
    whole = study.all_points
    edit(path, lambda data: data["points"][1].update(top1=7, macs=2**60))
    assert study.all_points == [whole[0], *whole[2:]]
    assert left_out(study) == ["mine/points.json: points[1].macs must be at most 9.0072e+15, got 1152921504606846976"]
    assert left_out_line(study) == f"left out, as damaged: {left_out(study)[0]}"
    damaged = path.read_bytes()
    study.add_point(whole[0])
    assert path.with_name("points.json.damaged").read_bytes() == damaged
    assert left_out(study) == [] and left_out_line(study) == ""


@pytest.mark.parametrize("torn", [b"", b'{"format": 1, "points": [{"rank', b"\xff\xfe"])
def test_torn_points_hide_themselves_and_are_kept_aside(study: Study, torn: bytes) -> None:
    path, (first, *_) = study.path / "points.json", study.all_points
    path.write_bytes(torn)
    assert study.all_points == study.points == []
    (said,) = left_out(study)
    assert said.startswith("mine/points.json cannot be read (") and left_out_line(study).endswith(said)
    study.add_point(first)
    assert study.all_points == [first] and left_out(study) == []
    assert path.with_name("points.json.damaged").read_bytes() == torn
    path.write_text('{"format": 99, "points": []}')
    with pytest.raises(StudyError, match="newer version"):
        study.add_point(first)  # it is whole, and stays


def test_a_damaged_run_hides_itself(study: Study) -> None:
    path = study.path / "finetuned" / f"{KEY}.json"
    edit(path, lambda data: data.update(heldout_top1="x"))
    (study.path / "finetuned" / "other.json").write_text(json.dumps(json.loads(path.read_text()) | {"heldout_top1": 1}))
    (study.path / "finetuned" / "third.json").mkdir()
    assert study.finetuned == []
    first, second, third = left_out(study)
    assert "heldout_top1 must be a number, got 'x'); restore the file" in first
    assert f"it is the record of another run, {KEY}" in second and "third.json cannot be read" in third
    assert left_out_line(study).endswith("; and 1 more")


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), os.mkfifo, Path.mkdir])
def test_a_damaged_comparison_is_said(study: Study, damage: Callable[[Path], object]) -> None:
    (study.path / "compared").mkdir()
    damage(study.path / "compared" / "a-pruned.safetensors")
    (sentence,) = left_out(study)
    assert "mine/compared/a-pruned.safetensors cannot be read" in sentence


@pytest.mark.parametrize(
    "command", ["legr finetune 'x", "legr finetune --macs", "legr finetune --macs x", "legr finetune --macs 7"]
)
def test_a_command_that_cannot_be_read_hides_no_run(study: Study, command: str) -> None:
    edit(study.path / "finetuned" / f"{KEY}.json", lambda data: data["made"].update(command=command))
    (run,) = study.finetuned
    assert run.budget is None and run.provenance.command == command


def test_a_ranking_of_another_network_is_said(study: Study) -> None:
    edit(study.path / "ranking.json", lambda data: data["layers"].__setitem__(0, "stem"))
    with pytest.raises(StudyError, match=r"mine/ranking.json cannot be read \(its layers are those of another network"):
        study.curve("learned")
    assert study.curve("identity").floor > 0
    edit(study.path / "ranking.json", lambda data: data["alpha"].pop())
    with pytest.raises(StudyError, match="layers, alpha and kappa differ in length"):
        _ = study.learned


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"pins": {"stem": 3}}, "there is no layer 'stem'"),
        ({"pins": {"conv1": 10**6}}, r"must be in \[1, \d+\], the channels it has, got 1000000"),
        ({"multiple": 3}, "multiples of 1, 4, 8, 16, 32, got 3"),
        ({"excluded": "conv1"}, "excluded must be a list"),
        ({"floors": {"conv1": 2.5}}, "floors.conv1 must be a whole number, got 2.5"),
    ],
)
def test_a_shape_that_the_network_cannot_have_names_its_file_and_can_be_cleared(
    study: Study, shape: dict[str, Any], words: str
) -> None:
    edit(study.path / "shape.json", lambda data: data.update(shape))
    with pytest.raises(StudyError, match=rf"mine/shape.json cannot be read \(.*{words}"):
        study.curve()
    study.save_constraints(UNCONSTRAINED)
    assert study.constraints == Constraints() and study.curve().floor > 0


def test_a_structure_of_another_network_than_the_weights_is_said(study: Study) -> None:
    shapes = Study.open(study.path).structure.shapes
    weights = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    for changed, words in (
        ({"conv1.weight": np.zeros((99, 3, 3, 3), np.float32)}, r"conv1.weight has shape \[99, 3, 3, 3\] in it"),
        (None, "no parameter of structure.json is in it"),
    ):
        content = {"stem": np.zeros(1)} if changed is None else weights | changed
        save_file(content, study.weights_path)
        with pytest.raises(StudyError, match=rf"mine/structure.json is of another network .*{words}"):
            _ = Study.open(study.path).structure
    save_file(weights, study.weights_path)
    assert Study.open(study.path).structure.n_units == study.structure.n_units


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pruned_to": "x"}, "pruned_to must be a number"),
        ({"all_classes": [1]}, r"all_classes\[0\] must be a text, got 1"),
        ({"data_fingerprint": {}}, "data_fingerprint must be a text"),
        ({"input_shape": [3, 0, 3]}, r"input_shape\[1\] must be at least 1, got 0"),
        ({"num_classes": 10**9}, "num_classes must be at most 1e"),
        ({"num_classes": 3}, "classes are 10, and num_classes is 3"),
        ({"normalization": {"kind": "dataset", "mean": [0.5] * 3, "std": [0.0] * 3}}, "the std must be 3 numbers"),
    ],
)
def test_what_a_study_is_about_is_checked(study: Study, change: dict[str, Any], words: str) -> None:
    edit(study.path / "study.json", lambda data: data.update(change))
    with pytest.raises(StudyError, match=rf"mine/study.json cannot be read \(.*{words}.*\); restore the file"):
        Study.open(study.path)
