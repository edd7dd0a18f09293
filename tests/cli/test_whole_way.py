"""From a model to an exported network, by the commands alone; the first and the last as processes."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

import legr
from legr.jobs.records import list_jobs
from legr.requests.export import ExportRequest
from legr.study.store import Study
from tests.cli.processes import ROOT, called, learn, run

pytestmark = pytest.mark.slow


def test_the_whole_way_on_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("legr.commands.timing._TURNS", 1)
    monkeypatch.setattr("legr.commands.timing._FURTHER_TURNS", 1)
    study = tmp_path / "digits"
    made, said = run(
        "new", "--study", study, "--model", "cifar_resnet8", "--weights", "none", "--data", "digits", "--json"
    )
    assert made["layers"] == 7
    assert made["self_check"] < 1e-12
    assert "proving that zeroed = removed" in said

    shown, _ = called("show", "--study", study, "--macs", 0.5, "--json")
    assert shown["ranking"] == "identity"
    assert shown["macs"] <= 0.5 * made["macs"]

    found, said = called(*learn(study, "--candidates", 6))
    assert set(found) == {"candidates", "resumed_from", "passes", "identity_loss", "best_loss", "seconds"}
    assert (found["candidates"], found["resumed_from"]) == (6, 0)
    assert found["best_loss"] <= found["identity_loss"]
    assert "pass 6 of 6" in said
    again, _ = called(*learn(study, "--candidates", 6))
    assert again == {**found, "resumed_from": 6}
    longer, _ = called(*learn(study, "--candidates", 8))
    assert (longer["candidates"], longer["resumed_from"]) == (8, 6)
    assert called("show", "--study", study, "--json")[0]["ranking"] == "learned"

    original, _ = called("evaluate", "--study", study, "--json")
    assert (original["recalibrated"], original["finetuned"], original["images"]) == (False, False, len_of_test_digits())

    measured, said = called("measure", "--study", study, "--budgets", "0.5", "0.3", "--json")
    assert measured["measured"] == 1 + 2 * 3
    assert called("measure", "--study", study, "--budgets", "0.5", "--json")[0]["measured"] == 0

    tuned, said = called("finetune", "--study", study, "--macs", 0.5, "--epochs", 2, "--json")
    losses = [epoch.loss for epoch in Study.open(study).finetuned[0].curve]
    assert losses[1] < losses[0]
    assert "epoch 2 of 2" in said
    assert Path(tuned["weights"]).is_file()
    timed = [tuned["latency"], *(point["latency"] for point in measured["points"])]
    assert {(latency["runtime"], latency["threads"], latency["batch"]) for latency in timed} == {
        (f"ONNX Runtime {onnxruntime.__version__}", 1, 1)
    }
    scored, _ = called("evaluate", "--study", study, "--macs", 0.5, "--json")
    assert scored["finetuned"]
    assert scored["top1"] == tuned["top1"]
    plain, _ = called("evaluate", "--study", study, "--macs", 0.5, "--no-finetuned", "--json")
    assert plain["top1"] == tuned["top1_before"]
    assert not called("evaluate", "--study", study, "--macs", 0.5, "--ranking", "uniform", "--json")[0]["finetuned"]

    listed, _ = called("jobs", "--study", study, "--json")
    assert [job["state"] for job in listed["jobs"]] == ["done"] * len(listed["jobs"])
    assert {job["kind"] for job in listed["jobs"]} == {"learn", "measure", "finetune"}
    check_export(study, tmp_path / "out", tuned["top1"])


def len_of_test_digits() -> int:
    from legr.data.load import load_dataset

    return len(load_dataset("digits").test)


def check_export(study: Path, out: Path, top1: float) -> None:
    found, _ = run("export", "--study", study, "--macs", 0.5, "--out", out, "--json")
    assert found["finetuned"]
    assert (found["opset"], found["ir"], found["batch"], found["preprocess"]) == (13, 7, "1", "none")
    assert found["accuracy"]["top1"] == top1
    (job,) = (job for job in list_jobs(Study.open(study)) if isinstance(job.request, ExportRequest))
    asked = job.request.run, job.request.ranking  # so it is, however long it waits
    assert asked == (Study.open(study).finetuned[0].key, "learned")
    assert found["top1_agreement"] == 1.0
    assert found["images"] >= 1000
    assert found["max_abs_diff"] < 1e-3

    network = legr.rebuild(found["recipe"])
    inputs = torch.randn(5, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    session = onnxruntime.InferenceSession(found["onnx"], providers=["CPUExecutionProvider"])
    for image in inputs.split(1):
        logits = session.run(None, {"images": image.numpy()})[0]
        assert np.abs(logits - network(image).detach().numpy()).max() < 1e-4
    recipe = json.loads(Path(found["recipe"]).read_text())
    assert recipe["finetuned"]["top1"] == top1
    assert sum(p.numel() for p in network.parameters()) == recipe["params"] == found["params"]

    names = {entry.filename for entry in zipfile.ZipFile(found["zip"]).infolist()}
    beside = {"README.txt", "labels.txt", "input.json", "predict.py"}
    assert names == {"network.onnx", "network.safetensors", "recipe.json"} | beside
    places = {str(ROOT), str(out.parent), str(Path.home()), os.path.dirname(torch.__file__), sys.prefix}
    for name in names:
        content = (out / name).read_bytes()
        for place in places:
            assert place.encode() not in content, (name, place)
    proto = onnx.load(found["onnx"])
    assert not any(node.metadata_props or node.doc_string for node in proto.graph.node)

    check_program(study, out)
    weights = out / "network.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    with pytest.raises(legr.ExportError, match="not the file that recipe"):
        legr.rebuild(found["recipe"])


def check_program(study: Path, out: Path) -> None:
    """The program in the zip says what `look` says."""
    picture = out / "picture.png"
    Image.effect_mandelbrot((70, 40), (-3, -2.5, 2, 2.5), 100).convert("RGB").save(picture)
    seen, _ = called("look", "--study", study, "--macs", 0.5, "--image", picture, "--json")
    command = [sys.executable, out / "predict.py", picture]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert said[1::2] == [prediction["name"] for prediction in seen["pruned"]]
    probabilities = [prediction["probability"] for prediction in seen["pruned"]]
    assert list(map(float, said[::2])) == pytest.approx(probabilities, abs=1e-4)
