"""A sample answers and is exported as it was measured, also where its images are not."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from legr.commands.export import export
from legr.files import write_json
from legr.progress import silent
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.study.catalog import SAMPLES, note_of
from legr.study.json_file import FORMAT
from legr.study.store import Study
from samples.publish import publish


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A copy of the sample with a few of its networks."""
    study = Study.open(SAMPLES / "digits-resnet20").copy_to(tmp_path / "study")
    study.save_points([point for point in study.points if point.ranking == "original" or point.budget in (0.4, 0.3)])
    shutil.rmtree(study.path / "statistics")  # those of the sample were made with other threads
    (study.path / "jobs").mkdir()
    (study.path / "jobs" / "mine.json").write_text("{}")
    return study


@pytest.mark.slow
@pytest.mark.usefixtures("without_onnx")
def test_a_sample_goes_without_its_images(study: Study, tmp_path: Path) -> None:
    tuned = {point.budget for point in study.points if point.finetuned}
    measured = (p for p in study.points if p.ranking == "learned-ms" and p.recalibrated and p.budget not in tuned)
    budget = Budget(macs=next(measured).budget)
    with_images = export(study, ExportRequest(budget, tmp_path / "with"), silent)
    assert with_images.recalibrated

    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "old.txt").write_text("of the sample before")
    publish(study, tmp_path / "sample", "A note.")
    sample = Study.open(tmp_path / "sample")
    assert (sample.info.sample, sample.info.name, note_of(sample)) == (True, "sample", "A note.")
    assert not (sample.path / "jobs").exists() and not (sample.path / "old.txt").exists()
    assert sample.points == study.points

    write_json(sample.path / "study.json", {"format": FORMAT, **sample.info.to_dict(), "data_fingerprint": "elsewhere"})
    found = export(Study.open(sample.path), ExportRequest(budget, tmp_path / "without"), silent)
    assert found.recalibrated and found.checked_on != with_images.checked_on
    weights, expected = load_file(found.weights), load_file(with_images.weights)
    assert weights.keys() == expected.keys()
    assert not {name for name in weights if not torch.equal(weights[name], expected[name])}


def test_the_sample_before_stays_where_publishing_fails(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError("no space left on device")

    out = SAMPLES / "digits-resnet20"
    before = shutil.copytree(out, tmp_path / "sample")
    monkeypatch.setattr("samples.publish.save_note", full)
    monkeypatch.setattr("samples.publish._keep_statistics", lambda study: None)
    with pytest.raises(OSError, match="no space"):
        publish(study, before, "A note.")
    assert sorted(p.name for p in before.iterdir()) == sorted(p.name for p in out.iterdir())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sample", "study"]
