"""The Explore page: its numbers are the budget curve's, and what is not measured is not shown as if it were.

What the browser does with them is tested in a browser.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from legr.ranking.constraints import Constraints
from legr.study.store import Study
from tests.app.conftest import OpenApp
from tests.app.profiled import EAGER, HERE, add_profile


def dial(at: AppTest) -> dict[str, Any]:
    """What the dial was given."""
    data: dict[str, Any] = json.loads(at.get("bidi_component")[0].proto.json)
    return data


def place(at: AppTest) -> dict[str, Any]:
    """The figures with which the dial begins."""
    table = dial(at)["table"]
    columns = ("percent", "macs", "params", "latency", "before", "after")
    figures = {name: table[name][table["start"]] for name in columns}
    return figures | {f"{name}_measured": table["start"] in table[f"{name}_measured"] for name in columns[3:]}


def words(at: AppTest) -> str:
    return " ".join(element.value for element in (*at.caption, *at.markdown, *at.info))


def test_it_opens_on_the_sample_when_nothing_is_asked_for(open_app: OpenApp) -> None:
    at = open_app(study=None)
    assert not at.exception
    assert dial(at)["title"] == "ResNet-8 on digits · shown"
    assert dial(at)["facts"][-1] == "sample, read-only"
    assert at.query_params["study"] in ("shown", ["shown"])


@pytest.mark.parametrize("percent", ["100", "77.5", "30", "2"])
def test_the_dial_begins_at_the_budget_of_the_link(open_app: OpenApp, studies: Path, percent: str) -> None:
    at = open_app(budget=percent)
    curve = Study.open(studies / "demo").curve("learned")
    step = curve.step(macs=max(curve.floor, float(percent) / 100))
    assert not at.exception
    assert place(at)["macs"] == curve.macs[step] and place(at)["params"] == curve.params[step]


def test_another_ranking_has_other_numbers(open_app: OpenApp, studies: Path) -> None:
    at = open_app(budget="50")
    before = dial(at)["id"]
    at.query_params["ranking"] = "uniform"
    at.run()
    curve = Study.open(studies / "demo").curve("uniform")
    assert place(at)["params"] == curve.params[curve.step(macs=0.5)]
    assert dial(at)["id"] != before


def test_figures_say_whether_they_were_measured(open_app: OpenApp) -> None:
    here = place(open_app(budget="50"))
    assert here["before_measured"] and here["latency_measured"] and here["after"] == 0.93
    between = place(open_app(budget="60"))
    assert not between["before_measured"] and not between["latency_measured"]
    assert between["before"] and between["latency"] and between["after"] is None
    below = place(open_app(budget="5"))  # below the smallest measured budget: no guess
    assert below["before"] is below["latency"] is below["after"] is None


def test_it_says_once_where_figures_come_from(open_app: OpenApp) -> None:
    note = dial(open_app())["note"]
    assert note.count("FLOPs here are MACs: one multiply-add = 1.") == 1
    assert "Latency: PyTorch 2.14.1, cpu, 2 threads, batch 1" in note


def test_switches_come_from_the_link_and_nothing_else_does(open_app: OpenApp) -> None:
    data = dial(open_app(lens="macs", axis="params", by="latency"))
    view = data["view"]
    assert (view["lens"], view["axis"], view["by"]) == ("macs", "params", "latency")
    assert data["charts"]["frontier"]["titles"]["params"] == "thousand parameters"
    view = dial(open_app(lens="<script>", axis="../..", by="nonsense"))["view"]
    assert (view["lens"], view["axis"], view["by"]) == ("filters", "macs", "macs")


def test_latencies_are_of_the_device_in_the_link(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    points = [p for p in study.points if not p.finetuned]
    board = {"machine": "Orin", "threads": 6, "milliseconds": 30.0}
    study.save_points(
        [*study.points, *(replace(p, latency=p.latency and replace(p.latency, **board)) for p in points[:3])]
    )
    here, there = "cpu, 2 threads, PyTorch 2.14.1", "Orin, 6 threads, PyTorch 2.14.1"
    data = dial(open_app())
    assert data["charts"]["devices"] == [here, there] and data["charts"]["device"] == here
    assert not data["charts"]["elsewhere"] and "not this machine" not in data["note"]  # nobody knows of which it is
    data = dial(open_app(device=there))
    assert data["charts"]["device"] == there and "Orin, 6 threads" in data["note"]
    assert data["charts"]["elsewhere"] and "which is not this machine" in data["note"]
    assert {ms for ms in data["charts"]["frontier"]["networks"]["latency"] if ms} == {30.0}
    assert {ms for ms in data["table"]["latency"] if ms} == {30.0} == {data["original"]["latency"]}
    assert dial(open_app(device="<script>"))["charts"]["device"] == here


def test_a_machine_is_added_by_a_command_that_there_is(open_app: OpenApp, studies: Path) -> None:
    (_, folder), (_, profile), (_, command), (_, back) = dial(open_app())["charts"]["add_device"]
    assert folder == back == str(studies / "demo")
    assert command == "python -m legr measure --study demo"
    assert profile == "python -m legr profile --study demo"
    (_, *_), _, (_, command), (_, back) = dial(open_app(study="shown"))["charts"]["add_device"]
    assert command.endswith("--study shown") and back == str(studies / "shown")  # a sample stays as it is


def test_nothing_measured_means_no_frontier_and_no_latency(open_app: OpenApp, studies: Path) -> None:
    for points in (studies / "demo").glob("*points*"):
        points.unlink()
    at = open_app()
    data = dial(at)
    assert data["charts"]["frontier"] is None and "Measure the frontier" in data["charts"]["nothing_measured"]
    assert data["note"].startswith("Accuracy and latency: not measured.")


def test_nothing_learned_means_no_learned_ranking(open_app: OpenApp) -> None:
    at = open_app(study="plain")
    assert dial(at)["rankings"] == [["identity", "Identity"], ["uniform", "Uniform"]]
    assert dial(at)["ranking"] == "identity"


def test_missing_images_stop_measuring_and_nothing_else(open_app: OpenApp) -> None:
    at = open_app(study="elsewhere")
    disabled = {button.label: button.disabled for button in at.button}
    assert disabled["Measure this network"] and disabled["Measure the frontier"]
    assert dial(at)["table"] and not at.download_button[0].disabled
    assert any("not on this machine" in text.value for text in at.markdown)
    assert not disabled["Download CIFAR-10 (170 MB)"]


def test_the_budget_goes_along_to_the_next_page(open_app: OpenApp) -> None:
    at = open_app(budget="33")
    at.switch_page("pages/finetune.py").run()
    assert dial(at)["table"]["percent"][dial(at)["table"]["start"]] >= 33
    assert dial(at)["charts"] is None
    assert [button.label for button in at.button if "33 %" in button.label] == ["Fine-tune at 33 %", "Export at 33 %"]


@pytest.mark.parametrize("budget", ["nonsense", "-5", "250", "nan", "inf"])
def test_a_budget_from_outside_is_brought_into_range(open_app: OpenApp, budget: str) -> None:
    at = open_app(budget=budget)
    assert not at.exception
    assert 0 <= dial(at)["table"]["start"] < len(dial(at)["table"]["macs"])


@pytest.mark.slow
@pytest.mark.parametrize("budget", ["83.45480458449204", "0.0001", "1e-300", "99.99999999"])
def test_any_budget_of_a_link_is_one_that_a_job_can_be_asked_for(open_app: OpenApp, studies: Path, budget: str) -> None:
    study = Study.open(studies / "demo")
    for shape in (
        Constraints(),
        Constraints(excluded=("layer1.0.conv1", "layer3.0.conv2")),
        Constraints(pins={"layer2.0.conv1": 9}),
    ):
        study.save_constraints(shape)
        at = open_app(budget=budget)
        assert not at.exception and not at.error
        curve, start = study.curve(), dial(at)["table"]["percent"][dial(at)["table"]["start"]]
        curve.step(macs=float(f"{start / 100:.6g}"))  # as it is handed to a command: raises below the floor


def test_pins_keep_the_original_off_the_path(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    study.save_constraints(Constraints(pins={"layer1.0.conv1": 4}))
    table = dial(open_app(budget="100"))["table"]
    assert table["macs"][-1] == study.curve().macs[0] < study.curve().original.macs
    assert table["before"][-1] is table["latency"][-1] is None


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["nonsense", "-1", "nan", "1e999", "101"])
def test_nothing_is_compared_with_nonsense(open_app: OpenApp, asked: str) -> None:
    assert dial(open_app(held=asked))["view"]["compared"] is None


def test_a_profile_is_offered_where_the_study_has_none_of_this_machine(open_app: OpenApp, studies: Path) -> None:
    study = Study.open(studies / "demo")
    add_profile(study)  # of another machine
    at = open_app()
    offer = "Predict latency on this device (about 1 min)"
    assert [button.label for button in at.button if "device" in button.label] == [offer]
    data = dial(at)
    assert data["view"]["axis"] == "latency" and data["table"]["predicted"]["layers"]
    add_profile(study, replace(EAGER, machine=HERE.machine), name="here-PyTorch")  # not what is exported for
    assert [button.label for button in open_app().button if "device" in button.label] == [offer]
    add_profile(study, HERE)
    assert not [button for button in open_app().button if "device" in button.label]
