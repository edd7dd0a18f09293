"""The table of all measured networks: a row a network and condition, every cell by hand."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from legr.charts.cells import csv_of
from legr.charts.measurements import Measurements
from legr.charts.networks import COLUMNS, networks_table
from legr.study.latency import Latency
from legr.study.records import FineTuning, Point
from legr.study.sized import SizedNetwork
from legr.study.store import Study
from legr.study.supernets import SupernetPoint, SupernetRun
from legr.training.settings import TrainSettings

STUDY = cast(Study, SimpleNamespace(path=SimpleNamespace(name="demo"), info=SimpleNamespace(model="net")))
HERE = Latency(1.23456, "PyTorch 2.14.1", "cpu", 2, 1, machine="Here", quartiles=(1.2, 1.30085))
THERE = Latency(0.5, "PyTorch 2.14.1", "cuda", 1, 64, machine="There", contended=True)
TUNED = FineTuning.of("run-a", TrainSettings(seed=7), 3)


def point(ranking: Any, macs: int, top1: float, latency: Latency | None, **facts: Any) -> Point:
    made = Point(
        ranking, "", macs / 1000, macs, 10 * macs, macs / 1000, top1, 1.0, 1000, ranking != "original", latency
    )
    return replace(made, keep_id=f"k{macs}", **facts)


POINTS = [
    point("original", 1000, 0.9, HERE),
    point("original", 1000, 0.9, THERE),
    point("learned", 300, 0.512345678, HERE, ranking_id="ab12"),
    point("learned", 300, 0.512345678, THERE, ranking_id="ab12"),
    point("identity", 300, 0.512345678, HERE),
    point("learned", 300, 0.81, None, finetuned=TUNED),
    point("uniform", 500, 0.7, None),
]


def test_one_row_a_network_and_condition() -> None:
    table = networks_table(STUDY, Measurements(POINTS, height=8))
    assert tuple(table.columns) == COLUMNS
    assert table[["network", "machine"]].fillna("").to_numpy().tolist() == [
        ["k300", "Here"], ["k300", "There"], ["k500", ""], ["k1000", "Here"], ["k1000", "There"]
    ]  # fmt: skip
    assert table.loc[0].to_dict() == {
        "study": "demo", "model": "net", "network": "k300", "ranking": "learned identity", "ranking_id": "ab12",
        "today": True, "macs": 300, "macs_fraction": 0.3, "params": 3000, "size_mb": 0.012, "latency_ms": 1.235,
        "latency_first_quartile_ms": 1.2, "latency_third_quartile_ms": 1.301, "contended": False, "unsteady": False,
        "machine": "Here", "device": "cpu", "runtime": "PyTorch 2.14.1", "threads": 2, "batch": 1,
        "top1_as_cut": 0.51235, "top1_trained": 0.81, "images": 1000, "recalibrated": True, "calibration": "plain",
        "run": "run-a", "runs": 1, "epochs": 3, "seed": 7, "top1_together": None, "supernet": None, "height": 8,
    }  # fmt: skip
    assert table.loc[1, ["latency_ms", "contended", "batch"]].tolist() == [0.5, True, 64]
    assert table.loc[1, ["latency_first_quartile_ms", "unsteady"]].isna().tolist() == [True, False]  # not noted
    assert table["ranking"].tolist()[2:] == ["uniform", "original", "original"]


def test_as_a_file_what_is_not_known_is_empty_and_counts_are_whole() -> None:
    header, first, _, untimed, *_ = csv_of(networks_table(STUDY, Measurements(POINTS, height=8))).splitlines()
    assert header == ",".join(COLUMNS)
    assert first.endswith(",2,1,0.51235,0.81,1000,True,plain,run-a,1,3,7,,,8")
    assert untimed == "demo,net,k500,uniform,,True,500,0.5,5000,0.02,,,,,,,,,,,0.7,,1000,True,plain,,0,,,,,8"


def test_networks_of_an_earlier_ranking_are_marked() -> None:
    gone = point("learned", 400, 0.6, HERE, finetuned=TUNED)
    table = networks_table(STUDY, Measurements([gone], earlier=[point("learned", 450, 0.6, HERE)], leads={"k400": ()}))
    assert table[["network", "today"]].to_numpy().tolist() == [["k400", False], ["k450", False]]


def test_a_network_of_an_earlier_version_without_a_kept_set_has_its_row() -> None:
    table = networks_table(STUDY, Measurements([replace(POINTS[6], keep_id=""), replace(POINTS[2], keep_id="")]))
    assert table["macs"].tolist() == [300, 500] and table["network"].tolist() == ["", ""]
    assert networks_table(STUDY, Measurements([])).empty


def test_networks_of_a_supernet_have_its_accuracy_and_rows_of_their_own() -> None:
    own = [SupernetPoint(f"k{macs}", macs, 10 * macs, macs / 1000, 8, top1, 1.0, 1000)
           for macs, top1 in ((1000, 0.9), (300, 0.8), (200, 0.7))]  # fmt: skip
    supernet = SupernetRun("s", "learned", "ab12", 0.2, None, 0.8, 3, 9.0, "plain", points=tuple(own))
    table = networks_table(STUDY, Measurements(POINTS, supernets={"learned": supernet}, height=8))
    named = table[["network", "machine", "top1_together", "supernet"]].astype(object)
    assert named.where(named.notna(), "").to_numpy().tolist() == [
        ["k200", "", 0.7, "s"], ["k300", "Here", 0.8, "s"], ["k300", "There", 0.8, "s"],
        ["k500", "", "", ""], ["k1000", "Here", "", ""], ["k1000", "There", "", ""],
    ]  # fmt: skip
    alone = table.loc[0].dropna().to_dict()
    assert alone == {
        "study": "demo", "model": "net", "network": "k200", "ranking": "learned", "ranking_id": "ab12", "today": True,
        "macs": 200, "macs_fraction": 0.2, "params": 2000, "size_mb": 0.008, "images": 1000, "recalibrated": True,
        "calibration": "plain", "runs": 0, "top1_together": 0.7, "supernet": "s", "height": 8,
    }  # fmt: skip


def test_each_size_of_images_has_rows_of_its_own() -> None:
    facts = 150, 3000, 0.3, 0.6, 1000
    shared = SizedNetwork("learned", "k300", 6, "s", *facts, (HERE, THERE), ranking_id="ab12")
    cut = SizedNetwork("learned", "k300", 4, "", *facts, ranking_id="ab12", calibration="augmented-black")
    table = networks_table(STUDY, Measurements(POINTS, height=8, sized=[shared, cut]))
    named = table[["macs", "network", "height", "machine", "top1_as_cut", "top1_together"]].astype(object)
    assert named.where(named.notna(), "").to_numpy().tolist()[:5] == [
        [150, "k300", 4, "", 0.6, ""],
        [150, "k300", 6, "Here", "", 0.6],
        [150, "k300", 6, "There", "", 0.6],
        [300, "k300", 8, "Here", 0.51235, ""],
        [300, "k300", 8, "There", 0.51235, ""],
    ]
    assert table.loc[1].dropna().to_dict() == {
        "study": "demo", "model": "net", "network": "k300", "ranking": "learned", "ranking_id": "ab12", "today": True,
        "macs": 150, "macs_fraction": 0.3, "params": 3000, "size_mb": 0.012, "latency_ms": 1.235,
        "latency_first_quartile_ms": 1.2, "latency_third_quartile_ms": 1.301, "contended": False, "unsteady": False,
        "machine": "Here", "device": "cpu", "runtime": "PyTorch 2.14.1", "threads": 2, "batch": 1, "images": 1000,
        "recalibrated": True, "calibration": "plain", "runs": 0, "top1_together": 0.6, "supernet": "s", "height": 6,
    }  # fmt: skip
    assert table.loc[0, ["calibration", "supernet"]].fillna("").tolist() == ["augmented-black", ""]


def test_a_network_of_a_supernet_has_the_latencies_that_were_taken_of_it() -> None:
    point = SupernetPoint("k200", 200, 2000, 0.2, 8, 0.7, 1.0, 1000)
    supernet = SupernetRun("s", "learned", "ab12", 0.2, None, 0.8, 3, 9.0, "plain", points=(point,))
    measured = Measurements([], supernets={"learned": supernet}, own_latencies={"k200": [HERE, THERE]}, height=8)
    table = networks_table(STUDY, measured)
    assert table[["network", "machine", "latency_ms", "top1_together"]].to_numpy().tolist() == [
        ["k200", "Here", 1.235, 0.7], ["k200", "There", 0.5, 0.7],
    ]  # fmt: skip
