"""The commands report and points: a file, once; never over another that was not to be replaced."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from legr.study.catalog import SAMPLES
from legr.study.store import Study
from legr.study.supernets import supernets
from tests.cli.processes import called, refused

STUDY = SAMPLES / "cifar10_resnet56"


def test_a_report_is_written_once(tmp_path: Path) -> None:
    out = tmp_path / "new" / "r.html"
    result, _ = called("report", "--study", STUDY, "--macs", 0.483, "--out", out, "--json")
    assert result["headline"] == "48 % of the work: 92.6 % instead of 93.0 %, 1.2 instead of 2.4 ms"
    assert result["bytes"] == out.stat().st_size and (result["top1_measured"], result["latency_measured"]) == (1, 1)
    assert [path.name for path in out.parent.iterdir()] == ["r.html"]
    before = out.read_bytes()
    said = refused("report", "--study", STUDY, "--macs", 0.5, "--out", out)
    assert said == "there is a file r.html already; give --replace, or another --out\n"
    assert out.read_bytes() == before
    said, _ = called("report", "--study", STUDY, "--macs", 0.3, "--ranking", "uniform", "--out", out, "--replace")
    assert said.startswith(f"{out}: 28 % of the work, not trained: ~") and out.read_bytes() != before


def test_latencies_are_of_the_device_that_is_named(tmp_path: Path) -> None:
    study = shutil.copytree(SAMPLES / "digits-resnet20", tmp_path / "digits")
    record = json.loads((study / "points.json").read_text(encoding="utf-8"))
    (original,) = [point for point in record["points"] if point["ranking"] == "original"]
    there = original["latency"] | {"machine": "Robot", "milliseconds": 80.0, "threads": 2}
    record["points"].append(original | {"latency": there})
    (study / "points.json").write_text(json.dumps(record), encoding="utf-8")

    def said(*device: str) -> str:
        options = ("--study", study, "--macs", 1, "--out", tmp_path / "r.html", "--replace", *device)
        return str(called("report", *options, "--json")[0]["headline"])

    assert said().endswith(": 100.0 %, 0.42 ms")  # 0.4221
    assert said("--device", "Robot, 2 threads, ONNX Runtime 1.31.1").endswith(": 100.0 %, 80.0 ms")
    (tmp_path / "r.html").unlink()
    refusal = refused("report", "--study", study, "--macs", 1, "--out", tmp_path / "r.html", "--device", "robot")
    names = "'AMD EPYC 26.2, 1 thread, ONNX Runtime 1.31.1'; 'Robot, 2 threads, ONNX Runtime 1.31.1'"
    assert refusal == f"--device must be one of {names}, got 'robot'\n"
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("command", [("report", "--macs", 0.3), ("points",)])
def test_what_is_no_file_is_refused(command: tuple[object, ...], tmp_path: Path) -> None:
    name, *options = command
    for out in ("-", tmp_path):
        said = refused(name, "--study", STUDY, *options, "--out", out, "--replace")
        assert said.startswith("--out takes the name of a file")
    (tmp_path / "file").touch()
    said = refused(name, "--study", STUDY, *options, "--out", tmp_path / "file" / "r.html")
    assert said.startswith("r.html cannot be written: ")


def test_a_budget_below_the_floor_leaves_no_file(tmp_path: Path) -> None:
    assert "floor" in refused("report", "--study", STUDY, "--macs", 0.001, "--out", tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


def test_all_measured_networks_as_a_table(tmp_path: Path) -> None:
    out = tmp_path / "networks.csv"
    result, _ = called("points", "--study", STUDY, "--out", out, "--json")
    table = pd.read_csv(out)
    points = json.loads((STUDY / "points.json").read_text(encoding="utf-8"))["points"]
    networks = {(point["ranking"], point["keep_id"]) for point in points}  # trained or as cut, each once
    for run in supernets(Study.open(STUDY)):
        networks |= {(run.ranking, point.keep_id) for point in run.points if point.macs_fraction < 1}
    assert result == {"table": str(out), "rows": len(table)} and len(table) == len(networks)
    said = refused("points", "--study", STUDY, "--out", out)
    assert said.startswith("there is a file networks.csv already")
