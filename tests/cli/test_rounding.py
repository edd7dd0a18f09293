"""New studies round channels, and say so; those that are there stay as they are."""

from pathlib import Path

from legr.ranking.constraints import Constraints
from legr.study.store import Study
from tests.cli.processes import called, refused


def test_a_new_study_rounds_to_eights_unless_told_otherwise(tmp_path: Path, study_path: Path) -> None:
    about = ("--model", "cifar_resnet8", "--weights", "none", "--data", "digits")
    made = called("new", "--study", tmp_path / "usual", *about, "--json")[0]
    study = Study.open(tmp_path / "usual")
    assert made["multiple"] == 8 and study.constraints == Constraints(8)
    kept = study.curve().kept
    assert all((row[row < row[0]] % 8 == 0).all() for row in kept)
    assert made["floor"] == study.curve("identity").floor
    plain = called("new", "--study", tmp_path / "plain", *about, "--multiple", 1, "--json")[0]
    assert plain["multiple"] == 1 and plain["floor"] < made["floor"]
    assert not (tmp_path / "plain" / "shape.json").exists()
    said = called("new", "--study", tmp_path / "sixteen", *about, "--multiple", 16)[0]
    assert "channels are rounded to multiples of 16, which devices like; `shape` changes that" in said
    assert "rounds to multiples of 8, got 4" in refused(
        "learn", "--study", tmp_path / "usual", "--multiple", 4, "--candidates", 1
    )
    assert "multiples of 1, 4, 8, 16, 32, got 5" in refused("new", "--study", tmp_path / "x", *about, "--multiple", 5)
    assert not (tmp_path / "x").exists()
    assert Study.open(study_path).constraints.is_plain  # made without a word about it
