"""A study that version 0.1 wrote: everything is read as it was, and written with the same keys."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from legr.commands.results import ExportResult, FinetuneResult
from legr.data.normalization import Normalization
from legr.jobs import records as jobs
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.requests.train import FinetuneRequest
from legr.study.comparison import list_compared, load_comparison, save_comparison
from legr.study.cuts import load_cuts, save_cuts
from legr.study.latency import Conditions
from legr.study.provenance import Provenance
from legr.study.records import Epoch, FineTuned, FineTuning, SearchSettings
from legr.study.store import Study
from legr.training.settings import TrainSettings

WRITTEN = Path(__file__).parent / "format_0_1"
KEY = "f4ebfb3d2c30-73e1f92a"
MACHINE = {"machine": "Intel(R) Xeon(R) Processor, 1 thread", "torch": "2.14.1+cu130", "python": "3.11.7"}
MEASURED = Provenance("python -m legr measure --study s --budgets 0.5 --batch 1 --threads 1", None, 0.2, **MACHINE)
TUNED = Provenance(
    "python -m legr finetune --study s --macs 0.5 --recipe quick --epochs 1 --ranking identity --half",
    0,
    2.1,
    **MACHINE,
)
ONE_EPOCH = TrainSettings(epochs=1)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "s"
    shutil.copytree(WRITTEN, path)
    (path / "finetuned" / f"{KEY}.safetensors").touch()
    return Study.open(path)


def written(name: str) -> Any:
    return json.loads((WRITTEN / name).read_text())


def test_what_it_is_about(study: Study) -> None:
    info = study.info
    assert (info.name, info.model, info.num_classes, info.input_shape) == ("s", "cifar_resnet8", 10, (3, 16, 16))
    assert info.normalization == Normalization("dataset", (0.305858268983269,) * 3, (0.3190305956833277,) * 3)
    assert info.classes == tuple("0123456789") and info.all_classes == () and info.pruned_to is None
    study.with_info()
    assert json.loads((study.path / "study.json").read_text()) == written("study.json")


def test_its_ranking_and_constraints(study: Study) -> None:
    learned = study.learned
    assert learned is not None
    assert learned.settings == SearchSettings(method="evolution", images=64)
    assert learned.provenance.command.startswith("python -m legr learn --study s ") and learned.provenance.seed == 0
    assert study.constraints == Constraints(8, pins={"layer1.0.conv1": 5})
    kept = dict(zip((x.name for x in study.structure.layers), study.curve().kept.tolist(), strict=True))
    assert set(kept["layer1.0.conv1"]) == {5}
    study.save_learned(learned)
    study.save_constraints(study.constraints)
    for name in ("ranking.json", "shape.json"):
        assert json.loads((study.path / name).read_text()) == written(name)


def test_its_points(study: Study) -> None:
    study.save_constraints(Constraints())  # so that all three belong to the ranking as it is
    original, pruned, tuned = study.points
    assert (original.ranking, original.budget, original.top1, original.images) == ("original", 1.0, 27 / 359, 359)
    assert original.provenance == MEASURED and not original.recalibrated and pruned.recalibrated
    assert pruned.latency is not None and pruned.latency.contended and pruned.latency.milliseconds == 0.9609
    conditions = Conditions("PyTorch 2.14.1", "cpu", 1, 1, "Intel(R) Xeon(R) Processor")
    assert pruned.latency.conditions == conditions
    assert str(conditions) == "PyTorch 2.14.1, Intel(R) Xeon(R) Processor, 1 thread, batch 1"
    assert (pruned.finetuned, tuned.finetuned) == (None, FineTuning(KEY, 1, ONE_EPOCH))
    assert tuned.provenance == TUNED
    study.save_points(study.points)
    again = json.loads((study.path / "points.json").read_text())
    # New: noted as the constraints changed. The run has it in its key; the other has the same budget.
    assert [point.pop("keep_id") for point in again["points"]][1:] == ["f4ebfb3d2c30"] * 2
    assert again == written("points.json")


def test_its_fine_tuning_run(study: Study) -> None:
    (run,) = study.finetuned
    assert (run.key, run.keep_id, run.ranking, run.epochs, run.seconds) == (KEY, "f4ebfb3d2c30", "identity", 1, 2.1)
    assert run.settings == ONE_EPOCH and run.provenance == TUNED
    (epoch,) = written(f"finetuned/{KEY}.json")["curve"]
    assert run.curve == (Epoch(**epoch),)
    assert run.half and run.budget == Budget(macs=0.5)  # of the command
    study.save_finetuned(run)
    again = json.loads((study.path / "finetuned" / f"{KEY}.json").read_text())
    assert (again.pop("half"), again.pop("budget")) == (True, {"macs": 0.5})  # new
    assert again == written(f"finetuned/{KEY}.json")
    assert study.finetuned == [run]


def test_a_run_that_was_not_rounded(study: Study) -> None:
    data = written(f"finetuned/{KEY}.json")
    run = FineTuned.from_dict({**data, "made": {"command": "python -m legr finetune --study s --weight-mb 0.1"}})
    assert not run.half and run.budget == Budget(weight_mb=0.1)
    assert FineTuned.from_dict({**data, "made": {}}).budget is None


def test_its_jobs(study: Study) -> None:
    finetune = jobs.load(study, "finetune-20261129-105649-b86f")
    assert finetune.request == FinetuneRequest(
        Budget(macs=0.5), epochs=1, ranking="identity", half=True, network="f4ebfb3d2c30"
    )
    weights = f"/home/me/studies/s/finetuned/{KEY}.safetensors"
    assert FinetuneResult.from_dict(finetune.result) == FinetuneResult(
        0.4968461144338952, 39 / 359, 38 / 359, 1, 2.1, weights
    )
    export = jobs.load(study, "export-20261129-105657-ca3f")
    assert export.request == ExportRequest(Budget(macs=0.5), Path("/home/me/out"), network="f4ebfb3d2c30")
    result = ExportResult.from_dict(export.result)
    assert (result.zip, result.images, result.checked_on) == ("/home/me/out/cifar_resnet8-50pct.zip", 1024, "digits")
    assert result.to_dict() == export.result
    assert {job.kind for job in jobs.list_jobs(study)} == {"finetune", "export", "learn"}


def test_its_cuts(study: Study, tmp_path: Path) -> None:
    pruned = Study.open(study.path / "pruned")
    plan = load_cuts(pruned)
    assert plan is not None and pruned.info.pruned_to == pytest.approx(0.4968, abs=1e-4)
    save_cuts(tmp_path, plan)
    assert json.loads((tmp_path / "cuts.json").read_text()) == written("pruned/cuts.json")


def test_a_comparison(study: Study) -> None:
    network = (
        '{"ranking": "identity", "macs_fraction": 0.5, "keep_id": "f4ebfb3d2c30", "finetuned": false, '
        '"recalibrated": true}'
    )
    labels, classes = np.array([3, 1], np.int32), np.array([[3, 1], [1, 3]], np.int32)
    shares = np.array([[0.75, 0.25], [0.5, 0.25]], np.float32)
    folder = study.path / "compared"
    folder.mkdir()
    original = {"labels": labels, "classes": classes, "probabilities": shares}
    pruned = {"classes": classes[::-1].copy(), "probabilities": shares}
    pruned |= {"numbers": np.array([0, 1], np.int32), "pictures": np.zeros((2, 3, 4, 4), np.uint8)}
    save_file(original, folder / "original.safetensors")
    save_file(pruned, folder / "a-pruned.safetensors", {"network": network})
    comparison = load_comparison(study, "a-pruned")
    assert comparison is not None
    assert comparison.network.to_dict() == json.loads(network)
    assert comparison.counts() == {"both": 0, "only_original": 2, "only_pruned": 0, "neither": 0}
    save_comparison(study, "b-pruned", replace(comparison))
    assert list_compared(study) == [comparison.network] * 2
