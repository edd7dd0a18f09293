"""The map of networks on the page: a box opens exactly its network and weights, or says that it cannot."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.views import lineage as view
from app.views.lineage import lineage_data
from legr.charts.lineage import COLUMNS, Origin
from legr.charts.measurements import percent_of
from legr.jobs import records
from legr.jobs.records import Job
from legr.ranking.constraints import Constraints
from legr.ranking.limits import Budget
from legr.requests.export import ExportRequest
from legr.study.store import Study, keep_id
from legr.study.supernets import save_supernet, supernets, weights_path
from tests.app.conftest import OpenApp
from tests.app.demo_study import add_finetuned, add_sizes, add_supernet

EXPORTED = {"zip": "", "macs_fraction": 0.5, "opset": 13, "batch": "1", "preprocess": "none"}


@pytest.fixture
def study(studies: Path) -> Study:
    """It has two runs of its network at 50 %, one of that at 30 %, and a supernet from 20 % up."""
    study = Study.open(studies / "demo")
    (run,) = study.finetuned
    study.save_finetuned(replace(run, key="worse", heldout_top1=0.1, top1=0.5))
    study.finetuned_weights("worse").touch()
    add_finetuned(study, 0.3, 0.9)
    add_supernet(study)
    return study


@pytest.fixture(autouse=True)
def buttons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes of the map as buttons of Streamlit's, which tests can press."""

    def mount(key: str, data: dict[str, Any], on_chosen_change: Callable[[], None]) -> None:
        def choose(chosen: str) -> None:
            st.session_state[key] = {"chosen": chosen}
            on_chosen_change()

        for origin in data["origins"]:
            st.button(origin["key"], key=f"box-{origin['key']}", on_click=choose, args=(origin["key"],))

    monkeypatch.setattr(view, "_mount", mount)


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=f"box-{key}").click().run()
    assert not at.exception and not at.error
    return at


def said(at: AppTest) -> str:
    return " ".join(element.value for element in (*at.caption, *at.markdown))


def budget(at: AppTest) -> float:
    return float(at.session_state["budget"])


def test_a_run_is_opened_with_its_own_weights(study: Study, open_app: OpenApp) -> None:
    at = open_app("finetune", budget="70")
    press(at, "run:worse")  # another is handed out at its budget
    assert at.session_state["run"] == "worse" and "The zip will hold the fine-tuned weights: 50.00 %" in said(at)
    press(at, "run:run-0.5")
    assert "run" not in at.query_params and "The zip will hold the fine-tuned weights: 93.00 %" in said(at)


def test_weights_of_every_kind_are_those_that_the_export_takes(study: Study, open_app: OpenApp) -> None:
    half = study.finetuned_run("run-0.5")
    assert half is not None
    at = open_app("finetune", budget="50")
    press(at, "supernet:together")
    assert "The zip will hold its slice of the supernet" in said(at)
    press(at, f"network:{half.keep_id}")
    assert "The zip will hold the weights as pruned" in said(at)
    press(at, "original")
    assert budget(at) == 100 and "The zip will hold the weights as pruned. The whole network" in said(at)
    press(at, "run:run-0.3")
    assert budget(at) == percent_of(study.finetuned_run("run-0.3").macs_fraction)  # type: ignore[union-attr]
    at.segmented_control(key="export-weights").set_value("together").run()
    assert "The zip will hold its slice of the supernet" in said(at)


def test_a_supernet_is_opened_where_it_has_networks(study: Study, open_app: OpenApp) -> None:
    at = press(open_app("finetune", budget="10"), "supernet:together")
    (run,) = supernets(study)
    shares = [point.macs_fraction for point in run.points if point.macs_fraction < 1]
    assert budget(at) == percent_of(min(shares))
    at = press(open_app("finetune", budget="100"), "supernet:together")
    assert budget(at) == percent_of(max(shares))


def test_what_cannot_be_opened_says_so(study: Study, open_app: OpenApp) -> None:
    learned = study.learned
    assert learned is not None
    study.save_learned(replace(learned, alpha=learned.alpha[::-1], kappa=tuple(k + 1 for k in learned.kappa)))
    half = study.finetuned_run("run-0.5")
    assert half is not None
    at = open_app("finetune", budget="50")
    cannot = "No ranking of today leads there, and it has no weights of its own: it cannot be opened."
    for key in (f"network:{half.keep_id}", "supernet:together", "ranking::before"):
        assert cannot in said(press(at, key)) and budget(at) == 50, key
    assert cannot not in said(press(at, "run:run-0.5")) and at.session_state["run"] == "run-0.5"


def test_a_supernet_in_whose_place_another_is_handed_out_says_so(study: Study, open_app: OpenApp) -> None:
    (run,) = supernets(study)
    save_supernet(study, replace(run, key="better", heldout_top1=0.99))
    weights_path(study, "better").touch()
    at = press(open_app("finetune", budget="50"), "supernet:together")
    assert "Another training of this ranking's networks is better on held-out images" in said(at) and budget(at) == 50


def test_the_original_is_not_opened_where_a_layer_is_pinned(study: Study, open_app: OpenApp) -> None:
    study.save_constraints(Constraints(pins={"layer1.0.conv1": 5}))
    at = press(open_app("finetune", budget="50"), "original")
    assert budget(at) == 50 and "it cannot be opened" in said(at)


def test_exports_open_what_they_hold(study: Study, open_app: OpenApp) -> None:
    add_sizes(study, (24,))
    curve = study.curve()
    step = curve.step(macs=0.4)
    name, fraction = study_keep(study, 0.4), float(curve.macs[step] / curve.original.macs)
    made = {**EXPORTED, "network": name, "macs_fraction": fraction}
    places = {"cut": {}, "together": {"supernet": "together"}, "removed": {"run": "gone", "finetuned": True}}
    for key, more in places.items():
        add_export(study, key, {**made, **more})
    add_export(study, "sized", {**made, "supernet": "together"}, size=24)
    add_export(study, "unknown", EXPORTED)
    at = open_app("finetune", budget="70")
    boxes = [button.label for button in at.button if button.label.startswith("export:")]
    assert len(boxes) == 4  # that of an earlier version did not note its network
    by_key = {key: next(box for box in boxes if box.endswith(f"export-{key}")) for key in (*places, "sized")}
    press(at, by_key["cut"])
    assert budget(at) == percent_of(fraction) and "The zip will hold the weights as pruned" in said(at)
    press(at, by_key["together"])
    assert "The zip will hold its slice of the supernet" in said(at) and "height" not in said(at)
    press(at, by_key["sized"])
    assert "images scaled to a height of 24" in said(at)
    assert "it cannot be opened" in said(press(at, by_key["removed"]))


def add_export(study: Study, key: str, result: dict[str, Any], size: int | None = None) -> None:
    """Note a finished export."""
    request = ExportRequest(Budget(macs=0.4), study.path / "exports" / key, ranking="learned", size=size)
    made = time.time() - 60
    records.save(study, Job(f"export-{key}", request, "cpu", created=made, state="done", result=result))


def study_keep(study: Study, macs: float) -> str:
    return keep_id(study.curve().at(macs=macs))


def test_the_name_field_follows_a_name_that_was_given_elsewhere(study: Study, open_app: OpenApp) -> None:
    at = press(open_app("finetune"), "run:worse")
    at.text_input[-1].set_value("mine")
    next(button for button in at.button if button.label == "Save the name").click().run()
    assert study.finetuned_run("worse").name == "mine"  # type: ignore[union-attr]
    study.save_finetuned(replace(study.finetuned_run("worse"), name="theirs"))  # type: ignore[type-var]
    at.run()
    assert [field.value for field in at.text_input if field.label == "Name of this training"] == ["theirs"]


def test_a_box_has_its_place_and_shade() -> None:
    origins = [
        Origin("original", "original", "", "Original", top1=0.9, row=0.5),
        Origin("ranking:learned", "ranking", "original", "Learned", row=0.5),
        Origin("run:a", "run", "ranking:learned", "a", top1=0.8, row=0.0),
        Origin("run:b", "run", "ranking:learned", "b", top1=0.85, row=1.0),
    ]
    data = lineage_data(origins, "run:b")
    assert [box["parent"] for box in data["origins"]] == [None, 0, 1, 1]
    assert [box["shade"] for box in data["origins"]] == [1.0, None, 0.0, 0.5]
    assert [box["chosen"] for box in data["origins"]] == [False, False, False, True]
    assert (data["rows"], data["lowest"], data["highest"], data["columns"]) == (2, 80.0, 90.0, list(COLUMNS))
