"""Runs are named and removed: what belongs to a run goes with it, and nothing else."""

import shutil
from pathlib import Path

import pytest

from legr.errors import StudyError
from legr.study.comparison import comparison_name
from legr.study.kept_sets import unpacked
from legr.study.run_names import LONGEST_NAME, name_run, remove_run
from legr.study.scaled import scaled_points
from legr.study.store import Study
from legr.study.supernets import save_supernet, statistics_path, supernets, weights_path
from tests.app.demo_study import add_finetuned, add_sizes, add_supernet, make_study


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It has runs at 50 and at 30 % and a supernet."""
    study = make_study(tmp_path_factory.mktemp("runs") / "demo")
    add_finetuned(study)
    add_finetuned(study, 0.3, 0.9)
    add_supernet(study)
    return study.path


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Study:
    return Study.open(shutil.copytree(made, tmp_path / "demo"))


def test_a_name_is_kept_and_changes_nothing_else(study: Study) -> None:
    before = {run.key: run.to_dict() for run in study.finetuned}
    name_run(study, "run-0.5", "  for the   robot ")
    after = {run.key: run.to_dict() for run in Study.open(study.path).finetuned}
    assert after["run-0.5"] == {**before["run-0.5"], "name": "for the robot"} and after["run-0.3"] == before["run-0.3"]
    name_run(study, "run-0.5", "")
    assert study.finetuned_run("run-0.5").to_dict() == before["run-0.5"]  # type: ignore[union-attr]
    name_run(study, "together", "all")
    assert [run.name for run in supernets(study)] == ["all"]


def test_what_belongs_to_a_run_goes_with_it(study: Study) -> None:
    run = study.finetuned_run("run-0.5")
    assert run is not None
    name = comparison_name(unpacked(run.kept, study.structure.n_units), run)
    for folder in ("compared", "statistics"):
        (study.path / folder).mkdir(exist_ok=True)
        for file in (name, f"{name}-24", "other-pruned"):
            (study.path / folder / f"{file}.safetensors").touch()
    points = study.all_points
    remove_run(study, "run-0.5")
    study = Study.open(study.path)
    assert [run.key for run in study.finetuned] == ["run-0.3"]
    assert not list((study.path / "finetuned").glob("run-0.5*"))
    assert study.all_points == [p for p in points if p.finetuned is None or p.finetuned.key != "run-0.5"]
    assert len(study.all_points) == len(points) - 1
    for folder in ("compared", "statistics"):
        assert [file.name for file in (study.path / folder).iterdir()] == ["other-pruned.safetensors"]


def test_a_supernet_goes_with_its_weights_and_statistics(study: Study) -> None:
    statistics_path(study, "together").touch()
    add_sizes(study, (24,))
    (run,) = supernets(study)
    keep = study.curve().at(macs=0.4)
    for name in (comparison_name(keep, run), comparison_name(keep, run, 24), comparison_name(keep, None)):
        (study.path / "compared").mkdir(exist_ok=True)
        (study.path / "compared" / f"{name}.safetensors").touch()
    (study.path / "along").mkdir()
    (study.path / "along" / f"learned-{run.key}.safetensors").touch()
    assert any(point.supernet == run.key for point in scaled_points(study))
    remove_run(study, "together")
    assert [file.stem for file in (study.path / "compared").iterdir()] == [comparison_name(keep, None)]
    assert not list((study.path / "along").iterdir())
    save_supernet(study, run)  # trained again in the same way it has the same key: nothing of before is its own
    weights_path(study, run.key).touch()
    assert not [point for point in scaled_points(study) if point.supernet]
    remove_run(study, "together")
    assert supernets(study) == [] and len(study.finetuned) == 2
    assert not weights_path(study, "together").exists() and not statistics_path(study, "together").exists()


def test_a_removal_that_was_stopped_is_done_by_removing_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Study, "save_points", stopped)
        with pytest.raises(OSError, match="no space"):
            remove_run(study, "run-0.5")
    assert len(study.finetuned) == 2 and any(point.finetuned for point in study.all_points)
    remove_run(study, "run-0.5")
    assert [run.key for run in study.finetuned] == ["run-0.3"]


def test_what_cannot_be_is_one_sentence(study: Study) -> None:
    with pytest.raises(StudyError, match="has no run 'nothing'; it may have been removed"):
        remove_run(study, "nothing")
    with pytest.raises(StudyError, match=r"has no run '\.\./points'"):
        name_run(study, "../points", "a")
    for name in ("x" * (LONGEST_NAME + 1), "bell\x07"):
        with pytest.raises(StudyError, match="at most 60 printable characters"):
            name_run(study, "run-0.5", name)
    sample = study.mark_as_sample()
    for change in (lambda: remove_run(sample, "run-0.5"), lambda: name_run(sample, "run-0.5", "a")):
        with pytest.raises(StudyError, match="sample"):
            change()
    assert len(sample.finetuned) == 2
